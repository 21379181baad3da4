//! The callbacks of proxy-wasm 0.2.1, and the contexts that the proxy names in them.
//!
//! Callbacks that are not here are those the filter has nothing to say to; the proxy goes on without them.

use std::cell::{Cell, RefCell};

use super::Envoy;
use super::abi::{self, Buffer, LogLevel};
use crate::host::CallId;
use crate::http::{
    Edge, Flow, Stream, on_answer, on_body, on_request, on_request_unconfigured, on_response, on_trailers,
};
use crate::root::{Root, SharedEdge};

/// What the proxy does next, by the kind of callback.
mod action {
    pub(super) const CONTINUE: u32 = 0;
    /// Headers wait, and the body is shown (`allow_on_headers_stop_iteration`).
    pub(super) const HEADERS_WAIT: u32 = 1;
    /// Nothing more is shown, and the client is slowed down.
    pub(super) const ALL_WAITS: u32 = 4;
    pub(super) const BODY_IS_KEPT: u32 = 1;
    pub(super) const BODY_IS_DROPPED: u32 = 3;
    pub(super) const TRAILERS_WAIT: u32 = 1;
}

struct Context {
    id: u32,
    kind: Kind,
}

enum Kind {
    Plugin(Root),
    Request(Box<Request>),
}

struct Request {
    edge: Option<SharedEdge>,
    stream: Stream,
    passed: bool,
}

thread_local! {
    /// By ascending id.
    static CONTEXTS: RefCell<Vec<Context>> = const { RefCell::new(Vec::new()) };
    /// The request whose callback runs; 0 when it is the plugin's.
    static ACTIVE: Cell<u32> = const { Cell::new(0) };
    /// Calls of requests whose answers did not come yet: number, then request. The proxy names the plugin with each answer.
    static CALLS: RefCell<Vec<(u32, u32)>> = const { RefCell::new(Vec::new()) };
}

/// Remembers whose call it is.
pub(super) fn called(call: u32) {
    let request = ACTIVE.get();
    if request != 0 {
        with_calls(|calls| calls.push((call, request)));
    }
}

fn with_calls<T>(run: impl FnOnce(&mut Vec<(u32, u32)>) -> T) -> Option<T> {
    CALLS.with(|calls| Some(run(&mut *calls.try_borrow_mut().ok()?)))
}

/// The request that made the call.
fn caller(call: u32) -> Option<u32> {
    with_calls(|calls| {
        let index = calls.iter().position(|(known, _)| *known == call)?;
        Some(calls.swap_remove(index).1)
    })?
}

/// `None` for a context that is not there, and while another callback runs.
fn with<T>(run: impl FnOnce(&mut Vec<Context>) -> Option<T>) -> Option<T> {
    CONTEXTS.with(|contexts| run(&mut *contexts.try_borrow_mut().ok()?))
}

fn with_context<T>(id: u32, run: impl FnOnce(&mut Kind) -> Option<T>) -> Option<T> {
    with(|contexts| {
        let index = contexts.binary_search_by_key(&id, |context| context.id).ok()?;
        run(&mut contexts.get_mut(index)?.kind)
    })
}

fn with_root<T>(id: u32, run: impl FnOnce(&mut Root) -> T) -> Option<T> {
    with_context(id, |kind| match kind {
        Kind::Plugin(root) => Some(run(root)),
        Kind::Request(_) => None,
    })
}

fn with_request<T>(id: u32, run: impl FnOnce(&mut Request) -> T) -> Option<T> {
    with_context(id, |kind| match kind {
        Kind::Request(request) => Some(run(request)),
        Kind::Plugin(_) => None,
    })
}

/// What the callback of a request says of it, unless it went on before.
fn act(id: u32, callback: impl FnOnce(&mut Edge, &mut Stream) -> Flow) -> Flow {
    ACTIVE.set(id);
    let flow = with_request(id, |Request { edge, stream, passed }| {
        if *passed {
            return Flow::Continue;
        }
        let flow = match edge.as_ref().and_then(|edge| edge.try_borrow_mut().ok()) {
            Some(mut edge) => callback(&mut edge, stream),
            None => on_request_unconfigured(&Envoy),
        };
        *passed = flow == Flow::Continue;
        flow
    });
    ACTIVE.set(0);
    flow.unwrap_or_else(|| on_request_unconfigured(&Envoy))
}

// === the plugin ===

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_context: u32, _configuration_size: usize) -> u32 {
    // A panic is a trap, and the proxy would say no more of it than that.
    std::panic::set_hook(Box::new(|panic| {
        let _ = abi::log(LogLevel::Error, &panic.to_string());
    }));
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(id: u32, plugin: u32) {
    let kind = match plugin {
        0 => Kind::Plugin(Root::default()),
        _ => {
            let edge = with_root(plugin, |root| root.edge()).flatten();
            Kind::Request(Box::new(Request { edge, stream: Stream::default(), passed: false }))
        }
    };
    with(|contexts| {
        if let Err(index) = contexts.binary_search_by_key(&id, |context| context.id) {
            contexts.insert(index, Context { id, kind });
        }
        Some(())
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(id: u32, size: usize) -> u32 {
    let json = abi::buffer(Buffer::Configuration, size).ok().flatten().unwrap_or_default();
    with_root(id, |root| root.on_configure(&Envoy, &json)).unwrap_or(false).into()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(id: u32) {
    with_root(id, |root| root.on_tick(&Envoy));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(id: u32, call: u32, headers: usize, body_bytes: usize, _trailers: usize) {
    let number = CallId(call);
    let Some(request) = caller(call) else {
        with_root(id, |root| root.on_answer(&Envoy, number, headers, body_bytes));
        return;
    };
    if abi::act_for(request).is_ok() {
        act(request, |edge, stream| on_answer(&Envoy, edge, stream, number, headers, body_bytes));
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(id: u32) {
    with_calls(|calls| calls.retain(|(_, request)| *request != id));
    with(|contexts| {
        let index = contexts.binary_search_by_key(&id, |context| context.id).ok()?;
        Some(contexts.remove(index))
    });
}

// === requests ===

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _headers: usize, has_ended: u32) -> u32 {
    match act(id, |edge, stream| on_request(&Envoy, edge, stream, has_ended != 0)) {
        Flow::Continue => action::CONTINUE,
        Flow::Hold => action::HEADERS_WAIT,
        Flow::Wait | Flow::Stop => action::ALL_WAITS,
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(id: u32, size: usize, has_ended: u32) -> u32 {
    match act(id, |edge, stream| on_body(&Envoy, edge, stream, size, has_ended != 0)) {
        Flow::Continue => action::CONTINUE,
        Flow::Hold | Flow::Wait => action::BODY_IS_KEPT,
        Flow::Stop => action::BODY_IS_DROPPED,
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(id: u32, _trailers: usize) -> u32 {
    match act(id, |edge, stream| on_trailers(&Envoy, edge, stream)) {
        Flow::Continue => action::CONTINUE,
        Flow::Hold | Flow::Wait | Flow::Stop => action::TRAILERS_WAIT,
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(id: u32, _headers: usize, _has_ended: u32) -> u32 {
    with_request(id, |Request { edge, stream, .. }| {
        if let Some(edge) = edge.as_ref().and_then(|edge| edge.try_borrow().ok()) {
            on_response(&Envoy, &edge, stream);
        }
    });
    action::CONTINUE
}
