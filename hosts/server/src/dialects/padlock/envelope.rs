//! The envelope of every answer: `success`, `request_id`, then what was asked for or the error. One layer around the router
//! makes it, so that refusals of any layer have it too.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use portcullis_identity::hex;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::App;
use crate::dialects::padlock::is_ours;
use crate::error::{ApiError, Refused};

/// A success, and what the envelope holds beside it.
#[derive(Clone, Default)]
pub struct Reply(Map<String, Value>);

/// The whole answer.
#[derive(Serialize)]
struct Envelope<'a> {
    success: bool,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
    #[serde(flatten)]
    members: Map<String, Value>,
}

#[derive(Serialize)]
struct Error {
    code: u16,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// What a request is called in logs: as the caller says, or a random UUID.
struct RequestId(HeaderValue);

/// Longest id of a caller that is taken over.
const ID_BYTES: usize = 128;

// === impl Reply ===

impl Reply {
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

/// The layer around everything; other paths pass as they are.
pub async fn wrap(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if !is_ours(request.uri().path()) {
        return next.run(request).await;
    }
    let name = &app.padlock.settings.headers.request_id;
    match RequestId::of(request.headers(), name) {
        Ok(id) => enveloped(next.run(request).await, name, &id),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

fn enveloped(mut response: Response, name: &HeaderName, id: &RequestId) -> Response {
    let status = response.status();
    let reply = response.extensions_mut().remove::<Reply>();
    let refused = response.extensions_mut().remove::<Refused>();
    let error = refused.map(|Refused { title, detail, code: _, reason: _ }| Error {
        code: status.as_u16(),
        message: title,
        detail,
    });
    let members = reply.unwrap_or_default().0;
    let envelope = Envelope { success: status.is_success(), request_id: id.as_str(), error, members };
    match serde_json::to_string(&envelope) {
        Ok(envelope) => *response.body_mut() = Body::from(envelope),
        Err(error) => return ApiError::internal(error).into_response(),
    }
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(name.clone(), id.0.clone());
    response
}

// === impl RequestId ===

impl RequestId {
    fn of(headers: &HeaderMap, name: &HeaderName) -> Result<Self, getrandom::Error> {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(id), None) if is_plain(id) => Ok(Self(id.clone())),
            _ => Self::random(),
        }
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

    fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

fn is_plain(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=ID_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}
