//! What the filter needs from the proxy that runs it; Envoy is behind it in `proxy`, a fake in the tests.

use std::time::Duration;

/// The proxy refused or failed a call. Why does not matter: the caller answers each failure the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proxy refused the call")]
pub struct HostError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// A call to the server, until its answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallId(pub u32);

/// A metric that the proxy knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricId(pub u32);

/// Headers in the order received; names in lower case.
pub type Headers = Vec<(String, Vec<u8>)>;

pub trait Host {
    // === the request ===

    fn request_headers(&self) -> Result<Headers, HostError>;
    /// Removes every header of that name; none is fine.
    fn remove_request_header(&self, name: &str) -> Result<(), HostError>;
    /// Replaces every header of that name by one.
    fn set_request_header(&self, name: &str, value: &str) -> Result<(), HostError>;
    /// `ip:port` of the client as the proxy trusts it; an IPv6 address is in brackets.
    fn source_address(&self) -> Result<Option<Vec<u8>>, HostError>;
    /// What earlier filters say about the request: a serialized `envoy.config.core.v3.Metadata`.
    fn metadata(&self) -> Result<Option<Vec<u8>>, HostError>;
    /// Makes `value` readable in access logs as `%FILTER_STATE(wasm.NAME:PLAIN)%`.
    fn set_filter_state(&self, name: &str, value: &[u8]) -> Result<(), HostError>;
    /// Answers instead of the upstream.
    fn reply(&self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), HostError>;

    // === calls to the server ===

    /// Sends a request to a cluster of the proxy. After `Ok` the answer comes, or its failure.
    fn call(&self, cluster: &str, headers: &[(&str, &str)], timeout: Duration) -> Result<CallId, HostError>;
    fn answer_headers(&self) -> Result<Headers, HostError>;
    fn answer_body(&self, size_bytes: usize) -> Result<Vec<u8>, HostError>;

    // === the rest ===

    /// Time since the Unix epoch.
    fn now(&self) -> Result<Duration, HostError>;
    /// Ticks after `delay`, and again and again until told otherwise; `None` is never.
    fn tick_after(&self, delay: Option<Duration>) -> Result<(), HostError>;
    fn counter(&self, name: &str) -> Result<MetricId, HostError>;
    fn gauge(&self, name: &str) -> Result<MetricId, HostError>;
    /// Adds one to a counter.
    fn increment(&self, counter: MetricId) -> Result<(), HostError>;
    fn record(&self, gauge: MetricId, value: u64) -> Result<(), HostError>;
    fn log(&self, level: Level, message: &str);
}
