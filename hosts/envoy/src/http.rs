//! The callbacks of a request: read facts, find out who it is, decide, enforce, check the body.
//!
//! In: the proxy and what the worker knows. Out: `Flow`. Only an allow that was carried out to the last header, and whose
//! body was checked where the policy asks for it, is `Flow::Continue`; any failure on the way is a deny.

mod held;

use std::rc::Rc;
use std::time::Duration;

use portcullis_core::{Decision, Obligation, Policy, Reason, Request, Scratch, Target, ValidateScratch, decide};

use crate::authenticate::{Authenticator, Found};
use crate::body::Check;
use crate::config::{Config, LogMode, Tenancy};
use crate::enforce::{Reply, identity_headers, refusal, to_json};
use crate::extract::{Facts, Malformed, Received, is_canonical};
use crate::gateway::Answer;
use crate::host::{CallId, Host, HostError, Level, Property};
use crate::identity::{Identity, Unreadable};
use crate::logs::Kept;
use crate::record::{Difference, Occasion, records};
use crate::route::Settings;
use crate::tenant::Tenant;
use crate::token::Tokens;
use crate::token::cache::{Cache, Key};
use held::Held;

pub use held::{on_body, on_trailers};

/// The name under which access logs find the decision: `%FILTER_STATE(wasm.portcullis.decision:PLAIN)%`.
const DECISION_STATE: &str = "portcullis.decision";
const REVISION_HEADER: &str = "x-portcullis-revision";

/// What the proxy does with the request after the callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// Nothing of the request goes on, whether or not a reply could be sent.
    Stop,
    /// Nothing of it goes on before the server answered; the proxy need not show more of it.
    Wait,
    /// Nothing of it goes on before its body was checked, which the proxy must show.
    Hold,
}

/// What one worker needs for its requests.
pub struct Edge {
    pub config: Config,
    /// In the order of the configuration.
    pub tenants: Vec<Tenant>,
    pub tokens: Tokens,
    /// Answers of the gateway.
    pub answers: Cache<Rc<Identity>>,
    canonical: Vec<u8>,
    bodies: ValidateScratch,
    scratches: Option<Box<Scratches>>,
}

/// Lent to one request after the other.
#[derive(Default)]
struct Scratches {
    live: Scratch,
    shadow: Scratch,
}

impl Edge {
    /// Denies everything until its tenants have policies.
    pub fn new(config: Config) -> Self {
        let tenants = config.tenants.iter().map(|tenancy| Tenant::new(&config, tenancy)).collect();
        Self {
            config,
            tenants,
            tokens: Tokens::default(),
            answers: Cache::default(),
            canonical: Vec::new(),
            bodies: ValidateScratch::default(),
            scratches: None,
        }
    }
}

/// What is remembered of one request.
#[derive(Default)]
pub struct Stream {
    waiting: Option<Waiting>,
    /// Of the policy that let the request through.
    revision: Option<u64>,
    held: Option<Held>,
    body: Body,
}

/// What came of the body.
#[derive(Clone, Copy, Default)]
struct Body {
    size_bytes: usize,
    has_ended: bool,
    /// Whether the proxy shows what comes.
    is_shown: bool,
}

/// A request that waits for the gateway.
struct Waiting {
    call: CallId,
    key: Key,
    settings: Settings,
    received: Received,
}

// === the callbacks ===

/// `has_ended` when there is no body.
pub fn on_request(host: &impl Host, edge: &mut Edge, stream: &mut Stream, has_ended: bool) -> Flow {
    stream.body = Body { has_ended, is_shown: edge.config.sees_bodies, size_bytes: 0 };
    let settings = settings(host, &edge.config);
    let received = Received::read(host, &edge.config);
    let Some(mut asked) = Asked::new(host, edge, settings.unwrap_or_default()) else {
        return on_request_unconfigured(host);
    };
    let (Ok(received), Ok(settings)) = (received, settings) else {
        return asked.refuse(&Occasion::default(), Reason::PolicyUnavailable, stream);
    };
    if settings.disabled {
        return asked.pass(&received, stream);
    }
    match asked.begin(&received, stream) {
        Step::Done(flow) => flow,
        Step::Wait { call, key } => {
            // A proxy that need not show the body slows the client down instead of keeping what it sends.
            stream.body.is_shown = stream.body.is_shown && asked.asks_for_body(&received, has_ended);
            stream.waiting = Some(Waiting { call, key, settings, received });
            if stream.body.is_shown { Flow::Hold } else { Flow::Wait }
        }
    }
}

