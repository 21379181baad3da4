//! What the guest sees and changes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::abi::Pairs;

/// A request, as the proxy knows it when the filter is asked.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub headers: Pairs,
    /// By path, its parts joined by dots: `source.address`.
    pub properties: BTreeMap<String, Vec<u8>>,
    /// Since the Unix epoch.
    pub now: Duration,
}

/// What became of a request.
#[derive(Debug, Default)]
pub struct Exchange {
    /// Whether the filter lets the request go on.
    pub passed: bool,
    /// As the upstream would get them.
    pub headers: Pairs,
    pub reply: Option<Reply>,
    pub filter_state: BTreeMap<String, Vec<u8>>,
    pub(super) properties: BTreeMap<String, Vec<u8>>,
}

/// An answer of the filter instead of the upstream's.
#[derive(Debug)]
pub struct Reply {
    pub status: u32,
    pub headers: Pairs,
    pub body: Vec<u8>,
}

/// A request of the filter itself.
#[derive(Clone, Debug)]
pub struct Call {
    pub cluster: String,
    pub headers: Pairs,
}

/// The answer to a call; without headers it was reset or took too long.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub headers: Pairs,
    pub body: Vec<u8>,
}

#[derive(Default)]
pub(super) struct State {
    pub now: Duration,
    pub configuration: Vec<u8>,
    /// In milliseconds; 0 is never.
    pub tick_period: u32,
    /// While the filter is asked about it.
    pub exchange: Option<Exchange>,
    /// In flight, by token.
    pub calls: BTreeMap<u32, Call>,
    pub last_token: u32,
    /// While the filter is told about it.
    pub answer: Option<Answer>,
    /// What workers share: value and number of the write.
    pub shared: BTreeMap<String, (Vec<u8>, u32)>,
    /// Name and value; the id is the index.
    pub metrics: Vec<(String, u64)>,
    /// What the filter said since the last event began.
    pub log: Vec<String>,
}

impl Exchange {
    pub(super) fn new(headers: Pairs, properties: BTreeMap<String, Vec<u8>>) -> Self {
        Self { headers, properties, ..Self::default() }
    }

    /// The values of all headers of that name.
    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        self.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| &**value).collect()
    }
}
