//! `identity/sessions`: log in and out. The cookie is the session; the token against forged requests is in the answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use portcullis_directory::{Email, Proven, UserId};
use portcullis_identity::login::{Attempt, LoginError};
use portcullis_identity::sessions::SessionError;
use portcullis_identity::{Secret, csrf};

use crate::app::App;
use crate::dialects::barong::activity::{self, Did};
use crate::dialects::barong::codes::{self, Allowed};
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::own_page::OwnPage;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::views::own;
use crate::dialects::barong::visitor::Visitor;
use crate::identity::RANDOM;
use crate::permit::{Anybody, Permit};

const LOGIN: Did<'static> = Did { topic: "session", action: "login", reason: None };
const LOGIN_2FA: Did<'static> = Did { topic: "session", action: "login::2fa", reason: None };
const WRONG: Refusal = Refusal::Unauthorized("identity.session.invalid_params");
const LOGOUT: Did<'static> = Did { topic: "session", action: "logout", reason: None };

pub async fn create(
    State(app): State<Arc<App>>,
    permit: Permit<Anybody>,
    _: OwnPage,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "identity.session");
    let (email, password) = (input.present("email"), input.present("password"));
    let code = input.text("otp_code").unwrap_or_default();
    input.finish()?;
    let proven = by_password(&app, &permit, &visitor, (&email, &password)).await?;
    let user = &proven.user;
    let failed =
        async |did: Did<'static>, why| activity::failed(&app, &permit, &visitor, &user.id, did.because(why)).await;
    let refused = match user.state.as_str() {
        "active" | "pending" => None,
        "banned" => Some(("identity.session.banned", "Your account is banned")),
        "deleted" => Some(("identity.session.deleted", "Your account is deleted")),
        _ => Some(("identity.session.not_active", "Your account is not active")),
    };
    if let Some((code, why)) = refused {
        failed(LOGIN, why).await?;
        return Err(Refusal::Unauthorized(code));
    }
    if !user.otp {
        let write = codes::without(&app, &permit, &user.id).await?;
        return begin(&app, &permit, &visitor, (proven, write, LOGIN)).await;
    }
    if code.trim().is_empty() {
        return Err(Refusal::Unauthorized("identity.session.missing_otp"));
    }
    let Some(write) = codes::spend(&app, &permit, &visitor, (&user.id, &code)).await? else {
        failed(LOGIN_2FA, "OTP code is invalid").await?;
        return Err(Refusal::Other(StatusCode::FORBIDDEN, "identity.session.invalid_otp"));
    };
    begin(&app, &permit, &visitor, (proven, write, LOGIN_2FA)).await
}

pub async fn end(
    State(app): State<Arc<App>>,
    permit: Permit<Anybody>,
    _: OwnPage,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    const NONE: Refusal = Refusal::NotFound("identity.session.not_found");
    let (identity, now) = (&app.identity, app.store.now());
    let cookie = visitor.cookie.as_deref().ok_or(NONE)?;
    let found = identity.settings.sessions.find(&identity.directory, cookie, visitor.client(), now).await;
    let session = found.map_err(|error| match error {
        SessionError::Store(error) => error.into(),
        _ => NONE,
    })?;
    identity.directory.end_session(session.hash).await?;
    activity::succeeded(&app, &permit, &visitor, &session.user, LOGOUT).await?;
    let mut response = Json(200).into_response();
    response.headers_mut().insert(SET_COOKIE, cookie_header(&app, "", "; Max-Age=0")?);
    Ok(response)
}

async fn by_password(
    app: &Arc<App>,
    permit: &Permit<Anybody>,
    visitor: &Visitor,
    (email, password): (&str, &str),
) -> Result<Proven, Refusal> {
    let (identity, now) = (&app.identity, app.store.now());
    let known = match Email::parse(email) {
        Ok(email) => identity.directory.user_by_email(&email).await?,
        Err(_) => None,
    };
    let id = known.as_ref().map(|user| user.id.clone());
    // What is typed here names no counter of something else.
    let account = format!("login {email}");
    let attempt = Attempt { account: &account, password, address: visitor.address };
    let throttle = &identity.settings.throttle;
    match throttle.login(&identity.directory, &identity.passwords, known, attempt, (now, &RANDOM)).await {
        Ok(proven) => Ok(proven),
        Err(LoginError::Wrong) => {
            // Nobody's failure is not written, and nobody waits for the others.
            if let Some(id) = id {
                app.later.run("activity.login", wrong(Arc::clone(app), permit.clone(), visitor.clone(), id));
            }
            Err(WRONG)
        }
        Err(LoginError::Throttled) => Err(codes::TOO_MANY),
        Err(LoginError::Password(error)) => Err(Refusal::internal(error)),
        Err(LoginError::Store(error)) => Err(error.into()),
    }
}

async fn wrong(app: Arc<App>, permit: Permit<Anybody>, visitor: Visitor, id: UserId) -> Result<(), Refusal> {
    activity::failed(&app, &permit, &visitor, &id, LOGIN.because("Invalid Email or Password")).await
}

/// Another session than the one that the browser had.
async fn begin(
    app: &App,
    permit: &Permit<Anybody>,
    visitor: &Visitor,
    (proven, write, did): (Proven, Allowed, Did<'static>),
) -> Result<Response, Refusal> {
    let (identity, now, id) = (&app.identity, app.store.now(), &proven.user.id);
    let begun = identity.settings.sessions.begin(&write.change, &proven, visitor.client(), now, &RANDOM).await;
    let cookie = begun.map_err(|error| match error {
        SessionError::Outdated => WRONG,
        error => Refusal::internal(error),
    })?;
    write.commit(app).await?;
    if let Some(before) = visitor.cookie.as_deref().and_then(Secret::parse) {
        identity.directory.end_session(before.hash()).await?;
    }
    activity::succeeded(app, permit, visitor, id, did).await?;
    let account = app.store.account(id).await?.ok_or(Refusal::NotFound("record.not_found"))?;
    let view = own(app, &account, Some(csrf::token(&cookie))).await?;
    let mut response = Json(view).into_response();
    response.headers_mut().insert(SET_COOKIE, cookie_header(app, &cookie.reveal(), "")?);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn cookie_header(app: &App, value: &str, more: &str) -> Result<HeaderValue, Refusal> {
    let secure = if app.barong.session_secure { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}", app.barong.session_name);
    HeaderValue::try_from(text).map_err(Refusal::internal)
}
