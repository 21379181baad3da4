//! What callers send: bodies by their schemas, names in paths. What is wrong is a 400, the dialect has no 422 for it.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use portcullis_directory::{Account, Details, Email, RoleName, RoleSet, UserId, Username};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::ApiError;
use crate::valid::{Described, ValidJson};

/// As `ValidJson`.
pub struct Input<T>(pub T);

/// The `{id}` of a path.
pub struct UserPath(pub UserId);

/// The `{name}` of a path.
pub struct RolePath(pub RoleName);

/// A user as typed; what is absent or null is none.
#[derive(Default, Deserialize, Serialize)]
pub struct UserConfig {
    pub user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
}

#[derive(Deserialize)]
pub struct NewUserParams {
    pub user: UserConfig,
    pub roles: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub struct NewUserRoles {
    pub roles: Option<Vec<String>>,
}

impl Described for UserConfig {
    const SCHEMA: &'static str = "padlock-user";
}

impl Described for NewUserParams {
    const SCHEMA: &'static str = "padlock-new-user";
}

impl Described for NewUserRoles {
    const SCHEMA: &'static str = "padlock-user-roles";
}

impl<T: Described> FromRequest<Arc<App>> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let body = ValidJson::from_request(request, app).await;
        body.map(|ValidJson(value)| Self(value)).map_err(ApiError::into_malformed)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for UserPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        user_id(&segment(parts, state).await?).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RolePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name = segment(parts, state).await?;
        if !is_plain(&name) {
            return Err(ApiError::malformed("a role is called by letters, digits, `_` and `-`"));
        }
        RoleName::parse(&name).map(Self).map_err(|error| ApiError::from(error).into_malformed())
    }
}

// === impl UserConfig ===

impl UserConfig {
    pub fn id(&self) -> Result<UserId, ApiError> {
        user_id(&self.user_id)
    }

    /// In place of what was known; what the dialect does not speak of stays.
    pub fn into_details(self, before: Option<Account>) -> Result<Details, ApiError> {
        let Self { user_id: _, username, email, first_name, last_name } = self;
        let before = before.map(|account| account.details).unwrap_or_default();
        let email = email.as_deref().map(Email::parse).transpose();
        let username = username.map(|name| match before.username {
            // Of nobody else as long as it is the same.
            Some(Username::Own(own)) if own == name => Username::Own(own),
            _ => Username::Shared(name),
        });
        let email = email.map_err(|error| ApiError::from(error).into_malformed())?;
        Ok(Details { email, username, first_name, last_name, ..before })
    }
}

/// An id as this dialect has them: `A-Z`, `a-z`, `0-9`, `_` and `-`.
pub fn user_id(text: &str) -> Result<UserId, ApiError> {
    if !is_plain(text) {
        return Err(ApiError::malformed("a user id has letters, digits, `_` and `-`"));
    }
    UserId::parse(text).map_err(|error| ApiError::from(error).into_malformed())
}

/// Names that the schema took; `None` is no role.
pub fn role_set(names: Option<Vec<String>>) -> Result<RoleSet, ApiError> {
    let names = names.unwrap_or_default();
    let names = names.iter().map(|name| RoleName::parse(name)).collect::<Result<Vec<_>, _>>()?;
    Ok(RoleSet::new(names)?)
}

async fn segment<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, ApiError> {
    let path = Path::<String>::from_request_parts(parts, state).await;
    path.map(|Path(segment)| segment).map_err(|error| ApiError::malformed(error.body_text()))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
