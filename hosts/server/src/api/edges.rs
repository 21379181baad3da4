//! `/edges`: the proxies of a tenant and their tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portcullis_directory::{Edge, EdgeId, EdgeName, EdgeToken};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{TenantParams, next_page, page_size, tenant};
use crate::app::App;
use crate::authn::secret::{EdgeSecret, Secret as _};
use crate::body::Params;
use crate::error::{ApiError, NO_EDGE};
use crate::permit::{Author, Permit};
use crate::valid::{Described, OptionalJson, ValidJson, ValidQuery};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    tenant: Option<String>,
    after: Option<String>,
    limit: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEdgeBody {
    name: String,
}

impl Described for NewEdgeBody {
    const SCHEMA: &'static str = "new-edge";
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationBody {
    /// Seconds that the token before this one stays valid.
    old_lives_s: Option<u64>,
}

impl Described for RotationBody {
    const SCHEMA: &'static str = "edge-token";
}

/// The `{id}` of the path. A text that cannot be a name is a name that no edge has.
pub struct EdgePath(EdgeName);

/// Time enough to give every proxy the new token.
const OLD_LIVES_S: u64 = 3_600;

pub async fn list(
    State(app): State<Arc<App>>,
    Params(ListParams { tenant: name, after, limit }): Params<ListParams>,
) -> Result<Response, ApiError> {
    let limit = page_size(limit)?;
    let after = after.as_deref().map(EdgeName::parse).transpose()?;
    let edges = app.store.edges(tenant(&app, name.as_deref())?.id(), after.as_ref(), limit).await?;
    let next = next_page(&edges, limit, |edge| edge.name.to_string());
    let edges: Vec<Value> = edges.iter().map(edge_json).collect();
    Ok(Json(json!({"edges": edges, "next": next})).into_response())
}

pub async fn create(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    ValidQuery(TenantParams { tenant: of }): ValidQuery<TenantParams>,
    ValidJson(NewEdgeBody { name }): ValidJson<NewEdgeBody>,
) -> Result<Response, ApiError> {
    let edge = EdgeId { tenant: tenant(&app, of.as_deref())?.id().clone(), name: EdgeName::parse(&name)? };
    let secret = EdgeSecret::generate().map_err(ApiError::internal)?;
    app.store.create_edge(&permit, &edge, secret.hash()).await?;
    let answer = json!({"tenant": edge.tenant.as_str(), "name": edge.name.as_str(), "token": secret.reveal()});
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

pub async fn issue_token(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    EdgePath(name): EdgePath,
    ValidQuery(TenantParams { tenant: of }): ValidQuery<TenantParams>,
    OptionalJson(RotationBody { old_lives_s }): OptionalJson<RotationBody>,
) -> Result<Response, ApiError> {
    let old_lives_s = old_lives_s.unwrap_or(OLD_LIVES_S);
    let edge = EdgeId { tenant: tenant(&app, of.as_deref())?.id().clone(), name };
    let secret = EdgeSecret::generate().map_err(ApiError::internal)?;
    let old_until = app.store.issue_edge_token(&permit, &edge, secret.hash(), old_lives_s).await?;
    let answer = Json(json!({"token": secret.reveal(), "old_until": old_until.0}));
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], answer).into_response())
}

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    EdgePath(name): EdgePath,
    ValidQuery(TenantParams { tenant: of }): ValidQuery<TenantParams>,
) -> Result<StatusCode, ApiError> {
    let edge = EdgeId { tenant: tenant(&app, of.as_deref())?.id().clone(), name };
    app.store.delete_edge(&permit, &edge).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl<S: Send + Sync> FromRequestParts<S> for EdgePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(name) = path.map_err(|error| ApiError::malformed(error.body_text()))?;
        EdgeName::parse(&name).map(Self).map_err(|_| NO_EDGE)
    }
}

fn edge_json(edge: &Edge) -> Value {
    let Edge { name, created_at, tokens } = edge;
    let token = |EdgeToken { created_at, expires_at }: &EdgeToken| json!({"created_at": created_at.0, "expires_at": expires_at.map(|at| at.0)});
    json!({
        "name": name.as_str(),
        "created_at": created_at.0,
        "tokens": tokens.iter().map(token).collect::<Vec<_>>(),
    })
}
