//! The header callback: read facts, decide, enforce.
//!
//! In: the proxy and the edge's current policy. Out: `Flow`. Only an allow that was carried out to the last header is
//! `Flow::Continue`; any failure on the way is a deny.

use std::rc::Rc;

use portcullis_core::{Decision, Obligation, Policy, Reason, Request, Scratch, Target, decide};

use crate::claims::Claims;
use crate::config::Config;
use crate::enforce::{Reply, identity, refusal, to_json};
use crate::extract::{Facts, Received};
use crate::host::{Host, HostError, Level};
use crate::metrics::Metrics;

/// The name under which access logs find the decision: `%FILTER_STATE(wasm.portcullis.decision:PLAIN)%`.
const DECISION_STATE: &str = "portcullis.decision";

/// What the proxy does with the request after the callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// Nothing of the request goes on, whether or not a reply could be sent.
    Stop,
}

/// What one worker needs for its requests.
pub struct Edge {
    pub config: Config,
    /// The last good policy.
    pub policy: Option<Rc<Policy>>,
    pub metrics: Metrics,
    scratch: Scratch,
    canonical: Vec<u8>,
}

impl Edge {
    /// Denies everything until it has a policy.
    pub fn new(config: Config) -> Self {
        let metrics = Metrics::new(config.tenant.as_str());
        Self { config, policy: None, metrics, scratch: Scratch::default(), canonical: Vec::new() }
    }
}

pub fn on_request(host: &impl Host, edge: &mut Edge) -> Flow {
    let Edge { config, policy, metrics, scratch, canonical } = edge;
    let now = host.now().ok().map(|now| now.as_secs());
    let Some(policy) = policy.clone().filter(|policy| is_in_force(policy, now)) else {
        return answer(host, config, metrics, &Decision::UNAVAILABLE, None);
    };
    let Ok(received) = Received::read(host) else {
        return answer(host, config, metrics, &refusal(&policy, Reason::PolicyUnavailable), None);
    };
    let facts = match Facts::read(&received, config, canonical) {
        Ok(facts) => facts,
        Err(reason) => return answer(host, config, metrics, &refusal(&policy, reason), None),
    };
    let decision = decide(&policy, &request(&facts, now), scratch);
    let enforced = if decision.is_allow() { forward(host, &received, &facts) } else { Ok(()) };
    let decision = match enforced {
        Ok(()) => decision,
        Err(reason) => refusal(&policy, reason),
    };
    answer(host, config, metrics, &decision, facts.claims.as_ref())
}

/// For a request that finds no edge: the proxy never configured this filter.
pub fn on_request_unconfigured(host: &impl Host) -> Flow {
    refuse(host, &Decision::UNAVAILABLE)
}

/// Whether the policy has not expired; without a clock it has, if it can.
fn is_in_force(policy: &Policy, now: Option<u64>) -> bool {
    policy.expires().is_none_or(|expires| now.is_some_and(|now| now < expires))
}

fn request<'a>(facts: &'a Facts<'a>, now: Option<u64>) -> Request<'a> {
    let path = facts.rewritten.as_deref().unwrap_or(facts.path);
    Request {
        action: facts.method,
        target: Target::Http { host: facts.host, path },
        source_ip: facts.source_ip,
        country: facts.country,
        continent: facts.continent,
        subject: facts.claims.as_ref().map(Claims::subject),
        credential: facts.claims.as_ref().map(|claims| claims.credential).unwrap_or_default(),
        context: None,
        now,
    }
}

/// Makes the request what the upstream may see; the reason is that of a refusal.
fn forward(host: &impl Host, received: &Received, facts: &Facts<'_>) -> Result<(), Reason> {
    let identity = identity(facts.claims.as_ref())?;
    let change = || {
        received.forged().try_for_each(|name| host.remove_request_header(name))?;
        facts.rewritten.iter().try_for_each(|path| host.set_request_header(":path", path))?;
        identity.iter().try_for_each(|(name, value)| host.set_request_header(name, value))
    };
    change().map_err(|HostError| Reason::PolicyUnavailable)
}

/// Counts, logs and carries out the final decision.
fn answer(
    host: &impl Host,
    config: &Config,
    metrics: &mut Metrics,
    decision: &Decision<'_>,
    claims: Option<&Claims<'_>>,
) -> Flow {
    metrics.count_decision(host, decision);
    for obligation in decision.obligations.iter() {
        metrics.count_obligation(host, obligation);
        host.log(Level::Info, &record(obligation, decision, claims));
    }
    if config.decision_state {
        // For access logs only: without it the decision stands all the same.
        let _ = host.set_filter_state(DECISION_STATE, &to_json(decision));
    }
    if decision.is_allow() { Flow::Continue } else { refuse(host, decision) }
}

/// Who was let in or refused by which rules: ids only. They are quoted, so that none can forge a line of the log.
fn record(obligation: Obligation<'_>, decision: &Decision<'_>, claims: Option<&Claims<'_>>) -> String {
    let subject = claims.map_or("", |claims| claims.id);
    let rules: Vec<String> = decision.rules.ids().map(|id| id.to_string()).collect();
    let what = match obligation {
        Obligation::Audit(topic) => format!("audit topic={topic:?}"),
        Obligation::Denied => "denied".to_owned(),
    };
    format!("obligation={what} subject.id={subject:?} rules={rules:?}")
}

fn refuse(host: &impl Host, decision: &Decision<'_>) -> Flow {
    let Reply { status, headers, body } = Reply::to(decision);
    if host.reply(status, &headers, body.as_bytes()).is_err() {
        host.log(Level::Error, "a refusal could not be sent");
    }
    Flow::Stop
}

#[cfg(test)]
mod tests;
