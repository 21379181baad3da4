//! What `/metrics` tells, in the text format of OpenMetrics: counts kept here, and figures that are read when somebody asks.
//!
//! Labels come from lists of our own, never from a client: no path, no user, no token.

mod decisions;
mod figures;
mod polls;
mod requests;

use std::fmt;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::clock::Clock;
use crate::observe::metrics::polls::Polls;
use crate::observe::metrics::requests::Requests;

pub use crate::observe::metrics::decisions::{Decider, Decisions};
pub use crate::observe::metrics::figures::{Figures, TenantFigures};
pub use crate::observe::metrics::polls::Poll;

pub struct Metrics {
    pub requests: Requests,
    pub decisions: Decisions,
    pub polls: Polls,
    /// Decision records taken from edges, and written here.
    pub records: Counter,
    registry: Registry,
}

const PREFIX: &str = "portcullis";

pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Metrics {
    pub fn new(clock: &dyn Clock) -> Self {
        let mut registry = Registry::default();
        let started = ConstGauge::new(clock.now().0);
        let (name, help) = ("process_start_time", "When the server started, since 1970");
        registry.register_with_unit(name, help, Unit::Seconds, started);
        let ours = registry.sub_registry_with_prefix(PREFIX);
        ours.register("build", "What runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let (requests, decisions, polls) = (Requests::new(ours), Decisions::new(ours), Polls::new(ours));
        let records = Counter::default();
        ours.register("decision_records_stored", "Decision records that were stored", records.clone());
        Self { requests, decisions, polls, records, registry }
    }

    /// All of it.
    pub fn write(&self, figures: &Figures) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &figures.registry(PREFIX))?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}
