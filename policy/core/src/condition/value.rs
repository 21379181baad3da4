//! Values of a running condition: small, copied freely, their contents wherever they already are.
//!
//! A text names its bytes (in the policy, a fact, a tape, or computed) instead of borrowing them, so that buffers of
//! values outlive a request. `Memory` holds what was computed and refuses to grow past its bounds.

use core::fmt;

use portcullis_bundle::bytecode::{Fact, Kind};

use super::Fault;
use super::time::Time;

/// Texts that one evaluation computes, in bytes.
const MEMORY_BYTES: usize = 64 << 10;
/// Elements of lists and maps that one evaluation computes: about as many bytes.
const MEMORY_VALUES: usize = 2_560;

#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Text),
    Bytes(Text),
    List(List),
    Map(Map),
    /// Since 1970-01-01T00:00:00Z.
    Timestamp(Time),
    /// Nanoseconds.
    Duration(i64),
    Type(Kind),
    /// IPv6, or IPv4-mapped IPv6 for IPv4.
    Ip([u8; 16]),
    /// First address and prefix length, of 128 bits.
    Cidr([u8; 16], u8),
}

/// Bytes somewhere; of a `String` they are UTF-8.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) source: Source,
    pub(super) start: u32,
    pub(super) bytes: u32,
}

/// Where the bytes of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Strings section of the policy.
    Strings,
    /// Blobs section of the policy.
    Blobs,
    /// A fact that is one text.
    Fact(Fact),
    /// A name of a fact that is a list of names; `start` is its index.
    Name(Fact),
    /// A tape; of its text or unescaped strings, as `properties::Span` says.
    Tape(TapeOf),
    Memory,
}

/// Which tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TapeOf {
    Subject,
    Resource,
    Context,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum List {
    /// Roles or permission groups.
    Names(Fact),
    /// The list at an item of a tape.
    Tape(TapeOf, u32),
    /// `count` values in memory.
    Memory { start: u32, count: u32 },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Map {
    /// The map at an item of a tape.
    Tape(TapeOf, u32),
    /// `count` times key and value in memory.
    Memory { start: u32, count: u32 },
}

/// What an evaluation has computed.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) bytes: Vec<u8>,
    pub(super) values: Vec<Value>,
    /// Elements of lists that are not complete yet.
    pub(super) pending: Vec<Value>,
    /// Facts that are computed, once they were asked for; see `Facts`.
    pub(super) computed: [Option<Text>; 4],
}

// === impl Value ===

impl Value {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Uint(_) => Kind::Uint,
            Self::Double(_) => Kind::Double,
            Self::String(_) => Kind::String,
            Self::Bytes(_) => Kind::Bytes,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Timestamp(_) => Kind::Timestamp,
            Self::Duration(_) => Kind::Duration,
            Self::Type(_) => Kind::Type,
            Self::Ip(_) => Kind::Ip,
            Self::Cidr(..) => Kind::Cidr,
        }
    }
}

// === impl Memory ===

impl Memory {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.values.clear();
        self.pending.clear();
        self.computed = [None; 4];
    }

    /// `Err` when `bytes` more would pass the bound.
    pub(super) fn reserve_bytes(&mut self, bytes: usize) -> Result<(), Fault> {
        let total = self.bytes.len().saturating_add(bytes);
        if total > MEMORY_BYTES { Err(Fault::Exhausted) } else { Ok(()) }
    }

    pub(super) fn push(&mut self, value: Value) -> Result<(), Fault> {
        if self.values.len() >= MEMORY_VALUES {
            return Err(Fault::Exhausted);
        }
        self.values.push(value);
        Ok(())
    }

    /// The text of what was added since there were `start` bytes.
    pub(super) fn text_since(&self, start: usize) -> Text {
        let bytes = self.bytes.len().saturating_sub(start);
        Text { source: Source::Memory, start: start as u32, bytes: bytes as u32 }
    }

    /// The list of the values pending since there were `base`.
    pub(super) fn list_of_pending(&mut self, base: usize) -> Result<List, Fault> {
        let start = self.values.len();
        let count = self.pending.len().saturating_sub(base);
        if start.saturating_add(count) > MEMORY_VALUES {
            return Err(Fault::Exhausted);
        }
        self.values.extend(self.pending.drain(base..));
        Ok(List::Memory { start: start as u32, count: count as u32 })
    }

    /// A formatted text.
    pub(super) fn write(&mut self, text: fmt::Arguments<'_>) -> Result<Text, Fault> {
        let start = self.bytes.len();
        fmt::Write::write_fmt(self, text).map_err(|_| Fault::Exhausted)?;
        Ok(self.text_since(start))
    }
}

impl fmt::Write for Memory {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.reserve_bytes(text.len()).map_err(|_| fmt::Error)?;
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
