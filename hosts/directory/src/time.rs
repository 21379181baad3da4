//! Time as the directory stores it.

/// Seconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(pub u64);

/// When a write happens: a time, or who tells it once the write has its turn (ADR 0039).
pub trait When: Send {
    fn time(self) -> UnixSeconds;
}

impl When for UnixSeconds {
    fn time(self) -> UnixSeconds {
        self
    }
}

impl<C: FnOnce() -> UnixSeconds + Send> When for C {
    fn time(self) -> UnixSeconds {
        self()
    }
}

impl UnixSeconds {
    /// The column type; the year 292 billion is where it saturates.
    pub(crate) fn to_column(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// A time before 1970 is nothing that this crate wrote; it reads as 1970.
    pub(crate) fn from_column(column: i64) -> Self {
        Self(u64::try_from(column).unwrap_or(0))
    }
}
