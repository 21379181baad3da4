//! Bodies and queries: bytes within a limit, of the right type, or an `ApiError`. What has a schema is in `valid`.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// Largest policy document.
pub const DOCUMENT_BYTES: usize = portcullis_core::limits::DOCUMENT_BYTES;

/// Largest body of everything else.
pub const BODY_BYTES: usize = 1024 * 1024;

/// The text of a JSON body, shape still unknown.
pub struct JsonText(pub String);

/// A query string. Unknown and duplicate keys are refused.
pub struct Params<T>(pub T);

/// `type/subtype` of the content type in lower case, and whether the charset can be UTF-8.
pub struct MediaType {
    pub essence: String,
    pub is_utf8: bool,
}

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        utf8(read(request, BODY_BYTES).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(params) = Query::from_request_parts(parts, state).await?;
        Ok(Self(params))
    }
}

pub const NOT_JSON: ApiError = ApiError::MediaType { expected: "`application/json`" };

pub fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let media_type = MediaType::of(headers)?;
    if media_type.essence == "application/json" && media_type.is_utf8 { Ok(()) } else { Err(NOT_JSON) }
}

/// The whole body, unless it is longer than `limit_bytes`.
pub async fn read(request: Request<Body>, limit_bytes: usize) -> Result<Vec<u8>, ApiError> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limit_bytes as u64) {
        return Err(ApiError::TooLarge { limit_bytes });
    }
    match Limited::new(request.into_body(), limit_bytes).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::TooLarge { limit_bytes }),
        Err(_) => Err(ApiError::malformed("the body ends too early")),
    }
}

pub fn utf8(bytes: Vec<u8>) -> Result<String, ApiError> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        ApiError::malformed(format!("the body is not UTF-8 at byte {at}"))
    })
}

// === impl MediaType ===

impl MediaType {
    /// Of the one `content-type` header; empty when there is none.
    pub fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap_or_default());
        if values.next().is_some() {
            return Err(ApiError::malformed("there is more than one header `content-type`"));
        }
        let mut parts = value.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let is_utf8 = parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
            !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
        Ok(Self { essence, is_utf8 })
    }
}
