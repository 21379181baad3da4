//! `/policy/candidate`: a policy that edges try without enforcing it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api::document::media_type;
use crate::api::{TenantParams, tenant};
use crate::app::App;
use crate::body::{self, DOCUMENT_BYTES, Params};
use crate::error::{ApiError, diagnostic_json};
use crate::permit::{Author, Permit};
use crate::valid::ValidQuery;

const NONE: ApiError = ApiError::NotFound { detail: "there is no candidate" };

/// The text as it was stored.
pub async fn show(
    State(app): State<Arc<App>>,
    Params(TenantParams { tenant: name }): Params<TenantParams>,
) -> Result<Response, ApiError> {
    let candidate = app.store.candidate(tenant(&app, name.as_deref())?.id()).await?.ok_or(NONE)?;
    let headers = [(CONTENT_TYPE, candidate.media_type), (CACHE_CONTROL, "no-cache".to_owned())];
    Ok((headers, candidate.text).into_response())
}

pub async fn replace(
    State(app): State<Arc<App>>,
    ValidQuery(TenantParams { tenant: name }): ValidQuery<TenantParams>,
    permit: Permit<Author>,
    request: Request,
) -> Result<Response, ApiError> {
    let publisher = &tenant(&app, name.as_deref())?.publisher;
    let media_type = media_type(request.headers())?;
    let text = body::utf8(body::read(request, DOCUMENT_BYTES).await?)?;
    let (digest, warnings) = publisher.put_candidate(permit, text, media_type).await?;
    let warnings: Vec<Value> = warnings.iter().map(diagnostic_json).collect();
    Ok(Json(json!({"digest": digest.to_string(), "warnings": warnings})).into_response())
}

pub async fn remove(
    State(app): State<Arc<App>>,
    ValidQuery(TenantParams { tenant: name }): ValidQuery<TenantParams>,
    permit: Permit<Author>,
) -> Result<StatusCode, ApiError> {
    let is_removed = tenant(&app, name.as_deref())?.publisher.remove_candidate(permit).await?;
    if is_removed { Ok(StatusCode::NO_CONTENT) } else { Err(NONE) }
}
