//! Keeps one tenant up to date: what the leader fetches, what the others take from it.
//!
//! In: ticks and answers. Out: newer policies and revocations in `Tenant`, or the old ones and a counted failure. Never: a
//! step back to an older revision, a bundle of another tenant or another signer, a call in a tight loop.

mod changes;
pub mod lease;
pub mod poll;
mod share;

use std::rc::Rc;
use std::time::Duration;

use portcullis_core::{Admission, OpenError, Policy};

use crate::config::{Config, Tenancy};
use crate::headers::Headers;
use crate::host::{Call, CallId, Host, HostError, Level};
use crate::revocations::Revocations;
use crate::tenant::Tenant;
use changes::{Changes, Gathered};
use poll::{FetchError, MAX_SPACING, Poll, SPACING};
use share::{Item, Names, Record, Shared, millis};

/// How long the server may hold a call when nothing changes, at most.
const LONGEST_WAIT_SECONDS: u64 = 25;
/// What a call may take beyond that.
const CALL_MARGIN: Duration = Duration::from_secs(5);
/// The whole set of revocations is asked for again after so long, because only the server forgets old ones.
const FULL_AFTER: Duration = Duration::from_secs(6 * 3600);

/// What is asked for, each with a call of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Bundle,
    Candidate,
    Revocations,
}

pub struct Feed {
    names: Names,
    /// The number of this worker; 0 before the first tick.
    me: u64,
    bundle: Poll,
    candidate: Poll,
    revocations: Poll,
    /// The record that this worker acted on last.
    seen: Record,
    /// Which edition of the revocations this worker has.
    edition: u64,
    /// The `since` of the call for revocations in flight.
    asked_since: u64,
    /// Of the leader only.
    gathered: Option<Gathered>,
    /// When the leader last had all revocations.
    full_at: Duration,
    /// The failure to take what is shared that was logged last.
    trouble: Option<FetchError>,
}

/// A feed's view of the worker.
pub struct Place<'a, H> {
    pub host: &'a H,
    pub config: &'a Config,
    pub tenancy: &'a Tenancy,
    pub tenant: &'a mut Tenant,
}

impl Feed {
    pub fn new(config: &Config, tenancy: &Tenancy) -> Self {
        Self {
            names: Names::of(config, tenancy),
            me: 0,
            bundle: Poll::default(),
            candidate: Poll::default(),
            revocations: Poll::default(),
            seen: Record::default(),
            edition: 0,
            asked_since: 0,
            gathered: None,
            full_at: Duration::ZERO,
            trouble: None,
        }
    }

    /// Takes what others shared, and asks for what is due if this worker, `me`, leads.
    pub fn tick(&mut self, place: &mut Place<'_, impl Host>, me: u64, now: Duration) {
        self.me = me;
        self.sync(place);
        if lease::hold(place.host, &self.names.lease, me, now) != Ok(true) {
            self.gathered = None;
            return;
        }
        for topic in [Topic::Bundle, Topic::Revocations, Topic::Candidate] {
            self.ask(place, topic, now);
        }
    }

    /// Whether the call was one of this feed's.
    pub fn answered(
        &mut self,
        place: &mut Place<'_, impl Host>,
        call: CallId,
        headers: usize,
        body_bytes: usize,
    ) -> bool {
        let topics = [Topic::Bundle, Topic::Revocations, Topic::Candidate];
        let ended = topics.into_iter().find_map(|topic| Some((topic, self.poll(topic).end(call)?)));
        let Some((topic, started)) = ended else { return false };
        let now = place.host.now().unwrap_or(started);
        let answer = Answer::read(place.host, headers, body_bytes);
        let taken = match topic {
            Topic::Bundle => answer.and_then(|answer| self.take_bundle(place, answer, now)),
            Topic::Candidate => answer.and_then(|answer| self.take_candidate(place, answer)),
            Topic::Revocations => answer.and_then(|answer| self.take_revocations(place, &answer, now)),
        };
        match taken {
            Ok(spacing) => {
                self.sync(place);
                if self.poll(topic).succeeded(started, spacing) {
                    place.host.log(Level::Info, "policy server answers again");
                }
                self.ask(place, topic, now);
            }
            Err(error) => self.fail(place, topic, started, error),
        }
        true
    }

