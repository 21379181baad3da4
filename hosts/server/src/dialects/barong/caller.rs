//! Who calls the administration: an access token of the gateway, or a token of this server.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use portcullis_directory::UserId;
use portcullis_identity::token::{integer, verify};
use serde_json::{Map, Value};

use crate::app::App;
use crate::authn::{self, AuthnError, Caller, client};

/// As the directory knows it now, whatever the token says beside the id.
pub async fn authenticate(headers: &HeaderMap, app: &App) -> Result<Caller, AuthnError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().and_then(|value| value.to_str().ok());
    match value.and_then(client::bearer).filter(|token| token.contains('.')) {
        Some(token) if values.next().is_none() => owner(token, app).await,
        _ => authn::authenticate(headers, &app.store).await,
    }
}

async fn owner(token: &str, app: &App) -> Result<Caller, AuthnError> {
    let tokens = &app.barong.tokens;
    let audience = tokens.audiences.last().ok_or(AuthnError::BadToken)?;
    let issuer = app.identity.issuer(&tokens.issuer, audience).map_err(|_| AuthnError::BadToken)?;
    let claims = verify(&[issuer], token, app.store.now().0).map_err(|_| AuthnError::BadToken)?;
    let id = subject(&claims).ok_or(AuthnError::BadToken)?;
    let issued_at = claims.get("iat").and_then(|at| integer(at).ok()).ok_or(AuthnError::BadToken)?;
    let tenant = app.default_tenant().ok_or(AuthnError::BadToken)?;
    if tenant.revocations.voids(id.as_str(), Some(issued_at)) {
        return Err(AuthnError::BadToken);
    }
    app.store.user(&id).await?.map(Caller::User).ok_or(AuthnError::BadToken)
}

/// Tokens of sessions and of API keys say the user in `uid`.
fn subject(claims: &Map<String, Value>) -> Option<UserId> {
    let is_ours = claims.get("sub").and_then(Value::as_str) == Some("session");
    let id = claims.get("uid").and_then(Value::as_str).filter(|_| is_ours)?;
    UserId::parse(id).ok()
}
