//! What time it is, as an argument, so that tests decide it.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_directory::UnixSeconds;

pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;

    fn now(&self) -> UnixSeconds {
        UnixSeconds(self.now_ms() / 1_000)
    }

    /// The time of a write that has its turn now: rounded, so that it is not over before the write is (ADR 0039).
    fn written_at(&self) -> UnixSeconds {
        UnixSeconds(self.now_ms().saturating_add(500) / 1_000)
    }
}

/// The clock of the machine; before 1970 it is 1970.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
