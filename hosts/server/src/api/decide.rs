//! `POST /policy/decide` and `/policy/explain`: the tenant's policy, in the component.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_runtime::{Decision, Explained, Request};

use crate::api::{TenantParams, tenant};
use crate::app::App;
use crate::body::{JsonText, Params};
use crate::error::ApiError;

pub async fn decide(
    State(app): State<Arc<App>>,
    Params(TenantParams { tenant: name }): Params<TenantParams>,
    JsonText(text): JsonText,
) -> Result<Json<Decision>, ApiError> {
    let request = Request::from_json(&text)?;
    Ok(Json(tenant(&app, name.as_deref())?.decide(&request)))
}

pub async fn explain(
    State(app): State<Arc<App>>,
    Params(TenantParams { tenant: name }): Params<TenantParams>,
    JsonText(text): JsonText,
) -> Result<Json<Explained>, ApiError> {
    let request = Request::from_json(&text)?;
    Ok(Json(tenant(&app, name.as_deref())?.explain(&request)))
}
