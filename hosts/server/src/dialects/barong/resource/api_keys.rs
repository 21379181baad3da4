//! `resource/api_keys`: keys of one's own account. Every change takes a code of the second factor.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use portcullis_directory::{
    ACTIVE_KEY, Account, ApiKey, ApiKeyColumn, Change, ChangeError, Find, HolderKind, INACTIVE_KEY,
};
use portcullis_identity::api_keys::{self, ALGORITHM, KeyError};
use serde_json::{Value, json};

use super::caller;
use crate::app::App;
use crate::dialects::barong::codes::{self, Allowed};
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::views::time;
use crate::dialects::barong::visitor::Visitor;
use crate::identity::RANDOM;
use crate::permit::{Author, Permit};

const NO_KEY: Refusal = Refusal::NotFound("record.not_found");

pub async fn list(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    uri: Uri,
    params: Params,
) -> Result<Response, Refusal> {
    let account = caller(&app, &permit).await?;
    require_otp(&account)?;
    let mut input = Input::new(params, "resource.api_key");
    let page = Page::read(&mut input);
    let query = input.finish()?;
    let find = of(&account);
    let total = app.identity.directory.count(&find).await?;
    let keys = app.identity.directory.find(&find.page(page.skip(), page.limit())).await?;
    let keys: Vec<Value> = keys.iter().map(view).collect();
    page.answer(&keys, total, (&uri, &query))
}

/// The secret is in the answer, this once.
pub async fn create(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Refusal> {
    let (account, mut input) = begin(&app, &permit, params).await?;
    let algorithm = input.required("algorithm");
    let scope = input.filled("scope");
    let code = code(input)?;
    if algorithm != ALGORITHM {
        return Err(Refusal::invalid("algorithm.inclusion"));
    }
    let write = admitted(&app, &permit, &visitor, (&account, &code)).await?;
    let (holder, scope) = ((HolderKind::User, &account.user.id), scopes(scope.as_deref().unwrap_or_default()));
    let made = api_keys::create(&write.change, holder, &scope, &app.identity.vault, &RANDOM).await;
    let (key, secret) = made.map_err(|error| match error {
        KeyError::Change(ChangeError::HolderInactive) => Refusal::invalid("key_holder_account.invalid"),
        error => Refusal::internal(error),
    })?;
    write.commit(&app).await?;
    let mut view = view(&key);
    view["secret"] = secret.as_str().into();
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

pub async fn update(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    Path(kid): Path<String>,
    params: Params,
) -> Result<Response, Refusal> {
    let (account, mut input) = begin(&app, &permit, params).await?;
    let (scope, state) = (input.filled("scope"), input.filled("state"));
    let code = code(input)?;
    if state.as_deref().is_some_and(|state| state != ACTIVE_KEY && state != INACTIVE_KEY) {
        return Err(Refusal::invalid("state.invalid"));
    }
    let write = admitted(&app, &permit, &visitor, (&account, &code)).await?;
    let key = own_key(&write.change, &account, &kid).await?;
    let state = state.unwrap_or(key.state);
    let scope = scope.map_or(key.scope, |scope| scopes(&scope));
    let key = write.change.update_api_key(&kid, &state, &scope).await.map_err(|error| match error {
        ChangeError::HolderInactive => Refusal::invalid("state.invalid"),
        error => Refusal::internal(error),
    })?;
    write.commit(&app).await?;
    Ok(Json(view(&key)).into_response())
}

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    Path(kid): Path<String>,
    params: Params,
) -> Result<Response, Refusal> {
    let (account, input) = begin(&app, &permit, params).await?;
    let code = code(input)?;
    let write = admitted(&app, &permit, &visitor, (&account, &code)).await?;
    own_key(&write.change, &account, &kid).await?;
    write.change.delete_api_key(&kid).await.map_err(Refusal::internal)?;
    write.commit(&app).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The caller, who has a second factor, and what it sends.
async fn begin(app: &App, permit: &Permit<Author>, params: Params) -> Result<(Account, Input), Refusal> {
    let account = caller(app, permit).await?;
    require_otp(&account)?;
    Ok((account, Input::new(params, "resource.api_key")))
}

/// The code, which is the last parameter of each.
fn code(mut input: Input) -> Result<String, Refusal> {
    let code = input.text("totp_code").filter(|code| !code.trim().is_empty());
    input.check(code.is_some(), "resource.api_key.missing_otp");
    input.finish()?;
    Ok(code.unwrap_or_default())
}

/// A write that the code of the caller allows.
async fn admitted(
    app: &App,
    permit: &Permit<Author>,
    visitor: &Visitor,
    (account, code): (&Account, &str),
) -> Result<Allowed, Refusal> {
    let write = codes::spend(app, permit, visitor, (&account.user.id, code)).await?;
    write.ok_or_else(|| Refusal::invalid("resource.api_key.invalid_otp"))
}

fn require_otp(account: &Account) -> Result<(), Refusal> {
    match account.user.otp {
        true => Ok(()),
        false => Err(Refusal::Other(StatusCode::BAD_REQUEST, "resource.api_key.2fa_disabled")),
    }
}

fn of(account: &Account) -> Find<ApiKey> {
    let find = Find::<ApiKey>::all().is(ApiKeyColumn::Holder, HolderKind::User.name());
    find.is(ApiKeyColumn::UserId, account.user.id.as_str())
}

async fn own_key(change: &Change, account: &Account, kid: &str) -> Result<ApiKey, Refusal> {
    let keys = change.find(&of(account).is(ApiKeyColumn::Kid, kid)).await?;
    keys.into_iter().next().ok_or(NO_KEY)
}

/// A text with commas as a JSON list.
fn scopes(text: &str) -> String {
    let scopes: Vec<&str> = text.split(',').map(str::trim).filter(|scope| !scope.is_empty()).collect();
    json!(scopes).to_string()
}

/// All but the secret.
fn view(key: &ApiKey) -> Value {
    json!({
        "kid": key.kid,
        "algorithm": key.algorithm,
        "scope": serde_json::from_str::<Value>(&key.scope).unwrap_or_default(),
        "state": key.state,
        "created_at": time(key.created_at),
        "updated_at": time(key.updated_at),
    })
}
