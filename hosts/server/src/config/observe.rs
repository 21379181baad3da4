//! Settings of logs and traces.

use std::fmt::Display;

use tracing_subscriber::EnvFilter;

use crate::config::error::Problem;
use crate::observe::logs::Format;
use crate::observe::traces::Collector;
use crate::observe::{Logs, Settings, Traces};

/// As typed.
pub struct RawObserve {
    pub log: String,
    pub log_format: String,
    pub otlp_endpoint: Option<String>,
    pub otlp_service_name: String,
}

impl Default for RawObserve {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            log_format: Format::Text.name().to_owned(),
            otlp_endpoint: None,
            otlp_service_name: "portcullis".to_owned(),
        }
    }
}

impl RawObserve {
    pub fn check(self) -> Result<Settings, Problem> {
        let Self { log, log_format, otlp_endpoint, otlp_service_name: service_name } = self;
        EnvFilter::builder().parse(&log).map_err(|error| wrong("log", &log, error))?;
        let format = Format::parse(&log_format).ok_or_else(|| wrong("log_format", &log_format, "not text or json"))?;
        let traces = match otlp_endpoint {
            None => None,
            Some(url) => {
                let collector = Collector::parse(&url).map_err(|why| Problem::unusable("otlp_endpoint", why))?;
                Some(Traces { collector, service_name })
            }
        };
        Ok(Settings { logs: Logs { filter: log, format }, traces })
    }
}

fn wrong(key: &str, value: &str, why: impl Display) -> Problem {
    Problem::unusable(key, format!("is `{value}`: {why}"))
}
