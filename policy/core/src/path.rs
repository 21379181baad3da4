//! The canonical path of a request, split into the names that a walk down the trie compares.
//!
//! In: the path as received. Out: the canonical path and a key for each of its segments, eight bytes at a time.
//! Never allocates once the buffers have grown.

use portcullis_bundle::Key;
use portcullis_bundle::limits::PATH_BYTES;

use crate::canonical::{Malformed, canonicalize, is_plain_segment};

/// Buffers for one path after the other.
#[derive(Debug, Default)]
pub(crate) struct PathBuffer {
    /// The path, then `PADDING`, then anything; empty at first.
    text: Vec<u8>,
    segments: Vec<Segment>,
}

/// A segment of a path, ready to be looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    parts: (u64, u32),
    start: u16,
    end: u16,
}

/// Ends the last segment, and lets every segment be read in words.
const PADDING: [u8; 16] = [b'/'; 16];

const BUFFER_BYTES: usize = PATH_BYTES.saturating_add(PADDING.len());

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
    pub(crate) fn get(&self, at: usize) -> Option<Key<'a>> {
        let Segment { parts, start, end } = self.segments.get(at)?;
        Some(Key::from_parts(*parts, self.text.get(usize::from(*start)..usize::from(*end))?))
    }
}

impl Segment {
    /// All of `name`, which is no longer than a path.
    pub(crate) fn whole(name: &[u8]) -> Self {
        Self { parts: Key::new(name).parts(), start: 0, end: name.len() as u16 }
    }
}

impl PathBuffer {
    /// The canonical form of the path in `raw`, which may have a query.
    #[inline]
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
        self.split(path.len(), is_plain_segment)
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
        self.split(length, |_, _| true).ok_or(Malformed::NotAbsolute)
    }

    /// Splits the first `length` bytes; `None` when a segment is not `plain`, or when one that is not the last is empty.
    #[inline]
    fn split(&mut self, length: usize, plain: impl Fn([u64; 2], &[u8]) -> bool) -> Option<usize> {
        self.segments.clear();
        let mut start: usize = 1;
        while start <= length {
            let (words, bytes) = segment(self.text.get(start..)?)?;
            let end = start.wrapping_add(bytes.len());
            if !plain(words, bytes) || (bytes.is_empty() && end < length) {
                return None;
            }
            let parts = Key::from_words(words, bytes).parts();
            self.segments.push(Segment { parts, start: start as u16, end: end as u16 });
            start = end.wrapping_add(1);
        }
        Some(length)
    }
}

/// The first segment of `text`, behind which there are 16 bytes more, and its first bytes as words.
#[inline]
fn segment(text: &[u8]) -> Option<([u64; 2], &[u8])> {
    let (first, rest) = text.split_first_chunk::<8>()?;
    let first = u64::from_le_bytes(*first);
    if let Some(length) = slash(first) {
        return Some(([up_to(first, length), 0], text.get(..length)?));
    }
    let second = u64::from_le_bytes(*rest.first_chunk::<8>()?);
    if let Some(length) = slash(second) {
        return Some(([first, up_to(second, length)], text.get(..length.wrapping_add(8))?));
    }
    let length = text.iter().position(|&byte| byte == b'/')?;
    Some(([first, second], text.get(..length)?))
}

const ONES: u64 = u64::from_le_bytes([1; 8]);

/// Place of the first slash in a word.
#[inline]
fn slash(word: u64) -> Option<usize> {
    let others = word ^ ONES.wrapping_mul(b'/' as u64);
    let found = others.wrapping_sub(ONES) & !others & ONES.wrapping_mul(0x80);
    (found != 0).then(|| (found.trailing_zeros() / 8) as usize)
}

/// The first `length` bytes of a word, fewer than 8; zeros behind them.
#[inline]
fn up_to(word: u64, length: usize) -> u64 {
    word & 1_u64.wrapping_shl((length as u32).wrapping_mul(8)).wrapping_sub(1)
}
