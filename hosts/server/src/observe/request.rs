//! Around everything: each request has an id and, when it is traced, a span; when it is answered it is one line
//! in the log and one more in the metrics.

mod id;

use std::borrow::Cow;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::{HeaderName, Method};
use axum::response::Response;
use tracing::Level;

use crate::app::App;
use crate::authn::Caller;
use crate::dialects::is_question;
use crate::observe::traces::span::{Kind, Span, Trace};

pub use crate::observe::request::id::RequestId;

/// What is known of the request that this task works on.
struct Current {
    id: RequestId,
    /// `user/ID`, `edge/NAME` and the like; nobody yet while it is empty.
    caller: OnceLock<String>,
    trace: Option<Trace>,
}

tokio::task_local! {
    static CURRENT: Arc<Current>;
}

/// Of proxies on the way here, and in the answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Of the lines about requests.
const TARGET: &str = "portcullis::request";

/// What a path without a route is called.
const NO_ROUTE: &str = "none";

pub async fn watch<A: Future<Output = Response>>(
    app: &App,
    mut request: Request,
    answer: impl FnOnce(Request) -> A,
) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    // What a stranger says about a request of its own is no name for it.
    let told = peer.filter(|&peer| app.proxies.trusts(peer)).map(|_| request.headers());
    let trace = app.tracer.as_ref().and_then(|tracer| tracer.trace(told));
    let id = RequestId::new(told);
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    let (method, is_question) = (request.method().clone(), is_question(request.uri().path()));
    request.extensions_mut().insert(id.clone());
    let current = Arc::new(Current { id, caller: OnceLock::new(), trace });
    let mut response = CURRENT.scope(Arc::clone(&current), answer(request)).await;
    response.headers_mut().entry(REQUEST_ID).or_insert_with(|| current.id.header());
    let done = Done { route, method, is_question, status: response.status().as_u16(), took: started.elapsed() };
    app.metrics.requests.count(&done);
    CURRENT.sync_scope(Arc::clone(&current), || done.log(current.caller.get(), peer));
    if let Some(trace) = &current.trace {
        trace.end(done.span(current.caller.get()));
    }
    response
}

/// A request that was answered.
pub struct Done {
    /// As it stands in the router.
    pub route: String,
    pub method: Method,
    /// Asked by a proxy about a request of its client, one for each.
    pub is_question: bool,
    pub status: u16,
    /// To the head of the answer.
    pub took: Duration,
}

impl Done {
    /// Methods that are not those of RFC 9110 are one, so that clients cannot invent labels.
    pub fn method(&self) -> &'static str {
        const KNOWN: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
        KNOWN.into_iter().find(|known| *known == self.method.as_str()).unwrap_or("other")
    }

    /// Proxies ask as often as their clients, and have logs of their own: their questions are lines for whoever looks for one.
    fn log(&self, caller: Option<&String>, peer: Option<IpAddr>) {
        let is_expected = self.is_question && self.status < 500;
        if is_expected && !tracing::enabled!(target: TARGET, Level::DEBUG) {
            return;
        }
        tracing::event!(
            target: TARGET,
            Level::INFO,
            request.method = self.method(),
            request.route = self.route,
            response.status = self.status,
            duration_us = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            caller.id = caller.map_or("", String::as_str),
            peer.address = peer.map(|peer| peer.to_string()).unwrap_or_default(),
            "a request was answered"
        );
    }

    fn span(&self, caller: Option<&String>) -> Span {
        let mut span = Span::new(Kind::Server, format!("{} {}", self.method(), self.route));
        span.is_failure = self.status >= 500;
        span.add("http.request.method", self.method());
        span.add("http.route", self.route.clone());
        span.add("http.response.status_code", u64::from(self.status));
        if let Some(caller) = caller {
            span.add("enduser.id", caller.clone());
        }
        span
    }
}

/// Says who calls.
pub fn called_by(caller: &Caller) {
    let name: Cow<'_, str> = match caller {
        Caller::User(user) => format!("user/{}", user.id).into(),
        Caller::Edge(edge) => format!("edge/{}", edge.name).into(),
        other => other.id().into(),
    };
    // Outside of a request there is nobody to tell.
    let _ = CURRENT.try_with(|current| current.caller.set(name.into_owned()));
}

/// Of the request that this task works on.
pub fn current_id() -> Option<RequestId> {
    CURRENT.try_with(|current| current.id.clone()).ok()
}

/// Runs `work` as a part of the request, with a span of its own when the request is traced.
pub async fn part<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let part = begin(name);
    let done = work.await;
    end(part);
    done
}

/// The same for work that does not wait.
pub fn sync_part<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let part = begin(name);
    let done = work();
    end(part);
    done
}

type Part = Option<(Arc<Current>, Span)>;

fn begin(name: &'static str) -> Part {
    let current = CURRENT.try_with(Arc::clone).ok().filter(|current| current.trace.is_some());
    current.map(|current| (current, Span::new(Kind::Internal, name.to_owned())))
}

fn end(part: Part) {
    if let Some((current, span)) = part
        && let Some(trace) = &current.trace
    {
        trace.part(span);
    }
}
