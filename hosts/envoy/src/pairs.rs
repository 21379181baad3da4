//! Headers as they cross the border of the sandbox.
//!
//! A count, then the sizes of each name and value, all of 32 bits, little-endian; then names and values, each with a NUL
//! behind it.

use crate::host::{Headers, HostError};

pub(crate) fn encode(pairs: &[(&str, &str)]) -> Vec<u8> {
    let texts: usize = pairs.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    let mut bytes = Vec::with_capacity(texts.saturating_add(pairs.len().saturating_mul(10)).saturating_add(4));
    let size = |size: usize| u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
    bytes.extend_from_slice(&size(pairs.len()));
    for (name, value) in pairs {
        bytes.extend_from_slice(&size(name.len()));
        bytes.extend_from_slice(&size(value.len()));
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// No bytes at all are no headers. A name that is no text is an error: nothing could be decided by it.
pub(crate) fn decode(bytes: &[u8]) -> Result<Headers, HostError> {
    if bytes.is_empty() {
        return Ok(Headers::new());
    }
    let (count, rest) = number(bytes)?;
    let (mut sizes, mut texts) = rest.split_at_checked(count.checked_mul(8).ok_or(HostError)?).ok_or(HostError)?;
    let mut headers = Headers::with_capacity(count);
    for _ in 0..count {
        let (name_size, rest) = number(sizes)?;
        let (value_size, rest) = number(rest)?;
        sizes = rest;
        let name = String::from_utf8(text(&mut texts, name_size)?.to_vec()).map_err(|_| HostError)?;
        headers.push((name, text(&mut texts, value_size)?.to_vec()));
    }
    Ok(headers)
}

fn number(bytes: &[u8]) -> Result<(usize, &[u8]), HostError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(HostError)?;
    Ok((usize::try_from(u32::from_le_bytes(*number)).map_err(|_| HostError)?, rest))
}

/// The next one of so many bytes; what follows the NUL is left.
fn text<'a>(texts: &mut &'a [u8], size: usize) -> Result<&'a [u8], HostError> {
    let (text, rest) = texts.split_at_checked(size).ok_or(HostError)?;
    *texts = rest.strip_prefix(&[0]).ok_or(HostError)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::fake::headers;
    use crate::host::HostError;

    #[test]
    fn what_was_encoded_is_decoded() {
        for pairs in [&[][..], &[("a", "")], &[(":path", "/x\0y"), ("a", "1"), ("a", "2")]] {
            assert_eq!(decode(&encode(pairs)), Ok(headers(pairs)), "{pairs:?}");
        }
        assert_eq!(decode(b""), Ok(headers(&[])));
        assert_eq!(encode(&[("ab", "c")]), b"\x01\0\0\0\x02\0\0\0\x01\0\0\0ab\0c\0");
    }

    #[test]
    fn a_value_is_any_bytes() {
        let bytes = b"\x01\0\0\0\x01\0\0\0\x02\0\0\0a\0\xff\xfe\0";
        assert_eq!(decode(bytes), Ok(vec![("a".to_owned(), vec![0xff, 0xfe])]));
    }

    #[test]
    fn what_breaks_off_or_lies_is_refused() {
        let whole = encode(&[("name", "value"), ("a", "b")]);
        for end in 1..whole.len() {
            assert_eq!(decode(&whole[..end]), Err(HostError), "{end}");
        }
        for bytes in [
            &b"\xff\xff\xff\xff"[..],
            b"\x01\0\0\0\xff\xff\xff\xff\0\0\0\0a\0",
            b"\x01\0\0\0\x01\0\0\0\0\0\0\0\xff\0\0",
        ] {
            assert_eq!(decode(bytes), Err(HostError), "{bytes:?}");
        }
    }
}
