//! What the filter needs from the proxy that runs it; Envoy is behind it in `proxy`, a fake in the tests.

use std::time::Duration;

use crate::headers::Headers;

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

/// What the proxy knows about a request beside its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// `ip:port` of the client as the proxy trusts it; an IPv6 address is in brackets.
    SourceAddress,
    /// What earlier filters say about the request: a serialized `envoy.config.core.v3.Metadata`.
    Metadata,
    /// What the configuration says about the route, in the same form.
    RouteMetadata,
    /// First URI among the subject alternative names of the client's certificate.
    PeerUri,
    /// First DNS name among them.
    PeerDns,
}

/// The number of a value in the shared data; it changes with each write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cas(pub u32);

/// A request to a cluster of the proxy.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub cluster: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: Option<&'a [u8]>,
    pub timeout: Duration,
}

pub trait Host {
    // === the request ===

    fn request_headers(&self) -> Result<Headers, HostError>;
    /// Removes every header of that name; none is fine.
    fn remove_request_header(&self, name: &str) -> Result<(), HostError>;
    /// Replaces every header of that name by one.
    fn set_request_header(&self, name: &str, value: &str) -> Result<(), HostError>;
    /// The same in the response.
    fn set_response_header(&self, name: &str, value: &str) -> Result<(), HostError>;
    fn property(&self, property: Property) -> Result<Option<Vec<u8>>, HostError>;
    /// Makes `value` readable in access logs as `%FILTER_STATE(wasm.NAME:PLAIN)%`.
    fn set_filter_state(&self, name: &str, value: &[u8]) -> Result<(), HostError>;
    /// Answers instead of the upstream.
    fn reply(&self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), HostError>;
    /// Lets a paused request go on.
    fn resume(&self) -> Result<(), HostError>;

    /// What came of the body; `size_bytes` as the proxy told it.
    fn request_body(&self, size_bytes: usize) -> Result<Vec<u8>, HostError>;
    /// Replaces a body of that size.
    fn replace_request_body(&self, size_bytes: usize, body: &[u8]) -> Result<(), HostError>;

    // === calls to the server ===

    /// After `Ok` the answer comes, or its failure.
    fn call(&self, call: &Call<'_>) -> Result<CallId, HostError>;
    fn answer_headers(&self) -> Result<Headers, HostError>;
    fn answer_body(&self, size_bytes: usize) -> Result<Vec<u8>, HostError>;

    // === what the workers share ===

    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, Cas)>, HostError>;
    /// False when the value is not the one of `cas` any more; without `cas` whatever is there is replaced.
    fn set_shared(&self, key: &str, value: &[u8], cas: Option<Cas>) -> Result<bool, HostError>;

    // === the rest ===

    /// Calls a function that the proxy registered by name.
    fn foreign(&self, function: &str, argument: &[u8]) -> Result<Vec<u8>, HostError>;
    /// Time since the Unix epoch.
    fn now(&self) -> Result<Duration, HostError>;
    /// Ticks after `delay`, and again and again until told otherwise.
    fn tick_every(&self, period: Duration) -> Result<(), HostError>;
    fn counter(&self, name: &str) -> Result<MetricId, HostError>;
    fn gauge(&self, name: &str) -> Result<MetricId, HostError>;
    fn add(&self, counter: MetricId, value: u32) -> Result<(), HostError>;
    fn record(&self, gauge: MetricId, value: u64) -> Result<(), HostError>;
    fn log(&self, level: Level, message: &str);
}
