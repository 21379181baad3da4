//! `identity/users`: sign up, and confirm the address that was given.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use portcullis_directory::{ChangeError, Details, Email, NewUser, RoleName, RoleSet, User, UserId, UserState};
use portcullis_identity::{Random as _, hex};

use super::hashed;
use crate::app::App;
use crate::dialects::barong::activity::{self, Did};
use crate::dialects::barong::codes;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::facts;
use crate::dialects::barong::mail::{self, CONFIRMATION};
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::standing::Standing;
use crate::dialects::barong::syntax::is_email;
use crate::dialects::barong::visitor::Visitor;
use crate::identity::RANDOM;
use crate::permit::{Anybody, Permit};

const SIGNUP: Did<'static> = Did { topic: "account", action: "signup", reason: None };

/// The state of those who did not confirm their address.
const PENDING: &str = "pending";

/// How often an id is drawn that somebody has.
const DRAWS: usize = 8;

pub async fn create(
    State(app): State<Arc<App>>,
    permit: Permit<Anybody>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "identity.user");
    let (email, password) = (input.required("email"), input.required("password"));
    let referral = input.text("refid");
    input.finish()?;
    limit(&app, &visitor, &email).await?;
    let referral = match referral {
        Some(id) => Some(referrer(&app, &id).await?),
        None => None,
    };
    let parsed = Email::parse(&email).ok().filter(|_| is_email(&email));
    let (hash, mut wrong) = match hashed(&app, &password, &[&email]).await {
        Ok(hash) => (hash, Vec::new()),
        Err(Refusal::Invalid(codes)) => (String::new(), codes),
        Err(error) => return Err(error),
    };
    let email = parsed.ok_or_else(|| {
        wrong.insert(0, "email.invalid".into());
        Refusal::Invalid(wrong.clone())
    })?;
    if !wrong.is_empty() {
        return Err(Refusal::Invalid(wrong));
    }
    let details = Details { email: Some(email.clone()), referral, ..Details::default() };
    let user = stored(&app, &permit, details, hash).await?;
    activity::succeeded(&app, &permit, &visitor, &user.id, SIGNUP).await?;
    app.later.run("mail.sign_up", mailed(Arc::clone(&app), email.to_string()));
    Ok((StatusCode::CREATED, Json(201)).into_response())
}

/// Sends the code again. The answer is the same for whoever has no account, or has confirmed it, and comes as soon.
pub async fn send_code(
    State(app): State<Arc<App>>,
    _permit: Permit<Anybody>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "identity.user");
    let email = input.required("email");
    input.finish()?;
    limit(&app, &visitor, &email).await?;
    app.later.run("mail.confirmation", mailed(Arc::clone(&app), email));
    Ok((StatusCode::CREATED, Json(201)).into_response())
}

async fn mailed(app: Arc<App>, email: String) -> Result<(), Refusal> {
    match mail::addressee(&app, &email).await? {
        Some((user, email)) if user.state.as_str() == PENDING => {
            mail::send(&app, CONFIRMATION, (&user.id, &email)).await
        }
        _ => Ok(()),
    }
}

/// A private label says so from now on; state and level follow from it.
pub async fn confirm(
    State(app): State<Arc<App>>,
    permit: Permit<Anybody>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "identity.user");
    let token = input.required("token");
    input.finish()?;
    limit(&app, &visitor, &token).await?;
    let standing = Standing::read(&app).await?;
    let (change, account) = codes::spend_mailed(&app, &permit, &token, CONFIRMATION.purpose).await?;
    let id = &account.user.id;
    let before = standing.labels(&change, id).await?;
    facts::set(&change, id, "email", "verified").await.map_err(Refusal::internal)?;
    standing.settle(&change, id, &before).await.map_err(Refusal::internal)?;
    app.store.commit(change).await?;
    Ok((StatusCode::CREATED, Json(201)).into_response())
}

/// Signing up and asking for mail count as attempts of the address.
pub async fn limit(app: &App, visitor: &Visitor, what: &str) -> Result<(), Refusal> {
    codes::admit(app, &format!("mail {what}"), visitor).await.map(|_counted| ())
}

async fn referrer(app: &App, id: &str) -> Result<UserId, Refusal> {
    let id = UserId::parse(id).map_err(|_| Refusal::invalid("identity.user.invalid_referral_format"))?;
    let user = app.store.user(&id).await?;
    user.map(|user| user.id).ok_or_else(|| Refusal::invalid("identity.user.referral_doesnt_exist"))
}

/// Under an id that nobody has.
async fn stored(app: &App, permit: &Permit<Anybody>, details: Details, hash: String) -> Result<User, Refusal> {
    let role = RoleName::parse(&app.barong.role).map_err(Refusal::internal)?;
    let roles = RoleSet::new([role]).map_err(Refusal::internal)?;
    let state = UserState::parse(PENDING).map_err(Refusal::internal)?;
    for _ in 0..DRAWS {
        let new = NewUser { id: drawn(&app.barong.uid_prefix)?, state: state.clone(), roles: roles.clone() };
        match app.store.sign_up(permit, &new, &details, hash.clone()).await {
            Ok(account) => return Ok(account.user),
            Err(ChangeError::Taken { what: "user" }) => {}
            Err(ChangeError::Taken { .. }) => return Err(Refusal::invalid("email.taken")),
            Err(error) => return Err(Refusal::internal(error)),
        }
    }
    Err(Refusal::internal("every id that was drawn is somebody's"))
}

/// The prefix and ten hexadecimal digits, in capitals.
fn drawn(prefix: &str) -> Result<UserId, Refusal> {
    let mut random = [0; 5];
    RANDOM.fill(&mut random).map_err(Refusal::internal)?;
    UserId::parse(&format!("{prefix}{}", hex(&random)).to_uppercase()).map_err(Refusal::internal)
}
