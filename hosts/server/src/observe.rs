//! What operators see of the server: logs, metrics, traces. None of it ever changes an answer.

pub mod logs;
pub mod metrics;
pub mod request;
pub mod traces;

use crate::observe::logs::Format;
use crate::observe::traces::Collector;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub logs: Logs,
    pub traces: Option<Traces>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// Key `log`: what is logged, in the words of `RUST_LOG`. Default `info`.
    pub filter: String,
    /// Key `log_format`: `text` or `json`. Default `text`.
    pub format: Format,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces {
    /// Key `otlp_endpoint`: `http://HOST:PORT`. None by default.
    pub collector: Collector,
    /// Key `otlp_service_name`. Default `portcullis`.
    pub service_name: String,
}
