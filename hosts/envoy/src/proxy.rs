//! Envoy behind `Host`, and the callbacks of proxy-wasm 0.2.1 behind `Root` and `http`. The only file that knows the SDK.
//!
//! Of the SDK only `hostcalls` in their `_bytes` forms: its other getters panic on bytes that are not UTF-8, and its
//! trait methods on any failure. A panic is a trap, and a trap ends the VM of the worker.

use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel, MapType, MetricType, Status};

use crate::host::{Call, CallId, Cas, Headers, Host, HostError, Level, MetricId, Property};
use crate::http::{Flow, Stream, on_answer, on_request, on_request_unconfigured, on_response};
use crate::root::{Root, SharedEdge};

proxy_wasm::main! {{
    // Also installs the hook that logs a panic before the trap.
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::<PluginContext>::default());
}}

#[derive(Default)]
struct PluginContext(Root);

impl Context for PluginContext {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_bytes: usize, _trailers: usize) {
        self.0.on_answer(&Envoy, CallId(token), headers, body_bytes);
    }
}

impl RootContext for PluginContext {
    fn on_configure(&mut self, size_bytes: usize) -> bool {
        let json = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size_bytes);
        self.0.on_configure(&Envoy, &json.ok().flatten().unwrap_or_default())
    }

    fn on_tick(&mut self) {
        self.0.on_tick(&Envoy);
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(RequestContext { edge: self.0.edge(), stream: Stream::default(), passed: false }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct RequestContext {
    edge: Option<SharedEdge>,
    stream: Stream,
    passed: bool,
}

impl RequestContext {
    /// What comes after the headers goes on only when they did.
    fn action(&self) -> Action {
        if self.passed { Action::Continue } else { Action::Pause }
    }
}

impl Context for RequestContext {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_bytes: usize, _trailers: usize) {
        let Self { edge, stream, passed } = self;
        let flow = match edge.as_ref().and_then(|edge| edge.try_borrow_mut().ok()) {
            Some(mut edge) => on_answer(&Envoy, &mut edge, stream, CallId(token), headers, body_bytes),
            None => on_request_unconfigured(&Envoy),
        };
        *passed = *passed || flow == Flow::Continue;
    }
}

impl HttpContext for RequestContext {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        let Self { edge, stream, passed } = self;
        let flow = match edge.as_ref().and_then(|edge| edge.try_borrow_mut().ok()) {
            Some(mut edge) => on_request(&Envoy, &mut edge, stream),
            None => on_request_unconfigured(&Envoy),
        };
        *passed = flow == Flow::Continue;
        self.action()
    }

    fn on_http_request_body(&mut self, _size_bytes: usize, _end_of_stream: bool) -> Action {
        self.action()
    }

    fn on_http_request_trailers(&mut self, _trailers: usize) -> Action {
        self.action()
    }

    fn on_http_response_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        if let Some(edge) = self.edge.as_ref().and_then(|edge| edge.try_borrow().ok()) {
            on_response(&Envoy, &edge, &self.stream);
        }
        Action::Continue
    }
}

struct Envoy;

/// Whatever Envoy says went wrong, it went wrong.
fn refused<E>(_status: E) -> HostError {
    HostError
}

impl Host for Envoy {
    fn request_headers(&self) -> Result<Headers, HostError> {
        hostcalls::get_map_bytes(MapType::HttpRequestHeaders).map_err(refused)
    }

    fn remove_request_header(&self, name: &str) -> Result<(), HostError> {
        hostcalls::remove_map_value(MapType::HttpRequestHeaders, name).map_err(refused)
    }

    fn set_request_header(&self, name: &str, value: &str) -> Result<(), HostError> {
        hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, Some(value.as_bytes())).map_err(refused)
    }

    fn set_response_header(&self, name: &str, value: &str) -> Result<(), HostError> {
        hostcalls::set_map_value_bytes(MapType::HttpResponseHeaders, name, Some(value.as_bytes())).map_err(refused)
    }

    fn property(&self, property: Property) -> Result<Option<Vec<u8>>, HostError> {
        let path = match property {
            Property::SourceAddress => vec!["source", "address"],
            Property::Metadata => vec!["metadata"],
            Property::RouteMetadata => vec!["xds", "route_metadata"],
            Property::PeerUri => vec!["connection", "uri_san_peer_certificate"],
            Property::PeerDns => vec!["connection", "dns_san_peer_certificate"],
        };
        hostcalls::get_property(path).map_err(refused)
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) -> Result<(), HostError> {
        hostcalls::set_property(vec![name], Some(value)).map_err(refused)
    }

    fn reply(&self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), HostError> {
        hostcalls::send_http_response(u32::from(status), headers.to_vec(), Some(body)).map_err(refused)
    }

    fn resume(&self) -> Result<(), HostError> {
        hostcalls::resume_http_request().map_err(refused)
    }

    fn call(&self, call: &Call<'_>) -> Result<CallId, HostError> {
        let Call { cluster, headers, body, timeout } = *call;
        let called = hostcalls::dispatch_http_call(cluster, headers.to_vec(), body, Vec::new(), timeout);
        called.map(CallId).map_err(refused)
    }

    fn answer_headers(&self) -> Result<Headers, HostError> {
        hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).map_err(refused)
    }

    fn answer_body(&self, size_bytes: usize) -> Result<Vec<u8>, HostError> {
        hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size_bytes).map_err(refused)?.ok_or(HostError)
    }

    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, Cas)>, HostError> {
        let (value, cas) = hostcalls::get_shared_data(key).map_err(refused)?;
        Ok(value.zip(cas.map(Cas)))
    }

    fn set_shared(&self, key: &str, value: &[u8], cas: Option<Cas>) -> Result<bool, HostError> {
        match hostcalls::set_shared_data(key, Some(value), cas.map(|Cas(number)| number)) {
            Ok(()) => Ok(true),
            Err(Status::CasMismatch) => Ok(false),
            Err(_) => Err(HostError),
        }
    }

    fn foreign(&self, function: &str, argument: &[u8]) -> Result<Vec<u8>, HostError> {
        hostcalls::call_foreign_function(function, Some(argument)).map(Option::unwrap_or_default).map_err(refused)
    }

    fn now(&self) -> Result<Duration, HostError> {
        hostcalls::get_current_time().map_err(refused)?.duration_since(UNIX_EPOCH).map_err(refused)
    }

    fn tick_every(&self, period: Duration) -> Result<(), HostError> {
        hostcalls::set_tick_period(period).map_err(refused)
    }

    fn counter(&self, name: &str) -> Result<MetricId, HostError> {
        hostcalls::define_metric(MetricType::Counter, name).map(MetricId).map_err(refused)
    }

    fn gauge(&self, name: &str) -> Result<MetricId, HostError> {
        hostcalls::define_metric(MetricType::Gauge, name).map(MetricId).map_err(refused)
    }

    fn add(&self, counter: MetricId, value: u32) -> Result<(), HostError> {
        hostcalls::increment_metric(counter.0, i64::from(value)).map_err(refused)
    }

    fn record(&self, gauge: MetricId, value: u64) -> Result<(), HostError> {
        hostcalls::record_metric(gauge.0, value).map_err(refused)
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        // Nobody is left to be told.
        let _ = hostcalls::log(level, message);
    }
}
