//! `/v1/authenticate`: a bearer token of a configured issuer -> headers that say who it is. Nobody is stored or looked up.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use portcullis_identity::bearer;
use portcullis_identity::token::{integer, verify};
use serde_json::{Map, Value};

use crate::app::App;
use crate::dialects::padlock::envelope::Reply;
use crate::dialects::padlock::input::user_id;
use crate::error::ApiError;

type Claims = Map<String, Value>;

pub async fn authenticate(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ApiError> {
    let settings = &app.padlock.settings;
    if app.padlock.bypass.lets(&headers, &settings.headers) {
        return Ok(Reply::default().into_response());
    }
    let token = bearer::parse(headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes));
    let token = token.ok().flatten().ok_or(ApiError::BadToken)?;
    let issuers = &app.proxies.issuers;
    let claims = verify(&issuers.issuers, token, app.store.now().0).map_err(|_invalid| ApiError::BadToken)?;
    let caller = text(&claims, &settings.claims.user_id)?;
    let caller = user_id(caller.ok_or_else(|| unusable(&settings.claims.user_id))?)?;
    let issued_at = claims.get(&issuers.claims.issued_at).map(integer).transpose();
    let issued_at = issued_at.map_err(|_invalid| ApiError::BadToken)?;
    let tenant = app.default_tenant().ok_or(ApiError::NotReady)?;
    if tenant.revocations.voids(caller.as_str(), issued_at) {
        return Err(ApiError::BadToken);
    }
    let mut told = HeaderMap::new();
    tell(&mut told, &settings.headers.user_id, caller.as_str());
    for (name, claim) in [
        (&settings.headers.username, &settings.claims.username),
        (&settings.headers.first_name, &settings.claims.first_name),
        (&settings.headers.last_name, &settings.claims.last_name),
        (&settings.headers.email, &settings.claims.email),
    ] {
        if let Some(value) = claim.as_ref().map(|claim| text(&claims, claim)).transpose()?.flatten() {
            tell(&mut told, name, value);
        }
    }
    Ok((told, Reply::default()).into_response())
}

/// What is there must be a text.
fn text<'c>(claims: &'c Claims, name: &str) -> Result<Option<&'c str>, ApiError> {
    claims.get(name).map(|value| value.as_str().ok_or_else(|| unusable(name))).transpose()
}

fn unusable(claim: &str) -> ApiError {
    ApiError::malformed(format!("the claim `{claim}` is missing or cannot be used"))
}

/// What is not visible ASCII is not told: `/v1/allow` would not read it.
fn tell(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    let is_visible = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if let (true, Ok(value)) = (is_visible, HeaderValue::from_str(value)) {
        headers.insert(name.clone(), value);
    }
}
