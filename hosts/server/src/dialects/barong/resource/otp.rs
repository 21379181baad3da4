//! `resource/otp`: the second factor, on and off.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use portcullis_directory::Account;
use portcullis_identity::Secret;
use portcullis_identity::totp::Seed;
use serde_json::json;

use super::caller;
use crate::app::App;
use crate::dialects::barong::activity::{self, Did};
use crate::dialects::barong::codes;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::standing::Standing;
use crate::dialects::barong::visitor::Visitor;
use crate::identity::RANDOM;
use crate::permit::{Author, Permit};

const REQUEST: Did<'static> = Did { topic: "otp", action: "request QR code for 2FA", reason: None };
const ENABLE: Did<'static> = Did { topic: "otp", action: "enable 2FA", reason: None };
const DISABLE: Did<'static> = Did { topic: "otp", action: "disable 2FA", reason: None };
const VERIFY: Did<'static> = Did { topic: "otp", action: "verify 2FA code", reason: None };

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
    step.require(false).await?;
    let Step { account, .. } = &step;
    let seed = Seed::generate(&RANDOM).map_err(Refusal::internal)?;
    app.store.store_totp_seed(&permit, &app.identity, &seed).await.map_err(Refusal::internal)?;
    let email = account.details.email.as_ref().map_or(account.user.id.as_str(), |email| email.as_str());
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
    let code = code(params)?;
    let step = Step::new(&app, &permit, &visitor, ENABLE).await?;
    step.require(false).await?;
    step.spend(&code).await?;
    let kept = visitor.cookie.as_deref().and_then(Secret::parse).map(|cookie| cookie.hash());
    let standing = Standing::read(&app).await?;
    app.store.set_otp(&permit, true, kept, standing).await.map_err(Refusal::internal)?;
    step.succeeded().await?;
    Ok(Json(200).into_response())
}

/// Takes the API keys away too.
pub async fn disable(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let code = code(params)?;
    let step = Step::new(&app, &permit, &visitor, DISABLE).await?;
    step.require(true).await?;
    step.spend(&code).await?;
    let standing = Standing::read(&app).await?;
    app.store.set_otp(&permit, false, None, standing).await.map_err(Refusal::internal)?;
    step.succeeded().await?;
    Ok(Json(200).into_response())
}

pub async fn verify(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let code = code(params)?;
    let step = Step::new(&app, &permit, &visitor, VERIFY).await?;
    step.require(true).await?;
    step.spend(&code).await?;
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

    async fn require(&self, is_on: bool) -> Result<(), Refusal> {
        let (code, why) = match (self.account.user.otp, is_on) {
            (true, false) => ("resource.otp.already_enabled", "2FA has been already enabled for this account"),
            (false, true) => ("resource.otp.not_enabled", "2FA has not been enabled for this account"),
            _ => return Ok(()),
        };
        self.failed(why).await?;
        Err(Refusal::Other(StatusCode::BAD_REQUEST, code))
    }

    async fn spend(&self, code: &str) -> Result<(), Refusal> {
        if codes::spend(self.app, &self.account.user.id, code, self.visitor).await? {
            return Ok(());
        }
        self.failed("OTP code is invalid").await?;
        Err(Refusal::invalid("resource.otp.invalid"))
    }

    async fn failed(&self, why: &str) -> Result<(), Refusal> {
        activity::failed(self.app, self.permit, self.visitor, &self.account.user, self.did.because(why)).await
    }

    async fn succeeded(&self) -> Result<(), Refusal> {
        activity::succeeded(self.app, self.permit, self.visitor, &self.account.user.id, self.did).await
    }
}
