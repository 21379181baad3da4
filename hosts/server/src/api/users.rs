//! `/directory/users`: users, their roles and their tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portcullis_directory::{AccessToken, NewUser, RoleName, RoleSet, TokenLabel, User, UserChange, UserId, UserState};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::{next_page, page_size};
use crate::app::App;
use crate::authn::secret::{AccessSecret, Secret as _};
use crate::body::Params;
use crate::error::{ApiError, NO_USER};
use crate::permit::{Author, Permit};
use crate::valid::{Described, OptionalJson, ValidJson};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    after: Option<String>,
    limit: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUserBody {
    id: String,
    roles: Option<Vec<String>>,
    state: Option<String>,
}

impl Described for NewUserBody {
    const SCHEMA: &'static str = "new-user";
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeBody {
    roles: Option<Vec<String>>,
    state: Option<String>,
}

impl Described for ChangeBody {
    const SCHEMA: &'static str = "user-change";
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    label: Option<String>,
}

impl Described for TokenBody {
    const SCHEMA: &'static str = "new-token";
}

/// The `{id}` of the path. A text that cannot be an id is an id that nobody has.
pub struct UserPath(UserId);

/// A user on the wire.
#[derive(Serialize)]
struct UserAnswer {
    id: String,
    state: String,
    roles: Vec<String>,
    /// Unix seconds, as `updated_at`.
    created_at: u64,
    updated_at: u64,
    revision: u64,
}

pub async fn list(
    State(app): State<Arc<App>>,
    Params(ListParams { after, limit }): Params<ListParams>,
) -> Result<Response, ApiError> {
    let limit = page_size(limit)?;
    let after = after.as_deref().map(UserId::parse).transpose()?;
    let users = app.store.users(after.as_ref(), limit).await?;
    let next = next_page(&users, limit, |user| user.id.to_string());
    let users: Vec<UserAnswer> = users.into_iter().map(UserAnswer::from).collect();
    Ok(Json(json!({"users": users, "next": next})).into_response())
}

pub async fn create(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    ValidJson(NewUserBody { id, roles, state }): ValidJson<NewUserBody>,
) -> Result<Response, ApiError> {
    let state = state.as_deref().map(UserState::parse).transpose()?.unwrap_or_else(UserState::active);
    let roles = roles.map(parse_roles).transpose()?.unwrap_or_default();
    let user = NewUser { id: UserId::parse(&id)?, state, roles };
    let user = app.store.create_user(&permit, &user).await?;
    Ok((StatusCode::CREATED, Json(UserAnswer::from(user))).into_response())
}

pub async fn show(State(app): State<Arc<App>>, UserPath(id): UserPath) -> Result<Response, ApiError> {
    let user = app.store.user(&id).await?.ok_or(NO_USER)?;
    Ok(Json(UserAnswer::from(user)).into_response())
}

pub async fn update(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    UserPath(id): UserPath,
    ValidJson(ChangeBody { roles, state }): ValidJson<ChangeBody>,
) -> Result<Response, ApiError> {
    let state = state.as_deref().map(UserState::parse).transpose()?;
    let change = UserChange { state, roles: roles.map(parse_roles).transpose()? };
    let user = app.store.update_user(&permit, id, change).await?;
    Ok(Json(UserAnswer::from(user)).into_response())
}

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    UserPath(id): UserPath,
) -> Result<StatusCode, ApiError> {
    app.store.delete_user(&permit, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn issue_token(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    UserPath(id): UserPath,
    OptionalJson(TokenBody { label }): OptionalJson<TokenBody>,
) -> Result<Response, ApiError> {
    let label = label.as_deref().map(TokenLabel::parse).transpose()?;
    let secret = AccessSecret::generate().map_err(ApiError::internal)?;
    app.store.issue_token(&permit, &id, &AccessToken { hash: secret.hash(), label }).await?;
    let answer = Json(json!({"token": secret.reveal()}));
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], answer).into_response())
}

pub async fn revoke_tokens(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    UserPath(id): UserPath,
) -> Result<StatusCode, ApiError> {
    app.store.revoke_tokens(&permit, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Voids every token of the subject, wherever it was issued.
pub async fn revoke(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    UserPath(id): UserPath,
) -> Result<Response, ApiError> {
    let subject = id.to_string();
    let not_before = app.store.revoke_subject(&permit, id).await?;
    Ok(Json(json!({"subject": subject, "not_before": not_before.0})).into_response())
}

impl<S: Send + Sync> FromRequestParts<S> for UserPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|error| ApiError::malformed(error.body_text()))?;
        UserId::parse(&id).map(Self).map_err(|_| NO_USER)
    }
}

impl From<User> for UserAnswer {
    fn from(user: User) -> Self {
        let User { id, state, roles, groups: _, level: _, otp: _, created_at, updated_at, revision } = user;
        Self {
            id: id.to_string(),
            state: state.to_string(),
            roles: roles.iter().map(RoleName::to_string).collect(),
            created_at: created_at.0,
            updated_at: updated_at.0,
            revision,
        }
    }
}

fn parse_roles(roles: Vec<String>) -> Result<RoleSet, ApiError> {
    let roles = roles.iter().map(|role| RoleName::parse(role)).collect::<Result<Vec<_>, _>>()?;
    Ok(RoleSet::new(roles)?)
}
