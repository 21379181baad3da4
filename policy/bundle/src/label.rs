//! Names as the table compares them: short ones whole, long ones by length, a hash and then by their text.
//!
//! In: the bytes of a name. Out: a `Key` to look for, or the `Label` that lies in a cell. Part of the bundle format.
//! Never: a comparison byte by byte for a name of up to `SHORT` bytes.

use zerocopy::little_endian::{U32, U64};

use crate::layout::{Label, Text};

/// Longest name that a label holds itself, in bytes.
const SHORT: usize = 11;
/// In the length byte of a label: the text lies in the strings section.
const LONG: u32 = 0xFF << 24;

/// A name to look for.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The first 8 bytes of a short name, or the hash of a long one.
    head: u64,
    /// The next 3 bytes of a short name, or 3 bytes of a long one's length; the last byte is the length or `LONG`.
    tail: u32,
}

impl Key {
    /// The name of what has none.
    pub const EMPTY: Self = Self { head: 0, tail: 0 };

    #[inline]
    pub fn new(bytes: &[u8]) -> Self {
        if bytes.len() > SHORT {
            return Self::long(bytes);
        }
        let (head, rest) = match bytes.split_first_chunk::<8>() {
            Some((head, rest)) => (u64::from_le_bytes(*head), up_to_3(rest)),
            None => (up_to_7(bytes), 0),
        };
        Self { head, tail: rest | (bytes.len() as u32) << 24 }
    }

    /// The same for a name of which the first 16 bytes are at hand as little-endian words, with anything behind its end.
    /// The bytes of the name are asked for when it is long.
    #[inline]
    pub fn from_words<'n>([head, rest]: [u64; 2], length: usize, name: impl FnOnce() -> &'n [u8]) -> Self {
        let size = (length as u32) << 24;
        match length {
            0..8 => Self { head: up_to(head, length), tail: size },
            8..=SHORT => Self { head, tail: up_to(rest, length.wrapping_sub(8)) as u32 | size },
            _ => Self::long(name()),
        }
    }

    /// What `from_parts` needs.
    #[inline]
    pub fn parts(&self) -> (u64, u32) {
        (self.head, self.tail)
    }

    /// The key whose `parts` these are.
    #[inline]
    pub fn from_parts((head, tail): (u64, u32)) -> Self {
        Self { head, tail }
    }

    #[cold]
    fn long(bytes: &[u8]) -> Self {
        Self { head: hash_text(bytes), tail: LONG | bytes.len() as u32 & !LONG }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.tail == 0
    }

    /// The label of this name, whose text lies at `text` when the name is long.
    pub fn label(&self, text: Text) -> Label {
        let head = if self.is_long() { self.tag() | u64::from(text.offset.get()) } else { self.head };
        Label { head: U64::new(head), tail: U32::new(self.tail) }
    }

    /// Whether the label needs its text in the strings section.
    pub fn is_long(&self) -> bool {
        self.tail & LONG == LONG
    }

    /// Whether the label is that of this name, whose bytes are asked for when it is long.
    #[inline]
    pub(crate) fn is<'n>(&self, label: &Label, strings: &[u8], name: impl FnOnce() -> &'n [u8]) -> bool {
        if label.tail.get() != self.tail {
            return false;
        }
        if !self.is_long() {
            return label.head.get() == self.head;
        }
        let name = name();
        let text = |start: usize| strings.get(start..)?.get(..name.len());
        label.head.get() & TAG == self.tag() && text(label.text_offset()) == Some(name)
    }

    /// Hash of this name after `before`: `start` of a seed, or for a child the hash of its parent. The table takes two
    /// numbers out of it.
    #[inline]
    pub fn hash(&self, before: u64) -> u64 {
        let first = (self.head ^ before).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let second = (first ^ first >> 32 ^ u64::from(self.tail)).wrapping_mul(0xA076_1D64_78BD_642F);
        second ^ second >> 29
    }

    fn tag(&self) -> u64 {
        self.head & TAG
    }
}

/// What the hash of a name under `seed` starts with; never 0, where an empty name would stay.
#[inline]
pub const fn start(seed: u32) -> u64 {
    (seed as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// What the hashes of the children of the two roots start with.
pub const HTTP_ROOT: u64 = start(0);
pub const RESOURCE_ROOT: u64 = start(1);

/// What the hashes of the children of a wildcard child start with, by that of its parent.
#[inline]
pub const fn after_wildcard(before: u64) -> u64 {
    before.wrapping_mul(0xE703_7ED1_A0B4_28DB)
}

/// The half of a long name's hash that its label keeps; the other half is the place of its text.
const TAG: u64 = !0 << 32;

impl Label {
    /// The text in the strings section, when the label does not hold it.
    pub fn long(&self) -> Option<Text> {
        let length = self.tail.get();
        (length & LONG == LONG)
            .then(|| Text { offset: U32::new(self.text_offset() as u32), bytes: U32::new(length & !LONG) })
    }

    fn text_offset(&self) -> usize {
        (self.head.get() & !TAG) as usize
    }
}

/// The first `length` bytes of a word, fewer than 8; zeros behind them.
#[inline]
fn up_to(word: u64, length: usize) -> u64 {
    word & 1_u64.wrapping_shl((length as u32).wrapping_mul(8)).wrapping_sub(1)
}

/// The bytes as a little-endian number.
#[inline]
fn up_to_7(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let shift = (bytes.len() as u32).wrapping_sub(4).wrapping_mul(8);
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (shift & 63)
        }
        _ => u64::from(up_to_3(bytes)),
    }
}

#[inline]
fn up_to_3(bytes: &[u8]) -> u32 {
    match *bytes {
        [] => 0,
        [a] => u32::from_le_bytes([a, 0, 0, 0]),
        [a, b] => u32::from_le_bytes([a, b, 0, 0]),
        [a, b, c, ..] => u32::from_le_bytes([a, b, c, 0]),
    }
}

fn hash_text(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mix = |state: u64, word: u64| {
        let mixed = (state ^ word).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (mixed ^ mixed >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    };
    let state = words.iter().fold(bytes.len() as u64, |state, word| mix(state, u64::from_le_bytes(*word)));
    let state = mix(state, up_to_7(rest));
    state ^ state >> 31
}

#[cfg(test)]
mod tests {
    use super::{Key, Text, start};

    #[test]
    fn the_hash_is_part_of_the_format() {
        let hashes = ["", "users", "12345678", "administrat", "administrators"]
            .map(|name| Key::new(name.as_bytes()).hash(start(7)));
        assert_eq!(hashes, HASHES, "a change here is a new format");
    }

    const HASHES: [u64; 5] = [
        13_714_592_140_957_654_805,
        8_654_930_857_719_662_293,
        9_810_418_638_182_061_591,
        6_180_529_267_365_390_125,
        16_783_809_028_434_614_564,
    ];

    #[test]
    fn names_of_every_length_are_told_apart() {
        let strings = b"abcdefghijklmnopqrstuvwxyz";
        let names: Vec<&[u8]> = (0..=26).map(|length| &strings[..length]).collect();
        for name in &names {
            let label = Key::new(name).label(Text::EMPTY);
            for other in &names {
                assert_eq!(Key::new(other).is(&label, strings, || other), name == other, "{name:?} {other:?}");
            }
            assert_eq!(label.long().is_some(), name.len() > 11);
        }
    }
}