    fn poll(&mut self, topic: Topic) -> &mut Poll {
        match topic {
            Topic::Bundle => &mut self.bundle,
            Topic::Candidate => &mut self.candidate,
            Topic::Revocations => &mut self.revocations,
        }
    }

    // === asking ===

    fn ask(&mut self, place: &mut Place<'_, impl Host>, topic: Topic, now: Duration) {
        let is_wanted = match topic {
            Topic::Bundle => true,
            Topic::Candidate => place.config.shadow,
            Topic::Revocations => place.config.revocations,
        };
        if !is_wanted || !self.poll(topic).is_due(now) {
            return;
        }
        match self.send(place, topic, now) {
            Ok((call, timeout)) => self.poll(topic).sent(call, now, timeout),
            Err(error) => self.fail(place, topic, now, error),
        }
    }

    fn send(
        &mut self,
        place: &mut Place<'_, impl Host>,
        topic: Topic,
        now: Duration,
    ) -> Result<(CallId, Duration), FetchError> {
        let Place { host, config, tenancy, tenant } = place;
        let name = tenancy.tenant.as_str();
        // Several answers fit into the time that a policy is good without one.
        let wait = (config.max_stale.as_secs() / 2).clamp(1, LONGEST_WAIT_SECONDS);
        let path = match topic {
            Topic::Bundle => format!("/policy/bundle?tenant={name}&wait={wait}"),
            Topic::Candidate => format!("/policy/bundle?tenant={name}&candidate=true&wait={wait}"),
            Topic::Revocations => {
                self.asked_since = self.since(tenant, now);
                let since = self.asked_since;
                // Before the first answer every request is refused, so the server shall not wait for news.
                let wait = if tenant.revocations.is_some() { wait } else { 0 };
                format!("/policy/revocations?tenant={name}&since={since}&wait={wait}")
            }
        };
        let authorization = ["Bearer ", &tenancy.token].concat();
        let mut headers = vec![
            (":method", "GET"),
            (":path", &path),
            (":authority", &config.authority),
            ("authorization", &authorization),
        ];
        if let Some(etag) = self.etag(topic, tenant) {
            headers.push(("if-none-match", etag));
        }
        let timeout = Duration::from_secs(wait).saturating_add(CALL_MARGIN);
        let call = Call { cluster: &config.cluster, headers: &headers, body: None, timeout };
        let called = host.call(&call);
        Ok((called.map_err(|HostError| FetchError::Dispatch { cluster: config.cluster.clone() })?, timeout))
    }

    /// The entity tag of what this worker holds.
    fn etag(&self, topic: Topic, tenant: &Tenant) -> Option<&str> {
        let (shared, held) = match topic {
            Topic::Bundle => (&self.seen.bundle, &tenant.policy),
            Topic::Candidate => (&self.seen.candidate, &tenant.candidate),
            Topic::Revocations => return None,
        };
        let is_held = held.as_ref().is_some_and(|policy| policy.digest() == shared.digest);
        (is_held && !shared.etag.is_empty()).then_some(&*shared.etag)
    }

    /// The last change of the revocations that is known; 0 asks for all.
    fn since(&mut self, tenant: &Tenant, now: Duration) -> u64 {
        if now.abs_diff(self.full_at) > FULL_AFTER {
            self.full_at = now;
            return 0;
        }
        let known = tenant.revocations.as_ref();
        let gathered = self.gathered.get_or_insert_with(|| known.map(Gathered::from).unwrap_or_default());
        gathered.revision
    }

    // === answers to the leader ===

