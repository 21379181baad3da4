//! Decisions, by who decided, effect and reason.

use portcullis_runtime::Decision;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone)]
pub struct Decisions(Family<Decided, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    policy: &'static str,
    effect: &'static str,
    reason: &'static str,
}

/// Whose policy decided.
#[derive(Clone, Copy)]
pub enum Decider {
    /// The server's own, about who may call it.
    Management,
    Tenant,
}

impl Decisions {
    pub fn new(registry: &mut Registry) -> Self {
        let family = Family::default();
        registry.register("decisions", "Decisions that were made", family.clone());
        Self(family)
    }

    pub fn count(&self, decider: Decider, decision: &Decision) {
        let policy = match decider {
            Decider::Management => "management",
            Decider::Tenant => "tenant",
        };
        let (effect, reason) = (decision.effect.name(), decision.reason.name());
        self.0.get_or_create(&Decided { policy, effect, reason }).inc();
    }
}
