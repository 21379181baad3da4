//! Gets bundles from the server: one call at a time, each waits at the server until something changes.
//!
//! In: ticks and answers. Out: a newer policy in the edge, or the old one and a counted failure. Never: a step back to
//! an older revision, a bundle of another tenant or another signer, a call in a tight loop.

use std::rc::Rc;
use std::time::Duration;

use portcullis_core::{Admission, OpenError, Policy};

use crate::config::Config;
use crate::host::{CallId, Headers, Host, HostError, Level};
use crate::http::Edge;

/// How long the server may hold a call when nothing changes.
const WAIT_SECONDS: u32 = 25;
/// For the whole call, so longer than the wait.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Between the starts of two calls when the first brought nothing new.
const SPACING: Duration = Duration::from_millis(250);
/// The same, after many failures.
const MAX_SPACING: Duration = Duration::from_secs(5);

/// Why there is no newer policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("cluster `{cluster}` cannot be called")]
    Dispatch { cluster: String },
    #[error("server did not answer, or its answer was too large for `http.async_response_buffer_limit`")]
    NoAnswer,
    #[error("server answered with status {0}")]
    Status(String),
    #[error("server answered without a bundle")]
    Empty,
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("no clock to tell whether the bundle has expired")]
    NoClock,
}

/// What a good answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Swapped,
    Unchanged,
}

#[derive(Default)]
pub struct Fetcher {
    /// Of the policy in use.
    etag: Option<String>,
    /// The call in flight, and when it started.
    in_flight: Option<(CallId, Duration)>,
    failures: u32,
    /// The failure that was logged last, until a call succeeds.
    trouble: Option<FetchError>,
}

impl Fetcher {
    /// Calls the server, unless a call is in flight. On failure: how long to wait before the next.
    pub fn call(&mut self, host: &impl Host, edge: &mut Edge) -> Option<Duration> {
        if self.in_flight.is_some() {
            return None;
        }
        let now = host.now().unwrap_or_default();
        match self.send(host, &edge.config) {
            Ok(call) => {
                self.in_flight = Some((call, now));
                None
            }
            Err(error) => Some(self.fail(host, edge, error, now)),
        }
    }

    fn send(&self, host: &impl Host, config: &Config) -> Result<CallId, FetchError> {
        let Config { tenant, cluster, authority, token, .. } = config;
        let path = format!("/policy/bundle?tenant={tenant}&wait={WAIT_SECONDS}");
        let authorization = format!("Bearer {token}");
        let mut headers = vec![
            (":method", "GET"),
            (":path", path.as_str()),
            (":authority", authority.as_str()),
            ("authorization", authorization.as_str()),
        ];
        headers.extend(self.etag.as_deref().map(|etag| ("if-none-match", etag)));
        let failed = |HostError| FetchError::Dispatch { cluster: cluster.clone() };
        host.call(cluster, &headers, CALL_TIMEOUT).map_err(failed)
    }

    /// Takes the answer to the call in flight: how long to wait before the next. `None` for an answer to another call,
    /// one that was made before the last configuration.
    pub fn answered(
        &mut self,
        host: &impl Host,
        edge: &mut Edge,
        call: CallId,
        headers: usize,
        body_bytes: usize,
    ) -> Option<Duration> {
        let (_, started) = self.in_flight.take_if(|(in_flight, _)| *in_flight == call)?;
        Some(match self.take(host, edge, headers, body_bytes) {
            Ok(news) => {
                self.failures = 0;
                if self.trouble.take().is_some() {
                    host.log(Level::Info, "policy server answers again");
                }
                match news {
                    News::Swapped => Duration::ZERO,
                    News::Unchanged => remaining(host, started, SPACING),
                }
            }
            Err(error) => self.fail(host, edge, error, started),
        })
    }

    fn take(
        &mut self,
        host: &impl Host,
        edge: &mut Edge,
        headers: usize,
        body_bytes: usize,
    ) -> Result<News, FetchError> {
        // Without headers Envoy has none to give, and asking for them is an error.
        if headers == 0 {
            return Err(FetchError::NoAnswer);
        }
        let headers = host.answer_headers().map_err(|HostError| FetchError::NoAnswer)?;
        match header(&headers, ":status") {
            Some("200") => {}
            Some("304") if edge.policy.is_some() => return Ok(News::Unchanged),
            other => return Err(FetchError::Status(other.unwrap_or("none").to_owned())),
        }
        if body_bytes == 0 {
            return Err(FetchError::Empty);
        }
        let bundle = host.answer_body(body_bytes).map_err(|HostError| FetchError::Empty)?;
        let policy = accept(host, bundle, edge)?;
        self.etag = header(&headers, "etag").map(str::to_owned);
        if edge.policy.as_ref().is_some_and(|current| current.digest() == policy.digest()) {
            return Ok(News::Unchanged);
        }
        edge.metrics.record_revision(host, policy.revision());
        host.log(Level::Info, &format!("policy revision {} is in force", policy.revision()));
        edge.policy = Some(Rc::new(policy));
        Ok(News::Swapped)
    }

    /// Counts the failure, and logs it when it is another than the last.
    fn fail(&mut self, host: &impl Host, edge: &mut Edge, error: FetchError, started: Duration) -> Duration {
        edge.metrics.count_fetch_failure(host);
        if self.trouble.as_ref() != Some(&error) {
            let kept = match &edge.policy {
                Some(policy) => format!("keeping policy revision {}", policy.revision()),
                None => "denying every request".to_owned(),
            };
            host.log(Level::Warn, &format!("no newer policy, {kept}: {error}"));
            self.trouble = Some(error);
        }
        let spacing = SPACING.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(MAX_SPACING);
        self.failures = self.failures.saturating_add(1);
        remaining(host, started, jittered(host, spacing))
    }
}

/// The policy in `bundle`, if it may replace the one in use.
fn accept(host: &impl Host, bundle: Vec<u8>, edge: &Edge) -> Result<Policy, FetchError> {
    let policy = Policy::open_signed(bundle, &[edge.config.public_key])?;
    let now = match (host.now(), policy.expires()) {
        (Ok(now), _) => now.as_secs(),
        // Without an end there is nothing to compare the time with.
        (Err(HostError), None) => 0,
        (Err(HostError), Some(_)) => return Err(FetchError::NoClock),
    };
    let revision = edge.policy.as_ref().map_or(0, |policy| policy.revision());
    policy.admit(&Admission { tenant: &edge.config.tenant, revision, now })?;
    Ok(policy)
}

fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(header, _)| header == name)?;
    core::str::from_utf8(value).ok().filter(|value| value.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// What is left of `spacing` since `started`; all of it without a clock.
fn remaining(host: &impl Host, started: Duration, spacing: Duration) -> Duration {
    let elapsed = host.now().unwrap_or(started).saturating_sub(started);
    spacing.saturating_sub(elapsed)
}

/// Half of `spacing` and a part of the other half that differs from worker to worker.
fn jittered(host: &impl Host, spacing: Duration) -> Duration {
    const PARTS: u32 = 1024;
    let part = host.now().unwrap_or_default().subsec_nanos() % PARTS;
    let half = spacing.checked_div(2).unwrap_or_default();
    half.saturating_add(half.saturating_mul(part).checked_div(PARTS).unwrap_or_default())
}

#[cfg(test)]
mod tests;
