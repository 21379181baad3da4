//! Figures that are read when somebody asks: of the policy, the revocations, the database.

use portcullis_directory::{Backlog, Connections};
use prometheus_client::encoding::{EncodeGaugeValue, EncodeLabelSet};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

pub struct Figures {
    pub tenants: Vec<TenantFigures>,
    /// `None` when the database does not answer.
    pub backlog: Option<Backlog>,
    pub connections: Connections,
    /// Of traces.
    pub dropped_spans: u64,
}

pub struct TenantFigures {
    pub tenant: String,
    /// The newest document decides.
    pub is_open: bool,
    /// Of the policy that decides; 0 without one.
    pub revision: u64,
    pub age_s: u64,
    /// Subjects whose older tokens are void.
    pub revoked_subjects: u64,
    /// Number of the last revocation.
    pub last_revocation: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfTenant {
    tenant: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfState {
    state: &'static str,
}

type TenantGauge = Family<OfTenant, Gauge<u64, std::sync::atomic::AtomicU64>>;

impl Figures {
    pub fn registry(&self, prefix: &str) -> Registry {
        let mut registry = Registry::with_prefix(prefix);
        self.add_policies(&mut registry);
        self.add_database(&mut registry);
        let help = "Spans that the collector of traces did not take";
        registry.register("trace_spans_dropped", help, ConstCounter::new(self.dropped_spans));
        registry
    }

    fn add_policies(&self, registry: &mut Registry) {
        let mut add = |name: &str, help: &str, unit: Option<Unit>, value: fn(&TenantFigures) -> u64| {
            let family = TenantGauge::default();
            for figures in &self.tenants {
                family.get_or_create(&OfTenant { tenant: figures.tenant.clone() }).set(value(figures));
            }
            match unit {
                Some(unit) => registry.register_with_unit(name, help, unit, family),
                None => registry.register(name, help, family),
            }
        };
        add("policy_usable", "Whether the newest policy document decides", None, |one| one.is_open.into());
        add("policy_revision", "Revision of the policy that decides, 0 without one", None, |one| one.revision);
        add("policy_age", "Since the policy that decides was stored", Some(Unit::Seconds), |one| one.age_s);
        add("revoked_subjects", "Subjects whose older tokens are void", None, |one| one.revoked_subjects);
        add("revocation_number", "Number of the last revocation", None, |one| one.last_revocation);
    }

    fn add_database(&self, registry: &mut Registry) {
        let connections = Family::<OfState, Gauge>::default();
        let Connections { open, idle, most } = self.connections;
        for (state, number) in [("idle", idle), ("busy", open.saturating_sub(idle))] {
            connections.get_or_create(&OfState { state }).set(number.into());
        }
        registry.register("database_connections", "Open connections to the database", connections);
        gauge(registry, "database_connections_limit", "Connections to the database at most", u64::from(most));
        gauge(registry, "database_up", "Whether the database answers", u64::from(self.backlog.is_some()));
        let Some(Backlog { publish_jobs, sessions, missing_records }) = self.backlog else { return };
        gauge(registry, "publish_jobs", "Policies that are stored and not yet published everywhere", publish_jobs);
        gauge(registry, "sessions", "Sessions that have not ended", sessions);
        let help = "Decision records that edges numbered and that never came";
        gauge(registry, "decision_records_missing", help, missing_records);
    }
}

fn gauge<N>(registry: &mut Registry, name: &str, help: &str, value: N)
where
    N: EncodeGaugeValue + std::fmt::Debug + Send + Sync + 'static,
{
    registry.register(name, help, ConstGauge::new(value));
}
