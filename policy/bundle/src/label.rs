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
pub struct Key<'a> {
    /// The first 8 bytes of a short name, or the hash of a long one.
    head: u64,
    /// The next 3 bytes of a short name, or 3 bytes of a long one's length; the last byte is the length or `LONG`.
    tail: u32,
    bytes: &'a [u8],
}

impl<'a> Key<'a> {
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        if bytes.len() > SHORT {
            return Self::long(bytes);
        }
        let (head, rest) = match bytes.split_first_chunk::<8>() {
            Some((head, rest)) => (u64::from_le_bytes(*head), up_to_3(rest)),
            None => (up_to_7(bytes), 0),
        };
        Self { head, tail: rest | (bytes.len() as u32) << 24, bytes }
    }

    /// The same for a name whose first 16 bytes, with zeros behind its end, are at hand as little-endian words.
    #[inline]
    pub fn from_words([head, rest]: [u64; 2], bytes: &'a [u8]) -> Self {
        if bytes.len() > SHORT {
            return Self::long(bytes);
        }
        Self { head, tail: rest as u32 | (bytes.len() as u32) << 24, bytes }
    }

    /// What `from_parts` needs beside the bytes.
    #[inline]
    pub fn parts(&self) -> (u64, u32) {
        (self.head, self.tail)
    }

    /// The key whose `parts` these are, of the same bytes.
    #[inline]
    pub fn from_parts((head, tail): (u64, u32), bytes: &'a [u8]) -> Self {
        Self { head, tail, bytes }
    }

    #[cold]
    fn long(bytes: &'a [u8]) -> Self {
        Self { head: hash_text(bytes), tail: LONG | bytes.len() as u32 & !LONG, bytes }
    }

    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
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

    #[inline]
    pub(crate) fn is(&self, label: &Label, strings: &[u8]) -> bool {
        if label.tail.get() != self.tail {
            return false;
        }
        if !self.is_long() {
            return label.head.get() == self.head;
        }
        let text = |start: usize| strings.get(start..)?.get(..self.bytes.len());
        label.head.get() & TAG == self.tag() && text(label.text_offset()) == Some(self.bytes)
    }

    /// Hash of this name under `seed`; the table takes two numbers out of it.
    #[inline]
    pub fn hash(&self, seed: u32) -> u64 {
        let first =
            (self.head ^ u64::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let second = (first ^ first >> 32 ^ u64::from(self.tail)).wrapping_mul(0xA076_1D64_78BD_642F);
        second ^ second >> 29
    }

    fn tag(&self) -> u64 {
        self.head & TAG
    }
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
    use super::{Key, Text};

    #[test]
    fn the_hash_is_part_of_the_format() {
        let hashes =
            ["", "users", "12345678", "administrat", "administrators"].map(|name| Key::new(name.as_bytes()).hash(7));
        assert_eq!(hashes, HASHES, "a change here is a new format");
    }

    const HASHES: [u64; 5] = [
        11_778_482_917_619_822_041,
        18_138_475_006_178_380_490,
        271_245_757_112_087_794,
        347_100_158_367_933_623,
        4_188_988_222_884_987_055,
    ];

    #[test]
    fn names_of_every_length_are_told_apart() {
        let strings = b"abcdefghijklmnopqrstuvwxyz";
        let names: Vec<&[u8]> = (0..=26).map(|length| &strings[..length]).collect();
        for name in &names {
            let label = Key::new(name).label(Text::EMPTY);
            for other in &names {
                assert_eq!(Key::new(other).is(&label, strings), name == other, "{name:?} {other:?}");
            }
            assert_eq!(label.long().is_some(), name.len() > 11);
        }
    }
}
