//! One long poll: at most one call at a time, the next one not before its time.

use std::time::Duration;

use portcullis_core::OpenError;

use crate::host::{CallId, Host, HostError};

/// Between the starts of two calls when the first brought nothing new.
pub const SPACING: Duration = Duration::from_millis(250);
/// The same, after many failures.
pub const MAX_SPACING: Duration = Duration::from_secs(5);
/// A call that was not answered for so long after its timeout never will be.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// Why there is nothing newer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("cluster `{cluster}` cannot be called")]
    Dispatch { cluster: String },
    #[error("server did not answer, or its answer was too large for `http.async_response_buffer_limit`")]
    NoAnswer,
    #[error("server answered with status {0}")]
    Status(String),
    #[error("server answered without a body")]
    Empty,
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("no clock to tell whether the bundle has expired")]
    NoClock,
    #[error("signature of the revocations is missing or wrong")]
    Signature,
    #[error("revocations cannot be read: {0}")]
    Revocations(&'static str),
    #[error("data cannot be shared between the workers")]
    Share,
}

impl From<HostError> for FetchError {
    fn from(HostError: HostError) -> Self {
        Self::Share
    }
}

#[derive(Default)]
pub struct Poll {
    /// The call in flight, when it started, and when it must have ended.
    in_flight: Option<(CallId, Duration, Duration)>,
    /// The next call does not start before.
    next: Duration,
    failures: u32,
    /// The failure that was reported last, until a call succeeds.
    trouble: Option<FetchError>,
}

impl Poll {
    pub fn is_due(&mut self, now: Duration) -> bool {
        if self.in_flight.is_some_and(|(_, _, end)| now > end) {
            self.in_flight = None;
        }
        // A clock that was set back must not stop the polls.
        let is_time = now >= self.next || self.next.saturating_sub(now) > MAX_SPACING;
        self.in_flight.is_none() && is_time
    }

    pub fn sent(&mut self, call: CallId, now: Duration, timeout: Duration) {
        self.in_flight = Some((call, now, now.saturating_add(timeout).saturating_add(LOST_AFTER)));
    }

    /// When the call started, if it is the one in flight.
    pub fn end(&mut self, call: CallId) -> Option<Duration> {
        let (_, started, _) = self.in_flight.take_if(|(id, _, _)| *id == call)?;
        Some(started)
    }

    /// The call that started then went well. True when that is news.
    pub fn succeeded(&mut self, started: Duration, spacing: Duration) -> bool {
        self.failures = 0;
        self.next = started.saturating_add(spacing);
        self.trouble.take().is_some()
    }

    /// The call that started then failed. True when the reason is another than the last.
    pub fn failed(&mut self, host: &impl Host, started: Duration, error: FetchError) -> bool {
        let spacing = SPACING.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(MAX_SPACING);
        self.failures = self.failures.saturating_add(1);
        self.next = started.saturating_add(jittered(host, spacing));
        let is_news = self.trouble.as_ref() != Some(&error);
        self.trouble = Some(error);
        is_news
    }
}

/// Half of `spacing` and a part of the other half that differs from Envoy to Envoy.
fn jittered(host: &impl Host, spacing: Duration) -> Duration {
    const PARTS: u32 = 1024;
    let part = host.now().unwrap_or_default().subsec_nanos() % PARTS;
    let half = spacing.checked_div(2).unwrap_or_default();
    half.saturating_add(half.saturating_mul(part).checked_div(PARTS).unwrap_or_default())
}
