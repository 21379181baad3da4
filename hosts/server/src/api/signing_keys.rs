//! The keys of access tokens: `GET /.well-known/jwks.json` for whoever verifies them, `POST /identity/signing-keys` to change
//! them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::ApiError;
use crate::permit::{Author, Permit};

pub async fn published(State(app): State<Arc<App>>) -> Response {
    ([(CACHE_CONTROL, "public, max-age=300")], Json(app.identity.keys.published())).into_response()
}

/// Announces another key; it signs an hour later.
pub async fn rotate(State(app): State<Arc<App>>, permit: Permit<Author>) -> Result<Response, ApiError> {
    app.identity.keys.rotate(app.store.now(), permit.author()).await.map_err(ApiError::internal)?;
    Ok((StatusCode::CREATED, Json(app.identity.keys.published())).into_response())
}
