//! Raw path -> canonical path: the one spelling on which rules match and which an upstream may see.
//!
//! In: the request target as received, with or without a query. Out: the canonical path, or why there is none.
//! RFC 3986 sections 2.3, 6.2.2 and 5.2.4, stricter where two readers could differ: whatever a path may not hold
//! as it is (RFC 3986 section 3.3) comes out percent-encoded, so that one resource has one spelling.
//! Canonicalizing a canonical path changes nothing.

use portcullis_bundle::limits::PATH_BYTES;

/// Why a path has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    NotAbsolute,
    /// Longer than `PATH_BYTES`, as received or in canonical form.
    TooLong,
    /// `%` without two hexadecimal digits.
    Encoding,
    /// A control byte, plain or encoded.
    Control,
    Backslash,
    Fragment,
    /// `/` or `\`, encoded.
    EncodedSlash,
    /// `;`: what follows is a parameter to some readers and a name to others.
    Parameter,
    /// Dot segments that climb above the root.
    AboveRoot,
    /// Not UTF-8 after decoding.
    NotUtf8,
}

/// Writes the canonical form of the path in `raw` to `path`, which is cleared first.
pub fn canonicalize(raw: &str, path: &mut Vec<u8>) -> Result<(), Malformed> {
    path.clear();
    let raw = raw.split_once('?').map_or(raw, |(path, _query)| path).as_bytes();
    if raw.len() > PATH_BYTES {
        return Err(Malformed::TooLong);
    }
    let Some(segments) = raw.strip_prefix(b"/") else {
        return Err(Malformed::NotAbsolute);
    };
    if is_plain(raw) {
        path.extend_from_slice(raw);
        return Ok(());
    }
    resolve(segments, path)?;
    path.dedup_by(|next, before| (*next, *before) == (b'/', b'/'));
    if path.len() > PATH_BYTES { Err(Malformed::TooLong) } else { Ok(()) }
}

/// Whether each byte may stand in a canonical path as it is, but for `%`.
#[inline]
pub(crate) fn are_path_bytes(path: &[u8]) -> bool {
    let (words, rest) = path.as_chunks();
    let are_common = words.iter().fold(0, |rare, word| rare | rare_bytes(u64::from_le_bytes(*word))) == 0;
    are_listed(if are_common { rest } else { path })
}

/// The same with one look at a table for each byte, and no branch.
#[inline]
fn are_listed(path: &[u8]) -> bool {
    !path.iter().fold(false, |any, &byte| any | OTHERS.get(usize::from(byte)).copied().unwrap_or(true))
}

/// The high bits of those bytes that are neither letters nor digits nor one of `-./:_`.
#[inline]
fn rare_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES.wrapping_mul(0x80);
    let bytes = word & !HIGH;
    // A byte below 0x80 plus one up to 0x80 carries into no other byte.
    let from = |bytes: u64, first: u8| bytes.wrapping_add(ONES.wrapping_mul(0x80_u64.wrapping_sub(u64::from(first))));
    let lower = bytes | ONES.wrapping_mul(0x20);
    let letters = from(lower, b'a') & !from(lower, b'z'.wrapping_add(1));
    let digits = from(bytes, b'-') & !from(bytes, b':'.wrapping_add(1));
    let others = from(bytes ^ ONES.wrapping_mul(u64::from(b'_')), 1);
    (others & !letters & !digits | word) & HIGH
}

/// Whether a byte is neither a path byte nor a slash.
#[expect(clippy::indexing_slicing, reason = "a constant")]
const OTHERS: [bool; 256] = {
    let mut others = [true; 256];
    let mut byte = 0;
    while byte < u8::MAX {
        others[byte as usize] = !is_path_byte(byte) && byte != b'/';
        byte += 1;
    }
    others
};

/// Whether `path` is canonical at first sight: the common case. False says nothing.
fn is_plain(path: &[u8]) -> bool {
    are_path_bytes(path) && !path.windows(2).any(|pair| pair == b"//" || pair == b"/.")
}

/// Decodes and encodes each segment and resolves dot segments; empty segments stay.
fn resolve(segments: &[u8], path: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut segments = segments.split(|&byte| byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let start = path.len();
        path.push(b'/');
        normalize(segment, path)?;
        let is_last = segments.peek().is_none();
        match path.get(start..).unwrap_or_default() {
            b"/." => path.truncate(start),
            b"/.." => {
                path.truncate(start);
                let parent = path.iter().rposition(|&byte| byte == b'/').ok_or(Malformed::AboveRoot)?;
                path.truncate(parent);
            }
            _ => continue,
        }
        if is_last {
            path.push(b'/');
        }
    }
    Ok(())
}

