//! `identity/users/password`: a new password for whoever reads the mail of an account; and what a password must be.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use portcullis_identity::passwords::{MIN_SCORE, Rules, Weakness, weaknesses};

use super::users::limit;
use crate::app::App;
use crate::dialects::barong::activity::{self, Did};
use crate::dialects::barong::codes;
use crate::dialects::barong::errors::{Code, Refusal};
use crate::dialects::barong::mail::{self, RESET};
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::visitor::Visitor;
use crate::identity::RANDOM;
use crate::permit::{Anybody, Permit};

const REQUESTED: Did<'static> = Did { topic: "password", action: "request password reset", reason: None };
const REPLACED: Did<'static> = Did { topic: "password", action: "password reset", reason: None };

/// Sends a code. The answer is the same for whoever has no account, and comes as soon.
pub async fn send_code(
    State(app): State<Arc<App>>,
    permit: Permit<Anybody>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "identity.user");
    let email = input.required("email");
    input.finish()?;
    limit(&app, &visitor, &email).await?;
    app.later.run("mail.password", mailed(Arc::clone(&app), permit, visitor, email));
    Ok((StatusCode::CREATED, Json(201)).into_response())
}

async fn mailed(app: Arc<App>, permit: Permit<Anybody>, visitor: Visitor, email: String) -> Result<(), Refusal> {
    let Some((user, email)) = mail::addressee(&app, &email).await? else { return Ok(()) };
    activity::succeeded(&app, &permit, &visitor, &user.id, REQUESTED).await?;
    mail::send(&app, RESET, (&user.id, &email)).await
}

/// Ends all sessions.
pub async fn replace(
    State(app): State<Arc<App>>,
    permit: Permit<Anybody>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "identity.user");
    let (token, password) = (input.required("reset_password_token"), input.required("password"));
    let confirmed = input.required("confirm_password");
    input.finish()?;
    if password != confirmed {
        return Err(Refusal::invalid("identity.user.passwords_doesnt_match"));
    }
    limit(&app, &visitor, &token).await?;
    // First: it takes long, and others wait while a write is open.
    let hash = hashed(&app, &password, &[]).await?;
    let (change, account) = codes::spend_mailed(&app, &permit, &token, RESET.purpose).await?;
    let id = &account.user.id;
    change.set_password(id, Some(hash), None).await.map_err(Refusal::internal)?;
    app.store.commit(change).await?;
    activity::succeeded(&app, &permit, &visitor, id, REPLACED).await?;
    Ok((StatusCode::CREATED, Json(201)).into_response())
}

/// The hash of a password that is one; `about` is what an attacker would try first.
pub async fn hashed(app: &App, password: &str, about: &[&str]) -> Result<String, Refusal> {
    let codes = wrong(password, about);
    match codes.is_empty() {
        true => app.identity.passwords.hash(password, &RANDOM).await.map_err(Refusal::internal),
        false => Err(Refusal::Invalid(codes)),
    }
}

/// What a password is not.
fn wrong(password: &str, about: &[&str]) -> Vec<Code> {
    let rules = Rules { min_chars: 8, max_chars: 80, min_score: MIN_SCORE, own: &shape };
    let mut codes: Vec<Code> = Vec::new();
    for weakness in weaknesses(password, about, &rules) {
        let code = match weakness {
            Weakness::TooShort | Weakness::TooLong => SHAPE,
            Weakness::Guessable { .. } => "password.weak",
            Weakness::Own(code) => code,
        };
        if !codes.iter().any(|known| known == code) {
            codes.push(code.into());
        }
    }
    codes
}

const SHAPE: &str = "password.requirements";

/// A small letter, a capital and a digit.
fn shape(password: &str) -> Option<&'static str> {
    let has = |test: fn(char) -> bool| password.chars().any(test);
    let is_right = has(|found| found.is_ascii_lowercase())
        && has(|found| found.is_ascii_uppercase())
        && has(|found| found.is_ascii_digit());
    (!is_right).then_some(SHAPE)
}