    fn take_bundle(
        &mut self,
        place: &mut Place<'_, impl Host>,
        answer: Answer,
        now: Duration,
    ) -> Result<Duration, FetchError> {
        // Not the later of both: after the clock was set back, the last confirmation counts.
        let confirmed = |record: &mut Record| record.bundle_confirmed = millis(now);
        let Some((bytes, etag)) = answer.bundle(place.tenant.policy.is_some())? else {
            self.update(place, |record| {
                confirmed(record);
                Ok(())
            })?;
            return Ok(SPACING);
        };
        let policy = admitted(place, bytes)?;
        let is_news = place.tenant.policy.as_ref().is_none_or(|current| current.digest() != policy.digest());
        // What is known already lies where it lies.
        let is_shared = !missing(&self.seen.bundle, Some(&policy)) && self.seen.bundle.writer != 0;
        if !is_shared {
            place.host.set_shared(&self.names.item(Item::Bundle, self.me), policy.bytes(), None)?;
        }
        let writer = if is_shared { self.seen.bundle.writer } else { self.me };
        let shared = Shared { writer, digest: policy.digest(), revision: policy.revision(), etag };
        self.update(place, |record| {
            if record.bundle.revision > shared.revision {
                return Err(OpenError::Older { found: shared.revision, current: record.bundle.revision }.into());
            }
            record.bundle = shared.clone();
            confirmed(record);
            Ok(())
        })?;
        self.names.clear(place.host, Item::Bundle, self.seen.bundle.writer, writer);
        if is_news {
            install(place, policy);
        }
        Ok(if is_news { Duration::ZERO } else { SPACING })
    }

    /// Whatever is wrong with a candidate, the policy in force is not touched.
    fn take_candidate(&mut self, place: &mut Place<'_, impl Host>, answer: Answer) -> Result<Duration, FetchError> {
        // There is none.
        if answer.status() == Some("404") {
            self.update(place, |record| {
                record.candidate = Shared::default();
                Ok(())
            })?;
            place.tenant.candidate = None;
            return Ok(MAX_SPACING);
        }
        let Some((bytes, etag)) = answer.bundle(place.tenant.candidate.is_some())? else { return Ok(SPACING) };
        let policy = opened(place, bytes, 0)?;
        place.host.set_shared(&self.names.item(Item::Candidate, self.me), policy.bytes(), None)?;
        let shared = Shared { writer: self.me, digest: policy.digest(), revision: policy.revision(), etag };
        self.update(place, |record| {
            record.candidate = shared.clone();
            Ok(())
        })?;
        self.names.clear(place.host, Item::Candidate, self.seen.candidate.writer, self.me);
        let is_news = place.tenant.candidate.as_ref().is_none_or(|current| current.digest() != policy.digest());
        place.tenant.candidate = Some(Rc::new(policy));
        Ok(if is_news { Duration::ZERO } else { SPACING })
    }

    fn take_revocations(
        &mut self,
        place: &mut Place<'_, impl Host>,
        answer: &Answer,
        now: Duration,
    ) -> Result<Duration, FetchError> {
        if answer.status() != Some("200") {
            return Err(FetchError::Status(answer.status().unwrap_or("none").to_owned()));
        }
        let signature = answer.header("portcullis-signature");
        let Place { config, tenancy, .. } = place;
        let body = answer.body.as_ref().map_err(Clone::clone)?;
        let changes = Changes::read(body, signature, &config.public_key, &tenancy.tenant, self.asked_since)?;
        let is_last = changes.is_last();
        let gathered = self.gathered.get_or_insert_default();
        // Changes to something else than what is here: another led meanwhile, and this was dropped.
        if !changes.full && gathered.revision != self.asked_since {
            self.gathered = None;
            return Ok(SPACING);
        }
        gathered.apply(changes);
        if !is_last {
            return Ok(Duration::ZERO);
        }
        let all = gathered.encode().ok_or(FetchError::Revocations("too many"))?;
        let is_news = place.tenant.revocations.as_ref() != Some(&all);
        let is_shared = !is_news && self.edition == self.seen.revocations_edition;
        if !is_shared {
            place.host.set_shared(&self.names.item(Item::Revocations, self.me), all.bytes(), None)?;
        }
        let me = self.me;
        let record = Record::update(place.host, &self.names, |record| {
            if !is_shared {
                record.revocations_edition = millis(now).max(record.revocations_edition.saturating_add(1));
                record.revocations_writer = me;
            }
            record.revocations_confirmed = millis(now);
            Ok::<_, FetchError>(())
        })?;
        if !is_shared {
            self.names.clear(place.host, Item::Revocations, self.seen.revocations_writer, self.me);
            self.edition = record.revocations_edition;
            place.tenant.revocations = Some(all);
        }
        Ok(if is_news { Duration::ZERO } else { SPACING })
    }

