//! The canonical path of a request, split into the names that a walk down the trie compares.
//!
//! In: the path as received. Out: the canonical path and a key for each of its segments, eight bytes at a time.
//! Never allocates once the buffers have grown.

use portcullis_bundle::Key;
use portcullis_bundle::limits::PATH_BYTES;

use crate::canonical::{Malformed, are_path_bytes, canonicalize};

/// Buffers for one path after the other.
#[derive(Debug, Default)]
pub(crate) struct PathBuffer {
    /// The path, then `PADDING`, then anything; empty at first.
    text: Vec<u8>,
    segments: Vec<Segment>,
}

/// Ends the last segment, and lets every segment be read in words.
const PADDING: [u8; 16] = [b'/'; 16];

const BUFFER_BYTES: usize = PATH_BYTES.saturating_add(PADDING.len());

/// A segment of a path, ready to be looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    head: u64,
    tail: u32,
    start: u16,
    end: u16,
}

/// Names one behind the other, as a walk down the trie reads them.
#[derive(Clone, Copy)]
pub(crate) struct Segments<'a> {
    /// The whole path.
    pub(crate) text: &'a [u8],
    segments: &'a [Segment],
}

impl<'a> Segments<'a> {
    pub(crate) fn new(text: &'a [u8], segments: &'a [Segment]) -> Self {
        Self { text, segments }
    }

    /// Segment `at`; `None` behind the last.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&'a Segment> {
        self.segments.get(at)
    }

    pub(crate) fn bytes(&self, segment: &Segment) -> &'a [u8] {
        self.text.get(usize::from(segment.start)..usize::from(segment.end)).unwrap_or_default()
    }
}

impl Segment {
    /// All of `name`, which is no longer than a path.
    pub(crate) fn whole(name: &[u8]) -> Self {
        Self::new(Key::new(name), 0, name.len())
    }

    #[inline]
    fn new(key: Key, start: usize, end: usize) -> Self {
        let (head, tail) = key.parts();
        Self { head, tail, start: start as u16, end: end as u16 }
    }

    #[inline]
    pub(crate) fn key(&self) -> Key {
        Key::from_parts((self.head, self.tail))
    }
}

impl PathBuffer {
    /// The canonical form of the path in `raw`, which may have a query.
    #[inline(never)]
    pub(crate) fn canonical(&mut self, raw: &str) -> Result<Segments<'_>, Malformed> {
        let length = match self.plain(raw.as_bytes()) {
            Some(length) => length,
            None => self.resolve(raw)?,
        };
        Ok(Segments { text: self.text.get(..length).unwrap_or_default(), segments: &self.segments })
    }

    /// The length of `path`, if it is canonical at first sight.
    #[inline]
    fn plain(&mut self, path: &[u8]) -> Option<usize> {
        if self.text.len() < BUFFER_BYTES {
            self.text.resize(BUFFER_BYTES, 0);
        }
        if path.len() > PATH_BYTES || path.first() != Some(&b'/') {
            return None;
        }
        let (text, rest) = self.text.split_at_mut_checked(path.len())?;
        text.copy_from_slice(path);
        *rest.first_chunk_mut()? = PADDING;
        // In whole words, of which the padding fills the last.
        if !are_path_bytes(self.text.get(..path.len().next_multiple_of(size_of::<u64>()))?) {
            return None;
        }
        self.split(path.len(), false)
    }

    /// The length of the canonical form of a path that has a query, or is not canonical at first sight.
    #[cold]
    fn resolve(&mut self, raw: &str) -> Result<usize, Malformed> {
        if let Some((path, _query)) = raw.split_once('?')
            && let Some(length) = self.plain(path.as_bytes())
        {
            return Ok(length);
        }
        canonicalize(raw, &mut self.text)?;
        let length = self.text.len();
        self.text.extend_from_slice(&PADDING);
        self.split(length, true).ok_or(Malformed::NotAbsolute)
    }

    /// Splits the first `length` bytes; `None` when they may not be canonical, because a segment starts with a dot, or one
    /// that is not the last is empty.
    #[inline]
    fn split(&mut self, length: usize, is_canonical: bool) -> Option<usize> {
        let Self { text, segments } = self;
        let text = text.as_slice();
        segments.clear();
        let mut start: usize = 1;
        while start <= length {
            let rest = text.get(start..)?;
            let words = two_words(rest)?;
            if !is_canonical && start < length && matches!(words[0] as u8, b'.' | b'/') {
                return None;
            }
            let bytes = match slash(words) {
                Some(bytes) => bytes,
                None => rest.iter().position(|&byte| byte == b'/')?,
            };
            let key = Key::from_words(words, bytes, || rest.get(..bytes).unwrap_or_default());
            let end = start.wrapping_add(bytes);
            segments.push(Segment::new(key, start, end));
            start = end.wrapping_add(1);
        }
        Some(length)
    }
}

#[inline]
fn two_words(text: &[u8]) -> Option<[u64; 2]> {
    let bytes = u128::from_le_bytes(*text.first_chunk()?);
    Some([bytes as u64, (bytes >> 64) as u64])
}

/// Place of the first slash in two words.
#[inline]
fn slash([first, second]: [u64; 2]) -> Option<usize> {
    match slashes(first) {
        0 => match slashes(second) {
            0 => None,
            marks => Some((marks.trailing_zeros() / 8) as usize | 8),
        },
        marks => Some((marks.trailing_zeros() / 8) as usize),
    }
}

/// The high bit of the first byte that is a slash, and of bytes behind it.
#[inline]
fn slashes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let others = word ^ ONES.wrapping_mul(b'/' as u64);
    others.wrapping_sub(ONES) & !others & ONES.wrapping_mul(0x80)
}