/// The answer of the gateway to a request that waits for it. A request that may go on is resumed here.
pub fn on_answer(
    host: &impl Host,
    edge: &mut Edge,
    stream: &mut Stream,
    call: CallId,
    headers: usize,
    body_bytes: usize,
) -> Flow {
    let Some(Waiting { key, settings, received, .. }) = stream.waiting.take_if(|waiting| waiting.call == call) else {
        return Flow::Wait;
    };
    let Some(mut asked) = Asked::new(host, edge, settings) else { return on_request_unconfigured(host) };
    let flow = asked.go_on(&received, key, (headers, body_bytes), stream);
    if flow == Flow::Continue && host.resume().is_err() {
        return on_request_unconfigured(host);
    }
    flow
}

/// For the response to a request that went on.
pub fn on_response(host: &impl Host, edge: &Edge, stream: &Stream) {
    if let (true, Some(revision)) = (edge.config.revision_header, stream.revision) {
        // The decision stands with or without it.
        let _ = host.set_response_header(REVISION_HEADER, itoa::Buffer::new().format(revision));
    }
}

/// For a request that finds no edge: the proxy never configured this filter.
pub fn on_request_unconfigured(host: &impl Host) -> Flow {
    reply(host, &Decision::UNAVAILABLE, None)
}

/// What the route says; an error refuses the request.
fn settings(host: &impl Host, config: &Config) -> Result<Settings, HostError> {
    let metadata = host.property(Property::RouteMetadata)?;
    Settings::read(metadata.as_deref(), config).map_err(|Unreadable| {
        host.log(Level::Error, "metadata `portcullis` of the route is not understood, its requests are refused");
        HostError
    })
}

// === one request ===

enum Step {
    Done(Flow),
    Wait { call: CallId, key: Key },
}

/// A request on its way through the steps, with what the worker knows about its tenant.
struct Asked<'a, H> {
    host: &'a H,
    config: &'a Config,
    tenancy: &'a Tenancy,
    tenant: &'a mut Tenant,
    tokens: &'a mut Tokens,
    answers: &'a mut Cache<Rc<Identity>>,
    canonical: &'a mut Vec<u8>,
    bodies: &'a mut ValidateScratch,
    scratches: &'a mut Option<Box<Scratches>>,
    settings: Settings,
    now: Option<Duration>,
    /// `None` when none may decide.
    policy: Option<Rc<Policy>>,
}

impl<'a, H: Host> Asked<'a, H> {
    fn new(host: &'a H, edge: &'a mut Edge, settings: Settings) -> Option<Self> {
        let Edge { config, tenants, tokens, answers, canonical, bodies, scratches } = edge;
        let (tenancy, tenant) = (config.tenants.get(settings.tenant)?, tenants.get_mut(settings.tenant)?);
        let now = host.now().ok();
        let policy = tenant.usable_policy(config, now);
        Some(Self {
            host,
            config,
            tenancy,
            tenant,
            tokens,
            answers,
            canonical,
            bodies,
            scratches,
            settings,
            now,
            policy,
        })
    }

    /// A route that is switched off: the client's identity headers go nowhere all the same.
    fn pass(&mut self, received: &Received, stream: &mut Stream) -> Flow {
        // The route was chosen by the path as it came; an upstream that cleans it would serve that of another route.
        if !is_canonical(received, self.canonical) {
            let occasion = Occasion { received: Some(received), ..Occasion::default() };
            return self.refuse(&occasion, Reason::MalformedRequest, stream);
        }
        self.tenant.metrics.count_disabled(self.host);
        let mut forged = received.forged(self.config);
        match forged.try_for_each(|name| self.host.remove_request_header(name)) {
            Ok(()) => Flow::Continue,
            Err(HostError) => on_request_unconfigured(self.host),
        }
    }

    fn begin(&mut self, received: &Received, stream: &mut Stream) -> Step {
        let occasion = Occasion { received: Some(received), ..Occasion::default() };
        if self.policy.is_none() {
            return Step::Done(self.refuse(&occasion, Reason::PolicyUnavailable, stream));
        }
        let facts = match self.facts(received) {
            Ok(facts) => facts,
            Err(Malformed) => return Step::Done(self.refuse(&occasion, Reason::MalformedRequest, stream)),
        };
        Step::Done(match self.authenticator().find(received, &facts) {
            Ok(Found::Asked { call, key }) => return Step::Wait { call, key },
            Ok(Found::Nobody) => self.decide(received, &facts, None, stream),
            Ok(Found::Known(identity)) => self.decide(received, &facts, Some(&identity), stream),
            Err(reason) => self.refuse(&Occasion { ip: facts.source_ip, ..occasion }, reason, stream),
        })
    }

