//! What time it is, as an argument, so that tests decide it.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_directory::UnixSeconds;

pub trait Clock: Send + Sync {
    fn now(&self) -> UnixSeconds;
}

/// The clock of the machine; before 1970 it is 1970.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixSeconds {
        UnixSeconds(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}
