//! What a request is called in logs: as a trusted proxy says, or a random UUID.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::observe::request::REQUEST_ID;

#[derive(Clone, Debug)]
pub struct RequestId(HeaderValue);

/// Longest id of others that is taken over.
const BYTES: usize = 128;

impl RequestId {
    /// `told` are headers that are believed.
    pub fn new(told: Option<&HeaderMap>) -> Self {
        told.and_then(|headers| Self::said(headers, &REQUEST_ID)).unwrap_or_else(Self::random)
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

    fn random() -> Self {
        let mut text = Uuid::encode_buffer();
        let id = Uuid::new_v4().hyphenated().encode_lower(&mut text);
        // Hexadecimal digits are legal in a header.
        Self(HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("")))
    }
}

fn is_plain(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}
