//! What a request is called in logs: as a trusted proxy says, or a random UUID.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_identity::hex;

use crate::observe::request::REQUEST_ID;

#[derive(Clone, Debug)]
pub struct RequestId(HeaderValue);

/// Longest id of others that is taken over.
const BYTES: usize = 128;

impl RequestId {
    /// `told` are headers that are believed.
    pub fn new(told: Option<&HeaderMap>) -> Result<Self, getrandom::Error> {
        told.and_then(|headers| Self::said(headers, &REQUEST_ID)).map_or_else(Self::random, Ok)
    }

    /// The one value of the header, if it can stand in a log.
    pub fn said(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(id), None) if is_plain(id) => Some(Self(id.clone())),
            _ => None,
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// A UUID of version 4 (RFC 9562 section 5.4).
    fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let parts = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].map(hex);
        // Hexadecimal digits are legal in a header.
        Ok(Self(HeaderValue::from_str(&parts.join("-")).unwrap_or(HeaderValue::from_static(""))))
    }
}

fn is_plain(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}
