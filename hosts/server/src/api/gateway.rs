//! `GET /gateway/identity`: an edge shows what its client sent beside a token that it can verify itself, and learns who
//! that is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::api::{TenantParams, tenant};
use crate::app::App;
use crate::authn::client::{Offered, Owner, user_subject};
use crate::body::Params;
use crate::error::ApiError;

/// Seconds that an edge may remember the answer. What changes earlier comes as a revocation.
const ANSWER_LIVES_S: u64 = 60;

/// 200 and who it is; 204 when nothing that was shown is of this server; 401 when it is, and not valid. Cookies are
/// looked at by nobody: those of sessions go to the gateway of their dialect.
pub async fn identity(
    State(app): State<Arc<App>>,
    Params(TenantParams { tenant: name }): Params<TenantParams>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    tenant(&app, name.as_deref())?;
    let offered = Offered::forwarded(&headers)?;
    // Before the user is read: what voids the answer meanwhile is later.
    let now = app.store.now().0;
    let user = match offered.owner(&app.store).await? {
        Owner::Nobody => return Ok(StatusCode::NO_CONTENT.into_response()),
        Owner::Invalid => return Err(ApiError::BadToken),
        Owner::User(user) => user,
    };
    // What is said here was true now, whenever the token was issued: a revocation of before is part of the answer.
    let subject = user_subject(&user, now);
    let answer = json!({
        "subject": {
            "id": subject.id,
            "state": subject.state,
            "roles": subject.roles,
            "permission_groups": subject.permission_groups,
            "level": subject.level,
            "otp": subject.otp,
            "issued_at": now,
        },
        "credential": "api_key",
        "issued_at": now,
        "expires": now.saturating_add(ANSWER_LIVES_S),
    });
    Ok(Json(answer).into_response())
}
