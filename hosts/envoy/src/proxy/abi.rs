//! The host calls of proxy-wasm 0.2.1 that the filter makes, and the memory that comes back. All `unsafe` of the filter.
//!
//! In: borrowed bytes. Out: owned bytes, or that the proxy refused. A status is a number of the proxy's choice: it is
//! compared, never taken for an enumeration. Never: a panic, whatever the proxy answers.

use std::alloc::{Layout, alloc};
use std::ptr::{NonNull, null_mut};

use crate::host::HostError;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, text: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_get_buffer_bytes(kind: u32, start: usize, most: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_buffer_bytes(kind: u32, start: usize, size: usize, data: *const u8, data_size: usize) -> u32;
    fn proxy_get_header_map_pairs(kind: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        kind: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(kind: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32) -> u32;
    fn proxy_continue_stream(kind: u32) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout_ms: u32,
        call: *mut u32,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, metric: *mut u32) -> u32;
    fn proxy_increment_metric(metric: u32, offset: i64) -> u32;
    fn proxy_record_metric(metric: u32, value: u64) -> u32;
}

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const CAS_MISMATCH: u32 = 8;

const REQUEST: u32 = 0;
/// No status of gRPC: the reply is one of plain HTTP.
const NO_GRPC: i32 = -1;

#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Buffer {
    RequestBody = 0,
    CallBody = 4,
    Configuration = 7,
}

#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Map {
    RequestHeaders = 0,
    ResponseHeaders = 2,
    CallHeaders = 6,
}

#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Metric {
    Counter = 0,
    Gauge = 1,
}

#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum LogLevel {
    Info = 2,
    Warn = 3,
    Error = 4,
}

/// Where the proxy puts what it gives back by one of the calls above. The filter owns it from then on.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        // SAFETY: the layout is not empty.
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        Ok(_) => NonNull::dangling().as_ptr(),
        Err(_) => null_mut(),
    }
}

/// Bytes on their way from the proxy.
struct Given {
    data: *mut u8,
    size: usize,
}

impl Given {
    const fn nothing() -> Self {
        Self { data: null_mut(), size: 0 }
    }

    fn bytes(self) -> Vec<u8> {
        if self.data.is_null() || self.size == 0 {
            return Vec::new();
        }
        // SAFETY: the proxy got the memory from `proxy_on_memory_allocate` with this size, and gives it once.
        unsafe { Vec::from_raw_parts(self.data, self.size, self.size) }
    }
}

fn done(status: u32) -> Result<(), HostError> {
    if status == OK { Ok(()) } else { Err(HostError) }
}

/// `None` when the proxy has no such thing.
fn found(status: u32, given: Given) -> Result<Option<Vec<u8>>, HostError> {
    match status {
        OK => Ok(Some(given.bytes())),
        NOT_FOUND => Ok(None),
        _ => Err(HostError),
    }
}

// SAFETY of every call below: slices are alive for its length, and each pointer to write to is that of a local variable.

pub(super) fn log(level: LogLevel, text: &str) -> Result<(), HostError> {
    done(unsafe { proxy_log(level as u32, text.as_ptr(), text.len()) })
}

/// Nanoseconds since the epoch.
pub(super) fn now() -> Result<u64, HostError> {
    let mut time = 0;
    done(unsafe { proxy_get_current_time_nanoseconds(&mut time) })?;
    Ok(time)
}

pub(super) fn tick_every(period_ms: u32) -> Result<(), HostError> {
    done(unsafe { proxy_set_tick_period_milliseconds(period_ms) })
}

/// What is done from now on until the callback returns is done for that context.
pub(super) fn act_for(context: u32) -> Result<(), HostError> {
    done(unsafe { proxy_set_effective_context(context) })
}

/// Its first `size` bytes.
pub(super) fn buffer(kind: Buffer, size: usize) -> Result<Option<Vec<u8>>, HostError> {
    let mut given = Given::nothing();
    let status = unsafe { proxy_get_buffer_bytes(kind as u32, 0, size, &mut given.data, &mut given.size) };
    found(status, given)
}

/// Puts `bytes` in the place of its first `size`.
pub(super) fn set_buffer(kind: Buffer, size: usize, bytes: &[u8]) -> Result<(), HostError> {
    done(unsafe { proxy_set_buffer_bytes(kind as u32, 0, size, bytes.as_ptr(), bytes.len()) })
}

/// In the form of `crate::pairs`.
pub(super) fn map(kind: Map) -> Result<Vec<u8>, HostError> {
    let mut given = Given::nothing();
    done(unsafe { proxy_get_header_map_pairs(kind as u32, &mut given.data, &mut given.size) })?;
    Ok(given.bytes())
}

pub(super) fn set_header(kind: Map, name: &str, value: &str) -> Result<(), HostError> {
    let (name, value) = (name.as_bytes(), value.as_bytes());
    done(unsafe { proxy_replace_header_map_value(kind as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

pub(super) fn remove_header(kind: Map, name: &str) -> Result<(), HostError> {
    done(unsafe { proxy_remove_header_map_value(kind as u32, name.as_ptr(), name.len()) })
}

/// Its path has a NUL between its parts.
pub(super) fn property(path: &str) -> Result<Option<Vec<u8>>, HostError> {
    let mut given = Given::nothing();
    let status = unsafe { proxy_get_property(path.as_ptr(), path.len(), &mut given.data, &mut given.size) };
    found(status, given)
}

pub(super) fn set_property(path: &str, value: &[u8]) -> Result<(), HostError> {
    done(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

pub(super) fn shared(key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
    let (mut given, mut cas) = (Given::nothing(), 0);
    let status = unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), &mut given.data, &mut given.size, &mut cas) };
    Ok(found(status, given)?.map(|bytes| (bytes, cas)))
}

/// False when the value is another one by now; `cas` 0 does not ask.
pub(super) fn set_shared(key: &str, value: &[u8], cas: u32) -> Result<bool, HostError> {
    match unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) } {
        CAS_MISMATCH => Ok(false),
        status => done(status).map(|()| true),
    }
}

pub(super) fn resume_request() -> Result<(), HostError> {
    done(unsafe { proxy_continue_stream(REQUEST) })
}

/// Headers in the form of `crate::pairs`.
pub(super) fn reply(status: u16, headers: &[u8], body: &[u8]) -> Result<(), HostError> {
    let (details, status) = (b"", u32::from(status));
    done(unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC,
        )
    })
}

/// Headers in the form of `crate::pairs`; the answer is the number of the call.
pub(super) fn call(cluster: &str, headers: &[u8], body: &[u8], timeout_ms: u32) -> Result<u32, HostError> {
    let (mut call, trailers) = (0, crate::pairs::encode::<&str>(&[]));
    done(unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            trailers.as_ptr(),
            trailers.len(),
            timeout_ms,
            &mut call,
        )
    })?;
    Ok(call)
}

pub(super) fn foreign(name: &str, argument: &[u8]) -> Result<Vec<u8>, HostError> {
    let mut given = Given::nothing();
    done(unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            &mut given.data,
            &mut given.size,
        )
    })?;
    Ok(given.bytes())
}

pub(super) fn define(kind: Metric, name: &str) -> Result<u32, HostError> {
    let mut metric = 0;
    done(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &mut metric) })?;
    Ok(metric)
}

pub(super) fn increment(metric: u32, offset: u32) -> Result<(), HostError> {
    done(unsafe { proxy_increment_metric(metric, i64::from(offset)) })
}

pub(super) fn record(metric: u32, value: u64) -> Result<(), HostError> {
    done(unsafe { proxy_record_metric(metric, value) })
}
