//! `resource/api_keys`: keys of one's own account. Every change takes a code of the second factor.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use portcullis_directory::{ACTIVE_KEY, Account, ApiKey, ApiKeyColumn, ChangeError, Find, HolderKind, INACTIVE_KEY};
use portcullis_identity::api_keys::{ALGORITHM, KeyError};
use serde_json::{Value, json};

use super::caller;
use crate::app::App;
use crate::dialects::barong::codes;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::views::time;
use crate::dialects::barong::visitor::Visitor;
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
    let mut input = Input::new(params, "resource.api_key");
    let algorithm = input.required("algorithm");
    let (scope, code) = (input.filled("scope"), input.text("totp_code"));
    admitted(&app, &permit, &visitor, (input, code)).await?;
    if algorithm != ALGORITHM {
        return Err(Refusal::invalid("algorithm.inclusion"));
    }
    let made = app.store.create_own_key(&permit, &app.identity, &scopes(scope.as_deref().unwrap_or_default())).await;
    let (key, secret) = made.map_err(|error| match error {
        KeyError::Change(ChangeError::HolderInactive) => Refusal::invalid("key_holder_account.invalid"),
        error => Refusal::internal(error),
    })?;
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
    let mut input = Input::new(params, "resource.api_key");
    let (scope, state, code) = (input.filled("scope"), input.filled("state"), input.text("totp_code"));
    let account = admitted(&app, &permit, &visitor, (input, code)).await?;
    if state.as_deref().is_some_and(|state| state != ACTIVE_KEY && state != INACTIVE_KEY) {
        return Err(Refusal::invalid("state.invalid"));
    }
    let key = own_key(&app, &account, &kid).await?;
    let state = state.unwrap_or(key.state);
    let scope = scope.map_or(key.scope, |scope| scopes(&scope));
    match app.store.update_own_key(&permit, &kid, &state, &scope).await {
        Ok(key) => Ok(Json(view(&key)).into_response()),
        Err(ChangeError::HolderInactive) => Err(Refusal::invalid("state.invalid")),
        Err(ChangeError::NotFound { .. }) => Err(NO_KEY),
        Err(error) => Err(Refusal::internal(error)),
    }
}

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    visitor: Visitor,
    Path(kid): Path<String>,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "resource.api_key");
    let code = input.text("totp_code");
    let account = admitted(&app, &permit, &visitor, (input, code)).await?;
    own_key(&app, &account, &kid).await?;
    match app.store.delete_own_key(&permit, &kid).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(ChangeError::NotFound { .. }) => Err(NO_KEY),
        Err(error) => Err(Refusal::internal(error)),
    }
}

/// The caller, with a second factor and a code of it.
async fn admitted(
    app: &App,
    permit: &Permit<Author>,
    visitor: &Visitor,
    (mut input, code): (Input, Option<String>),
) -> Result<Account, Refusal> {
    let account = caller(app, permit).await?;
    require_otp(&account)?;
    let code = code.filter(|code| !code.trim().is_empty());
    input.check(code.is_some(), "resource.api_key.missing_otp");
    input.finish()?;
    match codes::spend(app, &account.user.id, &code.unwrap_or_default(), visitor).await? {
        true => Ok(account),
        false => Err(Refusal::invalid("resource.api_key.invalid_otp")),
    }
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

async fn own_key(app: &App, account: &Account, kid: &str) -> Result<ApiKey, Refusal> {
    let keys = app.identity.directory.find(&of(account).is(ApiKeyColumn::Kid, kid)).await?;
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
