//! Counters and gauges, each defined once.
//!
//! Envoy has no labels in this interface: they are parts of the name, and `stats_tags` of the bootstrap turn them into
//! labels. A metric that cannot be written never changes a decision, so failures end here.

use std::collections::BTreeMap;

use portcullis_core::{Decision, Obligation, Reason};

use crate::host::{Host, MetricId};

pub struct Metrics {
    tenant: String,
    decisions: BTreeMap<(&'static str, Reason), MetricId>,
    obligations: BTreeMap<&'static str, MetricId>,
    revision: Option<MetricId>,
    fetch_failures: Option<MetricId>,
}

impl Metrics {
    pub fn new(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            decisions: BTreeMap::new(),
            obligations: BTreeMap::new(),
            revision: None,
            fetch_failures: None,
        }
    }

    /// `portcullis_decisions_total{tenant, decision, reason}`.
    pub fn count_decision(&mut self, host: &impl Host, decision: &Decision<'_>) {
        let (effect, reason) = (decision.effect.name(), decision.reason);
        let define = || {
            let Self { tenant, .. } = &*self;
            let reason = reason.name();
            host.counter(&format!("portcullis_decisions_total.tenant.{tenant}.decision.{effect}.reason.{reason}")).ok()
        };
        if let Some(counter) = self.decisions.get(&(effect, reason)).copied().or_else(define) {
            self.decisions.insert((effect, reason), counter);
            let _ = host.increment(counter);
        }
    }

    /// `portcullis_obligations_total{tenant, kind}`.
    pub fn count_obligation(&mut self, host: &impl Host, obligation: Obligation<'_>) {
        let kind = match obligation {
            Obligation::Audit(_) => "audit",
            Obligation::Denied => "denied",
        };
        let define = || {
            let Self { tenant, .. } = &*self;
            host.counter(&format!("portcullis_obligations_total.tenant.{tenant}.kind.{kind}")).ok()
        };
        if let Some(counter) = self.obligations.get(kind).copied().or_else(define) {
            self.obligations.insert(kind, counter);
            let _ = host.increment(counter);
        }
    }

    /// `portcullis_fetch_failures_total{tenant}`.
    pub fn count_fetch_failure(&mut self, host: &impl Host) {
        let define = || host.counter(&format!("portcullis_fetch_failures_total.tenant.{}", self.tenant)).ok();
        self.fetch_failures = self.fetch_failures.or_else(define);
        if let Some(counter) = self.fetch_failures {
            let _ = host.increment(counter);
        }
    }

    /// `portcullis_policy_revision{tenant}`; the workers share it, the last one to swap wins.
    pub fn record_revision(&mut self, host: &impl Host, revision: u64) {
        let define = || host.gauge(&format!("portcullis_policy_revision.tenant.{}", self.tenant)).ok();
        self.revision = self.revision.or_else(define);
        if let Some(gauge) = self.revision {
            let _ = host.record(gauge, revision);
        }
    }
}
