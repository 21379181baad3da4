//! Denials of the gateway: a status and a code that clients know.

use axum::Json;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::error::ApiError;
use crate::pep::received::single;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    pub status: u16,
    pub code: &'static str,
}

/// A path, address or header that two readers would read differently.
pub const MALFORMED: Denial = Denial { status: 400, code: "authz.malformed_request" };
/// A method has no small letters.
pub const METHOD: Denial = Denial { status: 405, code: "authz.invalid_method" };
pub const NOT_READY: Denial = Denial { status: 503, code: "server.not_ready" };
pub const PERMISSION_DENIED: Denial = Denial { status: 401, code: "authz.permission_denied" };
pub const INVALID_SESSION: Denial = Denial { status: 401, code: "authz.invalid_session" };

/// Where a proxy says which status every deny but 401 shall have: nginx knows 401 and 403, anything else is an error to it.
const WANTED: &str = "x-portcullis-deny-status";

pub fn wanted_status(headers: &HeaderMap) -> Result<Option<u16>, ApiError> {
    let wrong = || ApiError::malformed(format!("`{WANTED}` must be 400 to 499"));
    let Some(text) = single(headers, WANTED).map_err(|_| wrong())? else { return Ok(None) };
    let status = text.parse().ok().filter(|status| (400..=499).contains(status));
    status.map(Some).ok_or_else(wrong)
}

impl Denial {
    /// A deny whose status is no error would let the client in: it becomes 503.
    pub fn answer(self, wanted: Option<u16>) -> Response {
        let status = match (self.status, wanted) {
            (401, _) => 401,
            (_, Some(wanted)) => wanted,
            (status @ 400..=599, None) => status,
            _ => 503,
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        (status, [(CACHE_CONTROL, "no-store")], Json(json!({"errors": [self.code]}))).into_response()
    }
}
