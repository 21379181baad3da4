//! Answers to proxies that are known by their address. Each asks the same thing with every request of its clients, and nothing
//! in the management policy changes with time, so the component answers once.

use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

use portcullis_runtime::Decision;

use crate::pdp::{Asked, Facts};

/// What was allowed. A deny may have been a failure, which is no answer for the next time.
#[derive(Default)]
pub struct Peers(RwLock<Vec<Allowed>>);

struct Allowed {
    asked: Asked<Box<str>>,
    tenant: Box<str>,
    source_ip: Option<IpAddr>,
    decision: Decision,
}

/// Hosts are named by whoever asks, so there is no end of questions.
const MOST: usize = 64;

impl Peers {
    pub fn answer(&self, facts: &Facts<'_>, decide: impl FnOnce() -> Decision) -> Decision {
        if let Some(decision) = self.find(facts) {
            return decision;
        }
        let decision = decide();
        if decision.is_allow() {
            self.keep(facts, decision.clone());
        }
        decision
    }

    fn find(&self, facts: &Facts<'_>) -> Option<Decision> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|known| known.is_about(facts)).map(|known| known.decision.clone())
    }

    fn keep(&self, facts: &Facts<'_>, decision: Decision) {
        let Facts { asked, tenant, source_ip, now: _ } = facts;
        let allowed = Allowed { asked: asked.owned(), tenant: (*tenant).into(), source_ip: *source_ip, decision };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.push(allowed);
    }
}

impl Allowed {
    fn is_about(&self, facts: &Facts<'_>) -> bool {
        let Facts { asked, tenant, source_ip, now: _ } = facts;
        self.source_ip == *source_ip && *self.tenant == **tenant && self.asked.borrowed() == *asked
    }
}

impl Asked<&str> {
    fn owned(&self) -> Asked<Box<str>> {
        match *self {
            Self::Endpoint { method, path, host } => {
                Asked::Endpoint { method: method.into(), path: path.into(), host: host.map(Box::from) }
            }
            Self::ProxyDecision => Asked::ProxyDecision,
            Self::Ability { action, on } => Asked::Ability { action: action.into(), on: on.into() },
        }
    }
}

impl Asked<Box<str>> {
    fn borrowed(&self) -> Asked<&str> {
        match self {
            Self::Endpoint { method, path, host } => Asked::Endpoint { method, path, host: host.as_deref() },
            Self::ProxyDecision => Asked::ProxyDecision,
            Self::Ability { action, on } => Asked::Ability { action, on },
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_directory::UnixSeconds;
    use portcullis_runtime::Effect;

    use super::*;

    fn facts<'a>(path: &'a str, host: Option<&'a str>, source_ip: &str) -> Facts<'a> {
        let asked = Asked::Endpoint { method: "GET", path, host };
        Facts { asked, tenant: "default", source_ip: source_ip.parse().ok(), now: UnixSeconds(1) }
    }

    /// How many of the questions were passed on.
    fn passed_on(peers: &Peers, questions: &[Facts<'_>], effect: Effect) -> usize {
        let mut count = 0;
        for facts in questions {
            let decision = peers.answer(facts, || {
                count += 1;
                Decision { effect, ..Decision::unavailable() }
            });
            assert_eq!(decision.effect, effect);
        }
        count
    }

    #[test]
    fn the_same_question_is_passed_on_once_and_any_other_for_itself() {
        let peers = Peers::default();
        let questions = || {
            let known = facts("/v1/allow", Some("a.example"), "10.0.0.1");
            let proxy = Facts { asked: Asked::ProxyDecision, ..facts("", None, "10.0.0.1") };
            [
                known,
                facts("/v1/authenticate", Some("a.example"), "10.0.0.1"),
                facts("/v1/allow", Some("b.example"), "10.0.0.1"),
                facts("/v1/allow", None, "10.0.0.1"),
                facts("/v1/allow", Some("a.example"), "10.0.0.2"),
                Facts { tenant: "other", ..facts("/v1/allow", Some("a.example"), "10.0.0.1") },
                proxy,
            ]
        };
        assert_eq!(passed_on(&peers, &questions(), Effect::Allow), questions().len());
        assert_eq!(passed_on(&peers, &questions(), Effect::Allow), 0);
    }

    #[test]
    fn a_deny_is_asked_again() {
        let peers = Peers::default();
        let question = || [facts("/v1/allow", None, "10.0.0.1")];
        assert_eq!(passed_on(&peers, &question(), Effect::Deny), 1);
        assert_eq!(passed_on(&peers, &question(), Effect::Deny), 1);
        assert_eq!(passed_on(&peers, &question(), Effect::Allow), 1);
        assert_eq!(passed_on(&peers, &question(), Effect::Allow), 0);
    }

    #[test]
    fn so_many_are_kept_and_no_more() {
        let (peers, hosts) = (Peers::default(), (0..=MOST).map(|at| format!("{at}.example")).collect::<Vec<_>>());
        let questions = || hosts.iter().map(|host| facts("/v1/allow", Some(host), "10.0.0.1")).collect::<Vec<_>>();
        passed_on(&peers, &questions(), Effect::Allow);
        assert_eq!(peers.0.read().unwrap().len(), 1, "the last one, after the others were forgotten");
    }

    #[test]
    fn nothing_in_the_management_policy_changes_with_time() {
        let is_timed =
            |line: &str| line.starts_with("restrictions:") || line.trim().starts_with("when:") && line.contains("now");
        let timed: Vec<&str> = crate::pdp::MANAGEMENT_POLICY.lines().filter(|line| is_timed(line)).collect();
        assert!(timed.is_empty(), "answers to peers are kept: {timed:?}");
    }
}