    /// After the answer of the gateway, of which the proxy has so many headers and bytes.
    fn go_on(&mut self, received: &Received, key: Key, answer: (usize, usize), stream: &mut Stream) -> Flow {
        let occasion = Occasion { received: Some(received), ..Occasion::default() };
        let (Some(now), true) = (self.now, self.policy.is_some()) else {
            return self.refuse(&occasion, Reason::PolicyUnavailable, stream);
        };
        let facts = match self.facts(received) {
            Ok(facts) => facts,
            Err(Malformed) => return self.refuse(&occasion, Reason::MalformedRequest, stream),
        };
        let occasion = Occasion { ip: facts.source_ip, ..occasion };
        let (headers, body_bytes) = answer;
        match Answer::read(self.host, headers, body_bytes, now.as_secs()) {
            Ok(Answer::Known(identity)) => {
                self.answers.insert(key, Rc::clone(&identity));
                self.decide(received, &facts, Some(&identity), stream)
            }
            Ok(Answer::Nobody) => {
                let service = self.authenticator().service(received);
                self.decide(received, &facts, service.as_deref(), stream)
            }
            Ok(Answer::Wrong) => self.refuse(&occasion, Reason::Unauthenticated, stream),
            Err(Unreadable) => {
                self.tenant.metrics.count_identity_failure(self.host);
                self.refuse(&occasion, Reason::PolicyUnavailable, stream)
            }
        }
    }

    /// Whether the body must be checked, should the request be allowed.
    fn asks_for_body(&mut self, received: &Received, has_ended: bool) -> bool {
        let Some(policy) = self.policy.clone() else { return false };
        let facts = self.facts(received);
        facts.is_ok_and(|facts| {
            matches!(Check::of(&policy, received, &facts, self.settings, self.config, has_ended), Ok(Some(_)))
        })
    }

    fn facts<'r>(&mut self, received: &'r Received) -> Result<Facts<'r>, Malformed> {
        Facts::read(received, self.config, self.canonical)
    }

    fn authenticator(&mut self) -> Authenticator<'_, H> {
        Authenticator {
            host: self.host,
            config: self.config,
            tenancy: self.tenancy,
            tenant: self.tenant,
            tokens: self.tokens,
            answers: self.answers,
            now: self.now.unwrap_or_default().as_secs(),
        }
    }

    fn decide(
        &mut self,
        received: &Received,
        facts: &Facts<'_>,
        identity: Option<&Identity>,
        stream: &mut Stream,
    ) -> Flow {
        let mut occasion = Occasion { received: Some(received), ip: facts.source_ip, identity, ..Occasion::default() };
        let Some(policy) = self.policy.clone() else {
            return self.refuse(&occasion, Reason::PolicyUnavailable, stream);
        };
        // The decision borrows them, and what follows needs the rest of `self`.
        let mut scratches = self.scratches.take().unwrap_or_default();
        let request = request(facts, identity, self.now);
        let decision = self.tenant.revoke(&policy, identity, decide(&policy, &request, &mut scratches.live));
        occasion.shadow = self.compare(&request, identity, &decision, &mut scratches.shadow);
        let enforced = if decision.is_allow() { self.forward(received, facts, identity) } else { Ok(()) };
        let decision = match enforced {
            Ok(()) => decision,
            Err(reason) => refusal(&policy, reason),
        };
        let flow = self.answer(&occasion, &decision, stream);
        *self.scratches = Some(scratches);
        if flow == Flow::Continue { self.check_body(&policy, received, facts, stream) } else { flow }
    }

    /// What the candidate would answer, if it is something else.
    fn compare(
        &mut self,
        request: &Request<'_>,
        identity: Option<&Identity>,
        live: &Decision<'_>,
        scratch: &mut Scratch,
    ) -> Option<Difference> {
        let candidate = self.tenant.candidate.clone()?;
        let shadow = self.tenant.revoke(&candidate, identity, decide(&candidate, request, scratch));
        let differs = (shadow.effect, shadow.status) != (live.effect, live.status);
        self.tenant.metrics.count_shadow(self.host, differs);
        differs.then(|| Difference { effect: shadow.effect.name(), reason: shadow.reason.name() })
    }

    /// Makes the request what the upstream may see; the reason is that of a refusal.
    fn forward(&self, received: &Received, facts: &Facts<'_>, identity: Option<&Identity>) -> Result<(), Reason> {
        let tenant = self.tenancy.tenant.as_str();
        let headers = identity_headers(&self.config.upstream_headers, tenant, identity)?;
        let change = || {
            received.forged(self.config).try_for_each(|name| self.host.remove_request_header(name))?;
            facts.rewritten.iter().try_for_each(|path| self.host.set_request_header(":path", path))?;
            headers.iter().try_for_each(|(name, value)| self.host.set_request_header(name, value))
        };
        change().map_err(|HostError| Reason::PolicyUnavailable)
    }

    /// The deny that the filter makes by itself.
    fn refuse(&mut self, occasion: &Occasion<'_>, reason: Reason, stream: &mut Stream) -> Flow {
        let decision = self.policy.as_ref().map_or(Decision::UNAVAILABLE, |policy| refusal(policy, reason));
        self.answer(occasion, &decision, stream)
    }

    /// Counts, logs and carries out the final decision.
    fn answer(&mut self, occasion: &Occasion<'_>, decision: &Decision<'_>, stream: &mut Stream) -> Flow {
        let unwritable =
            self.policy.as_ref().map_or(Decision::UNAVAILABLE, |policy| refusal(policy, Reason::PolicyUnavailable));
        let decision = if self.write(occasion, decision) { decision } else { &unwritable };
        self.tenant.metrics.count_decision(self.host, decision);
        for obligation in decision.obligations.iter() {
            self.tenant.metrics.count_obligation(self.host, obligation);
        }
        if self.config.decision_state {
            // For access logs only: without it the decision stands all the same.
            let _ = self.host.set_filter_state(DECISION_STATE, to_json(decision).as_bytes());
        }
        if decision.is_allow() {
            stream.revision = Some(decision.revision);
            return Flow::Continue;
        }
        reply(self.host, decision, self.config.revision_header.then_some(decision.revision))
    }

    /// False when something could not be written that must be.
    fn write(&mut self, occasion: &Occasion<'_>, decision: &Decision<'_>) -> bool {
        let Some(logs) = &mut self.tenant.logs else {
            for obligation in decision.obligations.iter() {
                self.host.log(Level::Info, &line(obligation, decision, occasion));
            }
            if let Some(Difference { effect, reason }) = occasion.shadow {
                let subject = occasion.identity.map_or("", |identity| &identity.id);
                self.host.log(Level::Info, &format!("shadow effect={effect} reason={reason} subject.id={subject:?}"));
            }
            return true;
        };
        let now = self.now.unwrap_or_default();
        let kept = logs.offer(self.host, &mut self.tenant.metrics, records(decision, occasion, now), now);
        let is_audited = decision.obligations.iter().any(|one| matches!(one, Obligation::Audit(_)));
        kept == Kept::Yes || !(is_audited || logs.mode() == LogMode::Required)
    }
}