/// Appends `segment` with the necessary bytes encoded and no others.
fn normalize(segment: &[u8], path: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut utf8 = Utf8::default();
    let mut rest = segment;
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'%' => {
                let [high, low, after @ ..] = rest else { return Err(Malformed::Encoding) };
                rest = after;
                let byte = hex(*high, *low).ok_or(Malformed::Encoding)?;
                utf8.push(byte)?;
                match byte {
                    b'/' | b'\\' => return Err(Malformed::EncodedSlash),
                    0..=0x1F | 0x7F => return Err(Malformed::Control),
                    _ if is_unreserved(byte) => path.push(byte),
                    _ => encode(byte, path),
                }
            }
            b'\\' => return Err(Malformed::Backslash),
            b'#' => return Err(Malformed::Fragment),
            b';' => return Err(Malformed::Parameter),
            0..=0x1F | 0x7F => return Err(Malformed::Control),
            _ => {
                utf8.push(*byte)?;
                if is_path_byte(*byte) { path.push(*byte) } else { encode(*byte, path) }
            }
        }
    }
    utf8.finish()
}

/// RFC 3986 section 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 section 3.3 `pchar`, without `;` and without encodings.
const fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@')
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)?.wrapping_mul(16).wrapping_add(digit(low)?)).ok()
}

fn encode(byte: u8, path: &mut Vec<u8>) {
    let digit = |nibble: u8| b"0123456789ABCDEF".get(usize::from(nibble)).copied().unwrap_or_default();
    path.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
}

/// Follows decoded bytes and refuses what is not UTF-8.
#[derive(Default)]
struct Utf8 {
    bytes: [u8; 4],
    have: usize,
}

