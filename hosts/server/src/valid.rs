//! Input that satisfies a schema of the management policy, checked by the component before a handler sees it.
//!
//! What cannot be read is a 400, what is too large a 413, another content type a 415; everything else that is wrong is one
//! 422 with all violations.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use portcullis_runtime::Verdict;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::body::{self, BODY_BYTES, MediaType};
use crate::error::ApiError;

/// What the schema of this name in `management.yaml` describes.
pub trait Described: DeserializeOwned {
    const SCHEMA: &'static str;
}

/// The same input as a form, described by another schema: its numbers and flags are texts.
pub trait DescribedForm: Described {
    const FORM: &'static str;
}

/// A JSON body.
pub struct ValidJson<T>(pub T);

/// A body that is JSON or a form.
pub struct ValidBody<T>(pub T);

/// As `ValidJson`; no body at all is the default.
pub struct OptionalJson<T>(pub T);

/// The query string; its schema is one of a form.
pub struct ValidQuery<T>(pub T);

impl<T: Described> FromRequest<Arc<App>> for ValidJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        body::require_json(request.headers())?;
        valid(app, &body::read(request, BODY_BYTES).await?).map(Self)
    }
}

impl<T: DescribedForm> FromRequest<Arc<App>> for ValidBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let MediaType { essence, is_utf8 } = MediaType::of(request.headers())?;
        let schema = match essence.as_str() {
            "application/json" if is_utf8 => T::SCHEMA,
            "application/x-www-form-urlencoded" if is_utf8 => T::FORM,
            _ => {
                return Err(ApiError::MediaType {
                    expected: "`application/json` or `application/x-www-form-urlencoded`",
                });
            }
        };
        valid_by(schema, app, &body::read(request, BODY_BYTES).await?).map(Self)
    }
}

impl<T: Described + Default> FromRequest<Arc<App>> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        if request.headers().contains_key(CONTENT_TYPE) {
            return ValidJson::from_request(request, app).await.map(|ValidJson(value)| Self(value));
        }
        match body::read(request, BODY_BYTES).await?.is_empty() {
            true => Ok(Self(T::default())),
            false => Err(body::NOT_JSON),
        }
    }
}

impl<T: Described> FromRequestParts<Arc<App>> for ValidQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        valid(app, parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

/// What the schema of `T` says about a JSON text that no body is.
pub fn valid<T: Described>(app: &App, document: &[u8]) -> Result<T, ApiError> {
    valid_by(T::SCHEMA, app, document)
}

fn valid_by<T: DeserializeOwned>(schema: &str, app: &App, document: &[u8]) -> Result<T, ApiError> {
    let report = app.gate.validate(schema, document)?;
    match (report.verdict, &report.normalized) {
        // A number may satisfy the schema and not be written as Rust reads it: `1.0` is an integer.
        (Verdict::Valid, Some(json)) => {
            serde_json::from_str(json).map_err(|error| ApiError::malformed(error.to_string()))
        }
        _ => Err(ApiError::Violations(report)),
    }
}
