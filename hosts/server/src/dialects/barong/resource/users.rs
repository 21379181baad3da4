//! `resource/users`: who one is, and another password.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use portcullis_directory::{ChangeError, User};
use portcullis_identity::Secret;
use portcullis_identity::login::{Attempt, LoginError};

use super::caller;
use crate::app::App;
use crate::dialects::barong::activity::{self, Did};
use crate::dialects::barong::codes::TOO_MANY;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::identity::hashed;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::views::own;
use crate::dialects::barong::visitor::Visitor;
use crate::identity::RANDOM;
use crate::permit::{Author, Permit};

const CHANGE: Did<'static> = Did { topic: "password", action: "password change", reason: None };

pub async fn me(State(app): State<Arc<App>>, permit: Permit<Author>) -> Result<Response, Refusal> {
    let account = caller(&app, &permit).await?;
    Ok(Json(own(&app, &account, None).await?).into_response())
}

/// Ends the other sessions.
pub async fn replace_password(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "resource.user");
    let (old, new) = (input.required("old_password"), input.required("new_password"));
    let confirmed = input.required("confirm_password");
    input.finish()?;
    let account = caller(&app, &permit).await?;
    let wrong = if new != confirmed {
        Some((StatusCode::UNPROCESSABLE_ENTITY, "resource.password.doesnt_match", "New passwords don't match"))
    } else if !is_password(&app, &visitor, &account.user, &old).await? {
        let code = "resource.password.prev_pass_not_correct";
        Some((StatusCode::BAD_REQUEST, code, "Previous password is not correct"))
    } else if old == new {
        let code = "resource.password.no_change_provided";
        Some((StatusCode::BAD_REQUEST, code, "New password cant be the same, as old one"))
    } else {
        None
    };
    if let Some((status, code, why)) = wrong {
        activity::failed(&app, &permit, &visitor, &account.user, CHANGE.because(why)).await?;
        return Err(Refusal::Other(status, code));
    }
    let email = account.details.email.as_ref().map(ToString::to_string).unwrap_or_default();
    let hash = hashed(&app, &new, &[&email]).await?;
    let kept = visitor.cookie.as_deref().and_then(Secret::parse).map(|cookie| cookie.hash());
    match app.store.set_password(&permit, &account.user.id, hash, kept).await {
        Ok(()) => {}
        Err(ChangeError::NotFound { .. }) => return Err(Refusal::NotFound("record.not_found")),
        Err(error) => return Err(Refusal::internal(error)),
    }
    activity::succeeded(&app, &permit, &visitor, &account.user.id, CHANGE).await?;
    Ok((StatusCode::CREATED, Json(201)).into_response())
}

/// Counted like a login.
async fn is_password(app: &App, visitor: &Visitor, user: &User, password: &str) -> Result<bool, Refusal> {
    let (identity, now) = (&app.identity, app.store.now());
    let account = format!("password {}", user.id);
    let attempt = Attempt { account: &account, password, address: visitor.address };
    let throttle = &identity.settings.throttle;
    let known = Some(user.clone());
    match throttle.login(&identity.directory, &identity.passwords, known, attempt, (now, &RANDOM)).await {
        Ok(_) => Ok(true),
        Err(LoginError::Wrong) => Ok(false),
        Err(LoginError::Throttled) => Err(TOO_MANY),
        Err(error) => Err(Refusal::internal(error)),
    }
}
