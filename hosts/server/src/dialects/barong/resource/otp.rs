//! `resource/otp`: the second factor, on and off.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use portcullis_directory::{Account, AccountChange, ChangeError};
use portcullis_identity::Secret;
use portcullis_identity::totp::{self, Seed, TotpError};
use serde_json::json;

use super::caller;
use crate::app::App;
use crate::dialects::barong::activity::{self, Did};
use crate::dialects::barong::codes::{self, Allowed};
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::facts;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::standing::Standing;
use crate::dialects::barong::visitor::Visitor;
use crate::identity::RANDOM;
use crate::permit::{Author, Permit};

const REQUEST: Did<'static> = Did { topic: "otp", action: "request QR code for 2FA", reason: None };
const ENABLE: Did<'static> = Did { topic: "otp", action: "enable 2FA", reason: None };
const DISABLE: Did<'static> = Did { topic: "otp", action: "disable 2FA", reason: None };
const VERIFY: Did<'static> = Did { topic: "otp", action: "verify 2FA code", reason: None };

/// What is said about the factor when it is not as a step needs it.
const ALREADY: (Refusal, &str) = (
    Refusal::Other(StatusCode::BAD_REQUEST, "resource.otp.already_enabled"),
    "2FA has been already enabled for this account",
);
const NOT_YET: (Refusal, &str) =
    (Refusal::Other(StatusCode::BAD_REQUEST, "resource.otp.not_enabled"), "2FA has not been enabled for this account");

/// A handler's parts that every step needs.
struct Step<'s> {
    app: &'s App,
    permit: &'s Permit<Author>,
    visitor: &'s Visitor,
    account: Account,
    did: Did<'static>,
}

/// What an app takes over: the seed is shown this once.
pub async fn generate(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    let step = Step::new(&app, &permit, &visitor, REQUEST).await?;
    let Account { user, details } = &step.account;
    let seed = Seed::generate(&RANDOM).map_err(Refusal::internal)?;
    let change = app.store.begin_as(&permit, &user.id).await?;
    match totp::store(&change, &user.id, &seed, &app.identity.vault, &RANDOM).await {
        Ok(()) => app.store.commit(change).await?,
        Err(TotpError::Change(ChangeError::FactorOn)) => {
            drop(change);
            return Err(step.refuse(ALREADY).await?);
        }
        Err(error) => return Err(Refusal::internal(error)),
    }
    let email = details.email.as_ref().map_or(user.id.as_str(), |email| email.as_str());
    // A colon would end the name of the account.
    let url = seed.uri(&app.barong.tokens.issuer.replace(':', " "), &email.replace(':', " "));
    step.succeeded().await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(json!({"data": {"url": url}}))).into_response())
}

/// Ends the other sessions.
pub async fn enable(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    turn(&app, &permit, &visitor, params, ENABLE, true).await
}

/// Takes the API keys away too.
pub async fn disable(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    turn(&app, &permit, &visitor, params, DISABLE, false).await
}

pub async fn verify(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let code = code(params)?;
    let step = Step::new(&app, &permit, &visitor, VERIFY).await?;
    step.begin(true, &code).await?.commit(&app).await?;
    Ok(Json(200).into_response())
}

/// Turns the factor on or off, by a code of the seed that is stored.
async fn turn(
    app: &App,
    permit: &Permit<Author>,
    visitor: &Visitor,
    params: Params,
    did: Did<'static>,
    is_on: bool,
) -> Result<Response, Refusal> {
    let code = code(params)?;
    let step = Step::new(app, permit, visitor, did).await?;
    let standing = Standing::read(app).await?;
    let write = step.begin(!is_on, &code).await?;
    let (change, user) = (&write.change, permit.author());
    let before = standing.labels(change, user).await?;
    let factor = AccountChange { otp: Some(is_on), ..AccountChange::default() };
    change.update_user(user, &factor).await.map_err(Refusal::internal)?;
    if is_on {
        facts::set(change, user, facts::FACTOR, "enabled").await.map_err(Refusal::internal)?;
        let kept = visitor.cookie.as_deref().and_then(Secret::parse).map(|cookie| cookie.hash());
        change.end_sessions(user, kept).await?;
    } else {
        facts::remove(change, user, facts::FACTOR).await.map_err(Refusal::internal)?;
        change.set_totp_seed(user, None).await.map_err(Refusal::internal)?;
    }
    standing.settle(change, user, &before).await.map_err(Refusal::internal)?;
    write.commit(app).await?;
    step.succeeded().await?;
    Ok(Json(200).into_response())
}

fn code(params: Params) -> Result<String, Refusal> {
    let mut input = Input::new(params, "resource.otp");
    let code = input.required("code");
    input.finish()?;
    Ok(code)
}

impl<'s> Step<'s> {
    async fn new(
        app: &'s App,
        permit: &'s Permit<Author>,
        visitor: &'s Visitor,
        did: Did<'static>,
    ) -> Result<Self, Refusal> {
        Ok(Self { app, permit, visitor, account: caller(app, permit).await?, did })
    }

    /// A write that the code allows, while the factor is on, or off.
    async fn begin(&self, is_on: bool, code: &str) -> Result<Allowed, Refusal> {
        let wrong = if is_on { NOT_YET } else { ALREADY };
        let id = &self.account.user.id;
        if self.account.user.otp != is_on {
            return Err(self.refuse(wrong).await?);
        }
        let Some(write) = codes::spend(self.app, self.permit, self.visitor, (id, code)).await? else {
            return Err(self.refuse((Refusal::invalid("resource.otp.invalid"), "OTP code is invalid")).await?);
        };
        // It may have been turned since it was read.
        if write.change.account(id).await?.is_none_or(|account| account.user.otp != is_on) {
            drop(write);
            return Err(self.refuse(wrong).await?);
        }
        Ok(write)
    }

    /// The refusal, written down.
    async fn refuse(&self, (refusal, why): (Refusal, &str)) -> Result<Refusal, Refusal> {
        let (id, did) = (&self.account.user.id, self.did.because(why));
        activity::failed(self.app, self.permit, self.visitor, id, did).await?;
        Ok(refusal)
    }

    async fn succeeded(&self) -> Result<(), Refusal> {
        activity::succeeded(self.app, self.permit, self.visitor, &self.account.user.id, self.did).await
    }
}
