//! The header `traceparent` (W3C Trace Context, level 1): whose span a request is a part of.

use axum::http::HeaderMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    /// Whoever began the trace records it.
    pub is_sampled: bool,
}

const HEADER: &str = "traceparent";

/// `VERSION-TRACE-SPAN-FLAGS` of version 00.
const BYTES: usize = 55;

impl Parent {
    /// `None` when there is none, more than one, or one that is not legal: then the request begins a trace of its own.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(HEADER).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        Self::parse(value.to_str().ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version: [u8; 1] = hexadecimal(parts.next()?)?;
        let (trace_id, span_id) = (hexadecimal(parts.next()?)?, hexadecimal(parts.next()?)?);
        let flags: [u8; 1] = hexadecimal(parts.next()?)?;
        // Later versions may append parts; 255 is no version.
        let is_legal = match version[0] {
            0 => text.len() == BYTES,
            255 => false,
            _ => text.len() == BYTES || text.as_bytes().get(BYTES) == Some(&b'-'),
        };
        let has_ids = trace_id != [0; 16] && span_id != [0; 8];
        (is_legal && has_ids).then_some(Self { trace_id, span_id, is_sampled: flags[0] & 1 == 1 })
    }
}

/// Lower case only.
fn hexadecimal<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != BYTES * 2 || !text.bytes().all(is_digit) {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_read_as_the_standard_says() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parent = Parent::parse(text).unwrap();
        assert_eq!((parent.trace_id[0], parent.trace_id[15], parent.span_id[7]), (0x0a, 0x9c, 0x31));
        assert!(parent.is_sampled);
        assert!(!Parent::parse(&text.replace("-01", "-02")).unwrap().is_sampled);
        assert!(Parent::parse(&text.replacen("00-", "01-", 1)).is_some());
        assert!(Parent::parse(&(text.replacen("00-", "01-", 1) + "-more")).is_some());
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333+-01",
            "é0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(Parent::parse(text), None, "{text}");
        }
        let mut headers = HeaderMap::new();
        let value = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        headers.append(HEADER, value.parse().unwrap());
        assert!(Parent::read(&headers).is_some());
        headers.append(HEADER, value.parse().unwrap());
        assert_eq!(Parent::read(&headers), None);
    }
}
