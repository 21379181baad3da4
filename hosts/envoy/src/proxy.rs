//! Envoy behind `Host`. Only this module and its parts are not tested natively.

mod abi;
mod callbacks;

use std::time::Duration;

use abi::{Buffer, LogLevel, Map, Metric};

use crate::headers::Headers;
use crate::host::{Call, CallId, Cas, Host, HostError, Level, MetricId, Property};
use crate::pairs;

struct Envoy;

impl Host for Envoy {
    fn request_headers(&self) -> Result<Headers, HostError> {
        pairs::decode(abi::map(Map::RequestHeaders)?)
    }

    fn remove_request_header(&self, name: &str) -> Result<(), HostError> {
        abi::remove_header(Map::RequestHeaders, name)
    }

    fn set_request_header(&self, name: &str, value: &str) -> Result<(), HostError> {
        abi::set_header(Map::RequestHeaders, name, value)
    }

    fn set_response_header(&self, name: &str, value: &str) -> Result<(), HostError> {
        abi::set_header(Map::ResponseHeaders, name, value)
    }

    fn property(&self, property: Property) -> Result<Option<Vec<u8>>, HostError> {
        abi::property(match property {
            Property::SourceAddress => "source\0address",
            Property::Metadata => "metadata",
            Property::RouteMetadata => "xds\0route_metadata",
            Property::PeerUri => "connection\0uri_san_peer_certificate",
            Property::PeerDns => "connection\0dns_san_peer_certificate",
        })
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) -> Result<(), HostError> {
        abi::set_property(name, value)
    }

    fn reply(&self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), HostError> {
        abi::reply(status, &pairs::encode(headers), body)
    }

    fn resume(&self) -> Result<(), HostError> {
        abi::resume_request()
    }

    fn request_body(&self, size_bytes: usize) -> Result<Vec<u8>, HostError> {
        abi::buffer(Buffer::RequestBody, size_bytes)?.ok_or(HostError)
    }

    fn replace_request_body(&self, size_bytes: usize, body: &[u8]) -> Result<(), HostError> {
        abi::set_buffer(Buffer::RequestBody, size_bytes, body)
    }

    fn call(&self, call: &Call<'_>) -> Result<CallId, HostError> {
        let Call { cluster, headers, body, timeout } = *call;
        let timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        let call = abi::call(cluster, &pairs::encode(headers), body.unwrap_or_default(), timeout_ms)?;
        callbacks::called(call);
        Ok(CallId(call))
    }

    fn answer_headers(&self) -> Result<Headers, HostError> {
        pairs::decode(abi::map(Map::CallHeaders)?)
    }

    fn answer_body(&self, size_bytes: usize) -> Result<Vec<u8>, HostError> {
        abi::buffer(Buffer::CallBody, size_bytes)?.ok_or(HostError)
    }

    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, Cas)>, HostError> {
        Ok(abi::shared(key)?.map(|(value, cas)| (value, Cas(cas))))
    }

    fn set_shared(&self, key: &str, value: &[u8], cas: Option<Cas>) -> Result<bool, HostError> {
        abi::set_shared(key, value, cas.map_or(0, |Cas(number)| number))
    }

    fn foreign(&self, function: &str, argument: &[u8]) -> Result<Vec<u8>, HostError> {
        abi::foreign(function, argument)
    }

    fn now(&self) -> Result<Duration, HostError> {
        abi::now().map(Duration::from_nanos)
    }

    fn tick_every(&self, period: Duration) -> Result<(), HostError> {
        abi::tick_every(u32::try_from(period.as_millis()).unwrap_or(u32::MAX))
    }

    fn counter(&self, name: &str) -> Result<MetricId, HostError> {
        abi::define(Metric::Counter, name).map(MetricId)
    }

    fn gauge(&self, name: &str) -> Result<MetricId, HostError> {
        abi::define(Metric::Gauge, name).map(MetricId)
    }

    fn add(&self, counter: MetricId, value: u32) -> Result<(), HostError> {
        abi::increment(counter.0, value)
    }

    fn record(&self, gauge: MetricId, value: u64) -> Result<(), HostError> {
        abi::record(gauge.0, value)
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        // Nobody is left to be told.
        let _ = abi::log(level, message);
    }
}
