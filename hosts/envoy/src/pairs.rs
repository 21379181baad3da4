//! Headers as they cross the border of the sandbox.
//!
//! A count, then the sizes of each name and value, all of 32 bits, little-endian; then names and values, each with a NUL
//! behind it.

use std::ops::Range;

use crate::headers::{Headers, Place};
use crate::host::HostError;

pub(crate) fn encode<Value: AsRef<[u8]>>(pairs: &[(&str, Value)]) -> Vec<u8> {
    let texts: usize = pairs.iter().map(|(name, value)| name.len().saturating_add(value.as_ref().len())).sum();
    let mut bytes = Vec::with_capacity(texts.saturating_add(pairs.len().saturating_mul(10)).saturating_add(4));
    let size = |size: usize| u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
    bytes.extend_from_slice(&size(pairs.len()));
    for (name, value) in pairs {
        bytes.extend_from_slice(&size(name.len()));
        bytes.extend_from_slice(&size(value.as_ref().len()));
    }
    for text in pairs.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_ref()]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

/// No bytes at all are no headers. A name that is no text is an error: nothing could be decided by it.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Headers, HostError> {
    let places = if bytes.is_empty() { Vec::new() } else { places(&bytes)? };
    Ok(Headers::new(bytes, places))
}

fn places(bytes: &[u8]) -> Result<Vec<Place>, HostError> {
    let (count, rest) = number(bytes)?;
    let (mut sizes, texts) = rest.split_at_checked(count.checked_mul(8).ok_or(HostError)?).ok_or(HostError)?;
    let mut texts = Texts { bytes, next: bytes.len().saturating_sub(texts.len()) };
    let mut places = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_size, rest) = number(sizes)?;
        let (value_size, rest) = number(rest)?;
        sizes = rest;
        let place = Place { name: texts.place(name_size)?, value: texts.place(value_size)? };
        let name = bytes.get(place.name.clone()).ok_or(HostError)?;
        core::str::from_utf8(name).map_err(|_| HostError)?;
        places.push(place);
    }
    Ok(places)
}

fn number(bytes: &[u8]) -> Result<(usize, &[u8]), HostError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(HostError)?;
    Ok((usize::try_from(u32::from_le_bytes(*number)).map_err(|_| HostError)?, rest))
}

struct Texts<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl Texts<'_> {
    /// Of the next text, of so many bytes; the NUL behind it is no part of it.
    fn place(&mut self, size: usize) -> Result<Range<usize>, HostError> {
        let end = self.next.checked_add(size).ok_or(HostError)?;
        let place = self.next..end;
        self.next = end.checked_add(1).ok_or(HostError)?;
        if self.bytes.get(end) == Some(&0) { Ok(place) } else { Err(HostError) }
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::fake::{Pairs, headers};
    use crate::host::HostError;

    fn decoded(bytes: &[u8]) -> Result<Pairs, HostError> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ok(decode(bytes.to_vec())?.iter().map(|(name, value)| (text(name), value.to_vec())).collect())
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for pairs in [&[][..], &[("a", "")], &[(":path", "/x\0y"), ("a", "1"), ("a", "2")]] {
            assert_eq!(decoded(&encode(pairs)), Ok(headers(pairs)), "{pairs:?}");
        }
        assert_eq!(decoded(b""), Ok(headers(&[])));
        assert_eq!(encode(&[("ab", "c")]), b"\x01\0\0\0\x02\0\0\0\x01\0\0\0ab\0c\0");
    }

    #[test]
    fn a_value_is_any_bytes() {
        let bytes = b"\x01\0\0\0\x01\0\0\0\x02\0\0\0a\0\xff\xfe\0";
        assert_eq!(decoded(bytes), Ok(vec![("a".to_owned(), vec![0xff, 0xfe])]));
    }

    #[test]
    fn what_breaks_off_or_lies_is_refused() {
        let whole = encode(&[("name", "value"), ("a", "b")]);
        for end in 1..whole.len() {
            assert_eq!(decoded(&whole[..end]), Err(HostError), "{end}");
        }
        for bytes in [
            &b"\xff\xff\xff\xff"[..],
            b"\x01\0\0\0\xff\xff\xff\xff\0\0\0\0a\0",
            b"\x01\0\0\0\x01\0\0\0\0\0\0\0\xff\0\0",
        ] {
            assert_eq!(decoded(bytes), Err(HostError), "{bytes:?}");
        }
    }
}
