//! A tenant on this server: its policy, and the revocations that count beside it.

use std::sync::Arc;

use portcullis_directory::TenantId;
use portcullis_runtime::{Decision, Effect, Explained, Reason, Request, Stage, StageOutcome, StageReport};

use crate::observe::metrics::{Decider, Decisions};
use crate::observe::request::sync_part;
use crate::publish::Publisher;
use crate::revocations::Revocations;

pub struct Tenant {
    pub publisher: Arc<Publisher>,
    pub revocations: Arc<Revocations>,
    /// Where decisions are counted.
    pub decisions: Decisions,
}

impl Tenant {
    pub fn id(&self) -> &TenantId {
        self.publisher.tenant()
    }

    pub fn decide(&self, request: &Request) -> Decision {
        let decision = sync_part("decide", || self.publisher.slot().decide_as_bytes(request));
        let decision = if self.is_revoked(request, &decision) { self.revoked(decision) } else { decision };
        self.decisions.count(Decider::Tenant, &decision);
        decision
    }

    pub fn explain(&self, request: &Request) -> Explained {
        let mut explained = self.publisher.slot().explain(request);
        if self.is_revoked(request, &explained.decision) {
            explained.decision = self.revoked(explained.decision);
            explained.explanation.stages.iter_mut().for_each(end_at_revocation);
        }
        explained
    }

    /// The status that the policy has for a deny that the server makes by itself.
    pub fn status(&self, reason: Reason) -> u16 {
        self.publisher.bundle().map_or_else(|| reason.default_status(), |bundle| bundle.status(reason))
    }

    fn is_revoked(&self, request: &Request, decision: &Decision) -> bool {
        let subject = request.subject.as_ref();
        decision.reason.comes_after_revocations()
            && subject.is_some_and(|subject| self.revocations.voids(&subject.id, subject.issued_at))
    }

    fn revoked(&self, decision: Decision) -> Decision {
        let reason = Reason::TokenRevoked;
        let (obligations, rules, errors) = (Vec::new(), Vec::new(), Vec::new());
        Decision { effect: Effect::Deny, status: self.status(reason), reason, rules, obligations, errors, ..decision }
    }
}

fn end_at_revocation(report: &mut StageReport) {
    let position = |stage: Stage| Stage::ALL.iter().position(|&one| one == stage);
    match position(report.stage).cmp(&position(Stage::Revocation)) {
        std::cmp::Ordering::Less => {}
        std::cmp::Ordering::Equal => report.outcome = StageOutcome::Decided,
        std::cmp::Ordering::Greater => report.outcome = StageOutcome::NotReached,
    }
}
