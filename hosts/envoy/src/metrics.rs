//! Counters and gauges, each defined once.
//!
//! Envoy has no labels in this interface: they are parts of the name, and `stats_tags` of the bootstrap turn them into
//! labels. A metric that cannot be written never changes a decision, so failures end here.

use std::time::Duration;

use portcullis_core::{Decision, Effect, Obligation, Reason};

use crate::host::{Host, HostError, MetricId};

pub struct Metrics {
    tenant: String,
    /// Few, so that they are looked for one after the other.
    decisions: Vec<((Effect, Reason), MetricId)>,
    /// By the name of the metric and what follows the tenant in it.
    others: Vec<((&'static str, &'static str), MetricId)>,
}

impl Metrics {
    pub fn new(tenant: &str) -> Self {
        Self { tenant: tenant.to_owned(), decisions: Vec::new(), others: Vec::new() }
    }

    /// `portcullis_decisions_total{tenant, decision, reason}`.
    pub fn count_decision(&mut self, host: &impl Host, decision: &Decision<'_>) {
        let (effect, reason) = (decision.effect, decision.reason);
        let counter = known(&mut self.decisions, (effect, reason), || {
            let labels = [".decision.", effect.name(), ".reason.", reason.name()].concat();
            host.counter(&name("portcullis_decisions_total", &self.tenant, &labels))
        });
        let _ = counter.and_then(|counter| host.add(counter, 1));
    }

    /// `portcullis_obligations_total{tenant, kind}`.
    pub fn count_obligation(&mut self, host: &impl Host, obligation: Obligation<'_>) {
        let kind = match obligation {
            Obligation::Audit(_) => ".kind.audit",
            Obligation::Denied => ".kind.denied",
        };
        self.count(host, "portcullis_obligations_total", kind, 1);
    }

    /// `portcullis_fetch_failures_total{tenant}`.
    pub fn count_fetch_failure(&mut self, host: &impl Host) {
        self.count(host, "portcullis_fetch_failures_total", "", 1);
    }

    /// `portcullis_identity_failures_total{tenant}`: calls to the gateway that brought no answer.
    pub fn count_identity_failure(&mut self, host: &impl Host) {
        self.count(host, "portcullis_identity_failures_total", "", 1);
    }

    /// `portcullis_log_records_dropped_total{tenant}`.
    pub fn count_dropped_records(&mut self, host: &impl Host, records: u32) {
        self.count(host, "portcullis_log_records_dropped_total", "", records);
    }

    /// `portcullis_shadow_decisions_total{tenant, kind}`: whether the candidate would answer the same.
    pub fn count_shadow(&mut self, host: &impl Host, differs: bool) {
        let kind = if differs { ".kind.different" } else { ".kind.same" };
        self.count(host, "portcullis_shadow_decisions_total", kind, 1);
    }

    /// `portcullis_validations_total{tenant, kind}`: bodies that had to be checked, by what came of it.
    pub fn count_validation(&mut self, host: &impl Host, kind: &'static str) {
        self.count(host, "portcullis_validations_total", kind, 1);
    }

    /// `portcullis_disabled_total{tenant}`: requests on routes that switched the filter off.
    pub fn count_disabled(&mut self, host: &impl Host) {
        self.count(host, "portcullis_disabled_total", "", 1);
    }

    /// `portcullis_policy_revision{tenant}`; the workers share it, the last one to swap wins.
    pub fn record_revision(&mut self, host: &impl Host, revision: u64) {
        self.record(host, "portcullis_policy_revision", revision);
    }

    /// `portcullis_policy_age_seconds{tenant}`: since the server last confirmed policy and revocations.
    pub fn record_age(&mut self, host: &impl Host, age: Duration) {
        self.record(host, "portcullis_policy_age_seconds", age.as_secs());
    }

    fn count(&mut self, host: &impl Host, metric: &'static str, labels: &'static str, value: u32) {
        let define = || host.counter(&name(metric, &self.tenant, labels));
        let _ = known(&mut self.others, (metric, labels), define).and_then(|counter| host.add(counter, value));
    }

    fn record(&mut self, host: &impl Host, metric: &'static str, value: u64) {
        let define = || host.gauge(&name(metric, &self.tenant, ""));
        let _ = known(&mut self.others, (metric, ""), define).and_then(|gauge| host.record(gauge, value));
    }
}

/// The metric under `key`, defined when it is not there yet.
fn known<K: Copy + PartialEq>(
    metrics: &mut Vec<(K, MetricId)>,
    key: K,
    define: impl FnOnce() -> Result<MetricId, HostError>,
) -> Result<MetricId, HostError> {
    if let Some((_, metric)) = metrics.iter().find(|(known, _)| *known == key) {
        return Ok(*metric);
    }
    let metric = define()?;
    metrics.push((key, metric));
    Ok(metric)
}

fn name(metric: &str, tenant: &str, labels: &str) -> String {
    [metric, ".tenant.", tenant, labels].concat()
}
