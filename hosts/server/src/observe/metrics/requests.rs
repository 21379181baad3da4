//! Requests that were answered, by route, method and class of the status.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::observe::request::Done;

pub struct Requests {
    answered: Family<Answered, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    logins: Family<Login, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    /// As it stands in the router.
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Login {
    result: &'static str,
}

/// Where people log in, with POST.
const LOGIN: &str = "/api/v2/barong/identity/sessions";
const TOO_MANY: u16 = 429;

/// Seconds; a long poll takes up to 60.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 61.0];

impl Requests {
    pub fn new(registry: &mut Registry) -> Self {
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let new = Self { answered: Family::default(), durations, logins: Family::default() };
        registry.register("http_requests", "Requests that were answered", new.answered.clone());
        let help = "From a request to the head of its answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, new.durations.clone());
        registry.register("logins", "Attempts to log in by password", new.logins.clone());
        for result in ["ok", "refused", "throttled"] {
            // From the start, so that a first refusal is a change.
            drop(new.logins.get_or_create(&Login { result }));
        }
        new
    }

    pub fn count(&self, done: &Done) {
        let (route, method, status) = (done.route.clone(), done.method(), class(done.status));
        self.durations.get_or_create(&Route { route: route.clone() }).observe(done.took.as_secs_f64());
        if (route.as_str(), method) == (LOGIN, "POST") {
            self.logins.get_or_create(&Login { result: outcome(done.status) }).inc();
        }
        self.answered.get_or_create(&Answered { route, method, status }).inc();
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

fn outcome(status: u16) -> &'static str {
    match status {
        200..=299 => "ok",
        TOO_MANY => "throttled",
        _ => "refused",
    }
}
