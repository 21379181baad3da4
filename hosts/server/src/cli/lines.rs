//! Lines of an input in constant memory, and whether more of it is at hand.

use std::io::{BufRead, BufReader, Read};

/// Splits an input at `\n`.
pub struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Without the `\n`.
    Bytes(&'a [u8]),
    /// Longer than `Lines::MAX_BYTES`; it was skipped.
    TooLong,
}

const BUFFER_BYTES: usize = 256 * 1024;

impl<R: Read> Lines<R> {
    /// Longest line, without the `\n`.
    pub const MAX_BYTES: usize = 1024 * 1024;

    pub fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(BUFFER_BYTES, input), line: Vec::new() }
    }

    /// False when the next line may have to be waited for.
    pub fn has_line_at_hand(&self) -> bool {
        self.input.buffer().contains(&b'\n')
    }

    /// The next line; `None` at the end of the input.
    pub fn next(&mut self) -> std::io::Result<Option<Line<'_>>> {
        self.line.clear();
        let limit = Self::MAX_BYTES as u64 + 1;
        if self.input.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        if self.line.len() > Self::MAX_BYTES {
            self.input.skip_until(b'\n')?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Bytes(&self.line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(input: &[u8]) -> Vec<Option<usize>> {
        let mut lines = Lines::new(input);
        let mut lengths = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            lengths.push(match line {
                Line::Bytes(bytes) => Some(bytes.len()),
                Line::TooLong => None,
            });
        }
        lengths
    }

    #[test]
    fn the_last_line_may_lack_its_end() {
        assert_eq!(lengths(b""), []);
        assert_eq!(lengths(b"\n"), [Some(0)]);
        assert_eq!(lengths(b"a\n\nbc"), [Some(1), Some(0), Some(2)]);
        assert_eq!(lengths(b"a\nbc\n"), [Some(1), Some(2)]);
    }

    #[test]
    fn a_line_has_at_most_1_mib() {
        let max = Lines::<&[u8]>::MAX_BYTES;
        for (end, bytes) in [("", max), ("\n", max), ("\nx", max)] {
            let input = ["x".repeat(bytes).as_str(), end].concat();
            assert_eq!(lengths(input.as_bytes()).first(), Some(&Some(max)));
        }
        assert_eq!(lengths("x".repeat(max + 1).as_bytes()), [None]);
        assert_eq!(lengths(["x".repeat(max + 1).as_str(), "\n", "y"].concat().as_bytes()), [None, Some(1)]);
        assert_eq!(lengths(["x".repeat(max * 3).as_str(), "\n\n"].concat().as_bytes()), [None, Some(0)]);
    }
}