fn request<'a>(facts: &'a Facts<'a>, identity: Option<&'a Identity>, now: Option<Duration>) -> Request<'a> {
    let path = facts.rewritten.as_deref().unwrap_or(facts.path);
    Request {
        action: facts.method,
        target: Target::Http { host: facts.host, path },
        source_ip: facts.source_ip,
        country: facts.country.as_deref(),
        continent: facts.continent.as_deref(),
        subject: identity.map(Identity::subject),
        credential: identity.map(|identity| identity.credential).unwrap_or_default(),
        context: None,
        now: now.map(|now| now.as_secs()),
    }
}

/// Who was let in or refused by which rules: ids only. They are quoted, so that none can forge a line of the log.
fn line(obligation: Obligation<'_>, decision: &Decision<'_>, occasion: &Occasion<'_>) -> String {
    let subject = occasion.identity.map_or("", |identity| &identity.id);
    let rules: Vec<String> = decision.rules.ids().map(|id| id.text()).collect();
    let what = match obligation {
        Obligation::Audit(topic) => format!("audit topic={topic:?}"),
        Obligation::Denied => "denied".to_owned(),
    };
    format!("obligation={what} subject.id={subject:?} rules={rules:?}")
}

fn reply(host: &impl Host, decision: &Decision<'_>, revision: Option<u64>) -> Flow {
    let Reply { status, headers, body } = Reply::to(decision);
    let mut headers: Vec<(&str, &str)> = headers;
    let mut digits = itoa::Buffer::new();
    if let Some(revision) = revision {
        headers.push((REVISION_HEADER, digits.format(revision)));
    }
    send(host, status, &headers, &body)
}

/// The refusal instead of the request, which goes nowhere even if the client is not told.
fn send(host: &impl Host, status: u16, headers: &[(&str, &str)], body: &str) -> Flow {
    if host.reply(status, headers, body.as_bytes()).is_err() {
        host.log(Level::Error, "a refusal could not be sent");
    }
    Flow::Stop
}

#[cfg(test)]
mod tests;