    /// Counts the failure, and logs it when it is another than the last.
    fn fail(&mut self, place: &mut Place<'_, impl Host>, topic: Topic, started: Duration, error: FetchError) {
        let Place { host, tenancy, tenant, .. } = place;
        tenant.metrics.count_fetch_failure(*host);
        let name = &tenancy.tenant;
        let text = match (topic, &tenant.policy) {
            (Topic::Bundle, Some(policy)) => {
                format!("tenant `{name}`: no newer policy, keeping revision {}: {error}", policy.revision())
            }
            (Topic::Bundle, None) => format!("tenant `{name}`: no policy, denying every request: {error}"),
            (Topic::Candidate, _) => format!("tenant `{name}`: no newer candidate policy: {error}"),
            (Topic::Revocations, _) => format!("tenant `{name}`: no newer revocations: {error}"),
        };
        if self.poll(topic).failed(*host, started, error) {
            host.log(Level::Warn, &text);
        }
    }

    // === what the workers share ===

    /// Takes what the record names and this worker does not have yet.
    pub fn sync(&mut self, place: &mut Place<'_, impl Host>) {
        let taken = Record::read(place.host, &self.names).map_err(FetchError::from).and_then(|record| {
            if record == self.seen {
                return Ok(());
            }
            self.seen = record;
            self.take_shared(place)
        });
        match taken {
            Ok(()) => self.trouble = None,
            Err(error) => {
                place.tenant.metrics.count_fetch_failure(place.host);
                if self.trouble.as_ref() != Some(&error) {
                    let name = &place.tenancy.tenant;
                    let text = format!("tenant `{name}`: what another worker fetched cannot be used: {error}");
                    place.host.log(Level::Warn, &text);
                    self.trouble = Some(error);
                }
            }
        }
    }

    fn take_shared(&mut self, place: &mut Place<'_, impl Host>) -> Result<(), FetchError> {
        if missing(&self.seen.bundle, place.tenant.policy.as_deref()) {
            match self.shared_policy(place, Item::Bundle, least_revision(place))? {
                Some(policy) => install(place, policy),
                None => return self.again(),
            }
        }
        if self.edition != self.seen.revocations_edition && self.seen.revocations_writer != 0 {
            let name = self.names.item(Item::Revocations, self.seen.revocations_writer);
            let (bytes, _) = place.host.shared(&name)?.ok_or(FetchError::Share)?;
            place.tenant.revocations = Some(Revocations::open(bytes).ok_or(FetchError::Share)?);
            self.edition = self.seen.revocations_edition;
            // Another led meanwhile.
            self.gathered = None;
        }
        place.tenant.policy_confirmed = Duration::from_millis(self.seen.bundle_confirmed);
        place.tenant.revocations_confirmed = Duration::from_millis(self.seen.revocations_confirmed);
        if self.seen.candidate.writer == 0 || !place.config.shadow {
            place.tenant.candidate = None;
        } else if missing(&self.seen.candidate, place.tenant.candidate.as_deref()) {
            match self.shared_policy(place, Item::Candidate, 0)? {
                Some(policy) => place.tenant.candidate = Some(Rc::new(policy)),
                None => return self.again(),
            }
        }
        Ok(())
    }