impl Utf8 {
    fn push(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.have == 0 && byte.is_ascii() {
            return Ok(());
        }
        *self.bytes.get_mut(self.have).ok_or(Malformed::NotUtf8)? = byte;
        self.have = self.have.saturating_add(1);
        match core::str::from_utf8(self.bytes.get(..self.have).unwrap_or_default()) {
            Ok(_) => self.have = 0,
            Err(error) if error.error_len().is_some() => return Err(Malformed::NotUtf8),
            Err(_incomplete) => {}
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), Malformed> {
        if self.have == 0 { Ok(()) } else { Err(Malformed::NotUtf8) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, PATH_BYTES, are_path_bytes, canonicalize, is_path_byte, is_plain, rare_bytes};

    #[track_caller]
    fn check(raw: &str, expected: Result<&str, Malformed>) {
        let mut path = Vec::new();
        let found = canonicalize(raw, &mut path).map(|()| String::from_utf8(path).unwrap());
        assert_eq!(found.as_deref(), expected.as_ref().copied(), "{raw:?}");
        if let Ok(path) = found {
            let mut again = Vec::new();
            assert_eq!(canonicalize(&path, &mut again), Ok(()), "{raw:?}");
            assert_eq!(again, path.as_bytes(), "canonicalizing twice differs for {raw:?}");
        }
    }

    #[test]
    fn leaves_plain_paths_alone() {
        for path in ["/", "/a", "/a/", "/a/b.c/d-e_f~g", "/a:b@c/!$&'()*+,=", "/a..b/c./..d/...", "/%2A%25"] {
            check(path, Ok(path));
        }
    }

    #[test]
    fn sees_at_once_what_is_canonical() {
        for path in ["/", "/a", "/a/", "/a/b.c/d-e_f~g", "/a:b@c/!$&'()*+,=", "/a..b/c."] {
            assert!(is_plain(path.as_bytes()), "{path:?}");
        }
        for path in ["//", "/a//b", "/.", "/a/.b", "/..", "/%41", "/a b", "/a;b", "/a?b", "/a#b", "/a\\b"] {
            assert!(!is_plain(path.as_bytes()), "{path:?}");
        }
    }

    #[test]
    fn knows_each_byte_at_each_place() {
        for byte in 0..=u8::MAX {
            for at in 0..11 {
                let mut path = *b"/abcdefghij";
                path[at] = byte;
                assert_eq!(are_path_bytes(&path), is_path_byte(byte) || byte == b'/', "{byte} at {at}");
            }
        }
    }

    #[test]
    fn two_strange_bytes_do_not_make_up_for_each_other() {
        for other in 1..16 {
            let mut path = *b"/abcdefghijklmnopqrstuvw";
            (path[0], path[other]) = (b'"', b'"');
            assert!(!are_path_bytes(&path), "{other}");
        }
    }

    #[test]
    fn knows_common_bytes_in_words() {
        for byte in 0..=u8::MAX {
            let is_common = byte.is_ascii_alphanumeric() || b"-./:_".contains(&byte);
            for at in 0..8 {
                let mut word = *b"Az-09._/";
                word[at] = byte;
                let marked = 1_u64.wrapping_shl(8 * at as u32 + 7);
                assert_eq!(rare_bytes(u64::from_le_bytes(word)), if is_common { 0 } else { marked }, "{byte} at {at}");
            }
        }
    }

    #[test]
    fn drops_the_query() {
        check("/a?b=/../c", Ok("/a"));
        check("/?", Ok("/"));
    }

    #[test]
    fn has_one_spelling_for_one_byte() {
        check("/%7euser/%41%2d%2E%5f", Ok("/~user/A-._"));
        check("/%2a%2A", Ok("/%2A%2A"));
        check("/a b\"<>^`{|}[]", Ok("/a%20b%22%3C%3E%5E%60%7B%7C%7D%5B%5D"));
        check("/%252e%252e%252f", Ok("/%252e%252e%252f"));
        check("/caf\u{e9}/caf%c3%a9", Ok("/caf%C3%A9/caf%C3%A9"));
        check("/\u{1f600}", Ok("/%F0%9F%98%80"));
        check("/%3b%23%3F", Ok("/%3B%23%3F"));
    }

    #[test]
    fn resolves_dot_segments_then_merges_slashes() {
        check("/a/./b/../c", Ok("/a/c"));
        check("/a/b/..", Ok("/a/"));
        check("/a/.", Ok("/a/"));
        check("/a/..", Ok("/"));
        check("/a/%2e%2E/b/.%2e/c", Ok("/c"));
        check("/a//../b", Ok("/a/b"));
        check("//", Ok("/"));
        check("//..//a///b//", Ok("/a/b/"));
    }

    #[test]
    fn refuses_what_has_no_one_meaning() {
        for raw in ["", "a", "*", "?a", "http://h/a"] {
            check(raw, Err(Malformed::NotAbsolute));
        }
        for raw in ["/%", "/%2", "/%zz", "/%2g", "/a%/b", "/%+1"] {
            check(raw, Err(Malformed::Encoding));
        }
        for raw in ["/\0", "/a\n", "/\x7f", "/%00", "/%0d", "/%1F", "/%7f"] {
            check(raw, Err(Malformed::Control));
        }
        check("/a\\b", Err(Malformed::Backslash));
        check("/a#b", Err(Malformed::Fragment));
        for raw in ["/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb"] {
            check(raw, Err(Malformed::EncodedSlash));
        }
        for raw in ["/..;/a", "/a;b=c"] {
            check(raw, Err(Malformed::Parameter));
        }
        for raw in ["/..", "/../a", "/a/../..", "/%2e%2e/a", "/a/.%2e/..", "/./.."] {
            check(raw, Err(Malformed::AboveRoot));
        }
        // The last: the first fault is the one that is named.
        for raw in ["/%ff", "/%c3", "/%c3/%a9", "/%c3a", "/%c3a%a9", "/%c0%af", "/%ed%a0%80", "/%c3\u{e9}", "/%ff%2f"] {
            check(raw, Err(Malformed::NotUtf8));
        }
    }

    #[test]
    fn bounds_both_forms() {
        let at = format!("/{}", "a".repeat(PATH_BYTES - 1));
        check(&at, Ok(&at));
        check(&format!("{at}?{at}"), Ok(&at));
        check(&format!("{at}a"), Err(Malformed::TooLong));
        let grows = format!("/{}", " ".repeat((PATH_BYTES - 1) / 3));
        check(&grows, Ok(&grows.replace(' ', "%20")));
        check(&format!("{grows}a"), Ok(&format!("{}a", grows.replace(' ', "%20"))));
        check(&format!("{grows} "), Err(Malformed::TooLong));
    }
}
