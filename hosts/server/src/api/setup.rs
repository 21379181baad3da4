//! `POST /setup`: the first user, for whoever holds the setup token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use portcullis_directory::{AccessToken, FirstUser, NewUser, RoleName, RoleSet, UserId, UserState};
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::authn::secret::{AccessSecret, Secret as _};
use crate::error::ApiError;
use crate::permit::{Permit, SetupHolder};
use crate::valid::{Described, DescribedForm, ValidBody};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupBody {
    id: String,
}

impl Described for SetupBody {
    const SCHEMA: &'static str = "setup";
}

impl DescribedForm for SetupBody {
    const FORM: &'static str = "setup-form";
}

pub async fn create_first_user(
    State(app): State<Arc<App>>,
    permit: Permit<SetupHolder>,
    ValidBody(SetupBody { id }): ValidBody<SetupBody>,
) -> Result<Response, ApiError> {
    let roles = RoleSet::new([RoleName::parse("admin")?])?;
    let user = NewUser { id: UserId::parse(&id)?, state: UserState::active(), roles };
    let secret = AccessSecret::generate().map_err(ApiError::internal)?;
    let first = FirstUser { user, token: AccessToken { hash: secret.hash(), label: None } };
    let user = app.store.set_up(&permit, &first).await?;
    let roles: Vec<&str> = user.roles.iter().map(RoleName::as_str).collect();
    let answer = Json(json!({"id": user.id.as_str(), "roles": roles, "token": secret.reveal()}));
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], answer).into_response())
}
