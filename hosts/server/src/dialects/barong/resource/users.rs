//! `resource/users`: who one is, and another password.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use portcullis_directory::User;
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

const UNEQUAL: (Refusal, &str) =
    (Refusal::Other(StatusCode::UNPROCESSABLE_ENTITY, "resource.password.doesnt_match"), "New passwords don't match");
const WRONG: (Refusal, &str) = (
    Refusal::Other(StatusCode::BAD_REQUEST, "resource.password.prev_pass_not_correct"),
    "Previous password is not correct",
);
const SAME: (Refusal, &str) = (
    Refusal::Other(StatusCode::BAD_REQUEST, "resource.password.no_change_provided"),
    "New password cant be the same, as old one",
);
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
    let user = &account.user;
    let failed = async |(refusal, why): (Refusal, &str)| -> Result<Refusal, Refusal> {
        activity::failed(&app, &permit, &visitor, &user.id, CHANGE.because(why)).await?;
        Ok(refusal)
    };
    if new != confirmed {
        return Err(failed(UNEQUAL).await?);
    }
    let Some(shown) = verified(&app, &visitor, user, &old).await? else { return Err(failed(WRONG).await?) };
    if old == new {
        return Err(failed(SAME).await?);
    }
    let email = account.details.email.as_ref().map(ToString::to_string).unwrap_or_default();
    let hash = hashed(&app, &new, &[&email]).await?;
    let kept = visitor.cookie.as_deref().and_then(Secret::parse).map(|cookie| cookie.hash());
    let change = app.store.begin_as(&permit, &user.id).await?;
    // Another one may have been chosen since, by a code from a mail.
    if change.credentials(&user.id).await?.password.as_ref() != Some(&shown) {
        drop(change);
        return Err(failed(WRONG).await?);
    }
    change.set_password(&user.id, Some(hash), kept).await.map_err(Refusal::internal)?;
    app.store.commit(change).await?;
    activity::succeeded(&app, &permit, &visitor, &user.id, CHANGE).await?;
    Ok((StatusCode::CREATED, Json(201)).into_response())
}

/// The hash of the password, when it is that of the user. Counted like a login.
async fn verified(app: &App, visitor: &Visitor, user: &User, password: &str) -> Result<Option<String>, Refusal> {
    let (identity, now) = (&app.identity, app.store.now());
    let account = format!("password {}", user.id);
    let attempt = Attempt { account: &account, password, address: visitor.address };
    let throttle = &identity.settings.throttle;
    let known = Some(user.clone());
    match throttle.login(&identity.directory, &identity.passwords, known, attempt, (now, &RANDOM)).await {
        Ok(proven) => Ok(proven.password),
        Err(LoginError::Wrong) => Ok(None),
        Err(LoginError::Throttled) => Err(TOO_MANY),
        Err(error) => Err(Refusal::internal(error)),
    }
}
