//! What a worker knows about one tenant: the policy in force, the candidate beside it, who is revoked.

use std::rc::Rc;
use std::time::Duration;

use portcullis_core::{Decision, Policy, Reason};

use crate::config::{Config, Tenancy};
use crate::enforce::refusal;
use crate::identity::Identity;
use crate::logs::Logs;
use crate::metrics::Metrics;
use crate::revocations::Revocations;

pub struct Tenant {
    /// The last good policy.
    pub policy: Option<Rc<Policy>>,
    /// The policy that is only compared with, if the configuration asks for it.
    pub candidate: Option<Rc<Policy>>,
    /// `None` until the server told them once.
    pub revocations: Option<Revocations>,
    /// When the server last confirmed the policy; time since the epoch.
    pub policy_confirmed: Duration,
    pub revocations_confirmed: Duration,
    pub metrics: Metrics,
    pub logs: Option<Logs>,
}

impl Tenant {
    /// Denies everything until it has a policy.
    pub fn new(config: &Config, tenancy: &Tenancy) -> Self {
        Self {
            policy: None,
            candidate: None,
            revocations: None,
            policy_confirmed: Duration::ZERO,
            revocations_confirmed: Duration::ZERO,
            metrics: Metrics::new(tenancy.tenant.as_str()),
            logs: config.decision_logs.map(Logs::new),
        }
    }

    /// The policy, if it may decide now. Without a clock none may.
    pub fn usable_policy(&self, config: &Config, now: Option<Duration>) -> Option<Rc<Policy>> {
        let (policy, now) = (self.policy.as_ref()?, now?);
        let is_fresh = self.age(config, now).is_some_and(|age| age <= config.max_stale);
        let has_expired = policy.expires().is_some_and(|expires| expires <= now.as_secs());
        (is_fresh && !has_expired).then(|| Rc::clone(policy))
    }

    /// How long ago the server confirmed what decides; `None` until it is complete. A confirmation in the future counts as old as it is early, so that
    /// a clock that was set back keeps no policy alive.
    pub fn age(&self, config: &Config, now: Duration) -> Option<Duration> {
        self.policy.as_ref()?;
        let of_policy = now.abs_diff(self.policy_confirmed);
        if !config.revocations {
            return Some(of_policy);
        }
        self.revocations.as_ref()?;
        Some(of_policy.max(now.abs_diff(self.revocations_confirmed)))
    }

    /// Whether a token of that time is void by what came after the bundle.
    pub fn has_revoked(&self, identity: &Identity) -> bool {
        let not_before = self.revocations.as_ref().and_then(|revocations| revocations.not_before(&identity.id));
        not_before.is_some_and(|not_before| identity.issued_at.is_none_or(|issued_at| issued_at < not_before))
    }

    /// Stage 6 of the decision for revocations that are not in the bundle. The core's stages before it stand; whatever
    /// a later stage said, this one comes first.
    pub fn revoke<'a>(&self, policy: &Policy, identity: Option<&Identity>, decision: Decision<'a>) -> Decision<'a> {
        if decision.reason.comes_after_revocations() && identity.is_some_and(|identity| self.has_revoked(identity)) {
            refusal(policy, Reason::TokenRevoked)
        } else {
            decision
        }
    }
}
