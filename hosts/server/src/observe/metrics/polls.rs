//! Long polls that are waiting right now.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub struct Polls(Family<Endpoint, Gauge>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    endpoint: &'static str,
}

/// What is waited for.
#[derive(Clone, Copy)]
pub enum Poll {
    Bundle,
    Candidate,
    Revocations,
}

/// One that waits until this is dropped, also when its caller leaves.
pub struct Waiting(Gauge);

impl Polls {
    pub fn new(registry: &mut Registry) -> Self {
        let family = Family::default();
        registry.register("long_polls", "Long polls that wait", family.clone());
        let polls = Self(family);
        for poll in [Poll::Bundle, Poll::Candidate, Poll::Revocations] {
            polls.gauge(poll);
        }
        polls
    }

    pub fn begin(&self, poll: Poll) -> Waiting {
        let gauge = self.gauge(poll);
        gauge.inc();
        Waiting(gauge)
    }

    fn gauge(&self, poll: Poll) -> Gauge {
        let endpoint = match poll {
            Poll::Bundle => "bundle",
            Poll::Candidate => "candidate",
            Poll::Revocations => "revocations",
        };
        self.0.get_or_create_owned(&Endpoint { endpoint })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}