    /// The policy that the record names; `None` when another lies there meanwhile.
    fn shared_policy(
        &self,
        place: &Place<'_, impl Host>,
        item: Item,
        revision: u64,
    ) -> Result<Option<Policy>, FetchError> {
        let shared = if item == Item::Candidate { &self.seen.candidate } else { &self.seen.bundle };
        let Some((bytes, _)) = place.host.shared(&self.names.item(item, shared.writer))? else { return Ok(None) };
        // The one who shared it hashed it, and what it shared came from nowhere else.
        match Policy::open_shared(bytes, &[place.config.public_key], shared.digest) {
            Ok(policy) => usable(place, policy, revision).map(Some),
            Err(OpenError::Digest | OpenError::NotABundle) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The writer is about to change the record: it is read again on the next tick.
    fn again(&mut self) -> Result<(), FetchError> {
        self.seen = Record::default();
        Ok(())
    }

    fn update(
        &self,
        place: &Place<'_, impl Host>,
        change: impl Fn(&mut Record) -> Result<(), FetchError>,
    ) -> Result<(), FetchError> {
        Record::update(place.host, &self.names, change).map(|_| ())
    }
}

/// Whether the shared bundle is another than the one that is held.
fn missing(shared: &Shared, held: Option<&Policy>) -> bool {
    shared.writer != 0 && held.is_none_or(|policy| policy.digest() != shared.digest)
}

/// The policy in `bytes`, if it may replace the one in force.
fn admitted(place: &Place<'_, impl Host>, bytes: Vec<u8>) -> Result<Policy, FetchError> {
    opened(place, bytes, least_revision(place))
}

/// Of a policy that may come into force. 0 is that of a candidate, which is signed by the same key.
fn least_revision(place: &Place<'_, impl Host>) -> u64 {
    place.tenant.policy.as_ref().map_or(1, |policy| policy.revision())
}

/// The policy in `bytes`, if the right key signed it for this tenant, and it is not older than `revision`.
fn opened(place: &Place<'_, impl Host>, bytes: Vec<u8>, revision: u64) -> Result<Policy, FetchError> {
    usable(place, Policy::open_signed(bytes, &[place.config.public_key])?, revision)
}

fn usable(place: &Place<'_, impl Host>, policy: Policy, revision: u64) -> Result<Policy, FetchError> {
    let now = place.host.now().map_err(|HostError| FetchError::NoClock)?.as_secs();
    policy.admit(&Admission { tenant: &place.tenancy.tenant, revision, now })?;
    Ok(policy)
}

fn install(place: &mut Place<'_, impl Host>, policy: Policy) {
    place.tenant.metrics.record_revision(place.host, policy.revision());
    let text = format!("tenant `{}`: policy revision {} is in force", place.tenancy.tenant, policy.revision());
    place.host.log(Level::Info, &text);
    place.tenant.policy = Some(Rc::new(policy));
}

/// What the server said.
struct Answer {
    headers: Headers,
    body: Result<Vec<u8>, FetchError>,
}

impl Answer {
    fn read(host: &impl Host, headers: usize, body_bytes: usize) -> Result<Self, FetchError> {
        // Without headers Envoy has none to give, and asking for them is an error.
        if headers == 0 {
            return Err(FetchError::NoAnswer);
        }
        let headers = host.answer_headers().map_err(|HostError| FetchError::NoAnswer)?;
        let body = if body_bytes == 0 { Err(HostError) } else { host.answer_body(body_bytes) };
        Ok(Self { headers, body: body.map_err(|HostError| FetchError::Empty) })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.first(name)?;
        core::str::from_utf8(value).ok().filter(|value| value.bytes().all(|byte| byte.is_ascii_graphic()))
    }

    fn status(&self) -> Option<&str> {
        self.header(":status")
    }

    /// A bundle and its entity tag; `None` when it is the one that is known.
    fn bundle(self, is_known: bool) -> Result<Option<(Vec<u8>, String)>, FetchError> {
        match self.status() {
            Some("200") => {
                let etag = self.header("etag").unwrap_or_default().to_owned();
                self.body.map(|bytes| Some((bytes, etag)))
            }
            Some("304") if is_known => Ok(None),
            other => Err(FetchError::Status(other.unwrap_or("none").to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
