//! Configuration of who a request comes from: claims, issuers of tokens, certificates of services, the gateway.

use super::ConfigError;
use super::keys::Keys;
use crate::json::Value;
use crate::token::jwk::{self, Key};

/// Names of claims; the default is the name of the fact, and for `issued_at` the registered claim `iat`. The subject's
/// id is always `sub`.
#[derive(Debug)]
pub struct ClaimNames {
    pub kind: String,
    pub roles: String,
    pub state: String,
    pub permission_groups: String,
    pub level: String,
    pub otp: String,
    pub issued_at: String,
    pub credential: String,
}

/// Who may sign bearer tokens, `issuers[]`.
#[derive(Debug)]
pub struct Issuer {
    /// `issuer`: the claim `iss`.
    pub issuer: String,
    /// `audience`: must be the claim `aud` or one of it.
    pub audience: String,
    /// `keys`: at least one JWK (RFC 7517) of the kinds EdDSA, ES256 and RS256.
    pub keys: Vec<Key>,
}

/// A service that shows a client certificate, `services[]`.
#[derive(Debug)]
pub struct Service {
    /// `san`: the URI or else the DNS name in its certificate, whole.
    pub san: String,
    /// `id`, and the facts `roles` and `permission_groups`, none by default.
    pub id: String,
    pub roles: Vec<String>,
    pub permission_groups: Vec<String>,
}

/// The server knows cookies and API keys, `gateway`.
#[derive(Debug)]
pub struct Gateway {
    /// `cookie`, none by default: name of the cookie with the session.
    pub cookie: Option<String>,
    /// `timeout_ms`, default 2000, 1..=60000.
    pub timeout_ms: u64,
}

pub(super) fn claim_names(keys: &mut Keys<'_>) -> Result<ClaimNames, ConfigError> {
    let mut claims = keys.object("claims")?;
    let mut name = |key: &'static str, default: &str| {
        let name = claims.as_mut().map_or(Ok(None), |claims| claims.text(key));
        name.map(|name| name.unwrap_or_else(|| default.to_owned()))
    };
    let names = ClaimNames {
        kind: name("type", "type")?,
        roles: name("roles", "roles")?,
        state: name("state", "state")?,
        permission_groups: name("permission_groups", "permission_groups")?,
        level: name("level", "level")?,
        otp: name("otp", "otp")?,
        issued_at: name("issued_at", "iat")?,
        credential: name("credential", "credential")?,
    };
    claims.map_or(Ok(()), Keys::finish)?;
    Ok(names)
}

pub(super) fn issuers(keys: &mut Keys<'_>) -> Result<Vec<Issuer>, ConfigError> {
    keys.objects("issuers")?.into_iter().map(issuer).collect()
}

fn issuer(mut keys: Keys<'_>) -> Result<Issuer, ConfigError> {
    let issuer = Issuer {
        issuer: keys.required_text("issuer")?,
        audience: keys.required_text("audience")?,
        keys: keys.objects("keys")?.into_iter().map(key).collect::<Result<_, _>>()?,
    };
    if issuer.keys.is_empty() {
        return Err(keys.error("keys", "a list of at least one key"));
    }
    keys.finish()?;
    Ok(issuer)
}

/// RFC 7517 says that unknown members of a key are ignored, so `finish` is not asked.
fn key(mut keys: Keys<'_>) -> Result<Key, ConfigError> {
    let kid = keys.read("kid", "a text", |json| json.text().map(str::to_owned))?;
    let mut text = |name| keys.get(name).and_then(|json| json.text());
    let (kty, crv, alg, usage) = (text("kty"), text("crv"), text("alg"), text("use"));
    let (x, y, n, e) = (text("x"), text("y"), text("n"), text("e"));
    if usage.is_some_and(|usage| usage != "sig") {
        return Err(keys.error("use", "`sig`"));
    }
    let jwk = jwk::Jwk { kty, crv, alg, x, y, n, e };
    let (member, expected) = match jwk.material() {
        Ok(material) => return Ok(Key { kid, material }),
        Err(wrong) => wrong,
    };
    Err(keys.error(member, expected))
}

pub(super) fn services(keys: &mut Keys<'_>) -> Result<Vec<Service>, ConfigError> {
    keys.objects("services")?.into_iter().map(service).collect()
}

fn service(mut keys: Keys<'_>) -> Result<Service, ConfigError> {
    let service = Service {
        san: keys.required_text("san")?,
        id: keys.required_text("id")?,
        roles: keys.texts("roles")?,
        permission_groups: keys.texts("permission_groups")?,
    };
    keys.finish()?;
    Ok(service)
}

pub(super) fn gateway(keys: &mut Keys<'_>) -> Result<Option<Gateway>, ConfigError> {
    let Some(mut keys) = keys.object("gateway")? else { return Ok(None) };
    let cookie = keys.read("cookie", "the name of a cookie", |json| match &json.value {
        Value::Text(name) if is_cookie_name(name) => Some(name.clone().into_owned()),
        _ => None,
    })?;
    let timeout_ms = keys.integer("timeout_ms", 1..=60_000, "an integer from 1 to 60000")?.unwrap_or(2000);
    keys.finish()?;
    Ok(Some(Gateway { cookie, timeout_ms }))
}

/// A token of RFC 9110, as RFC 6265 wants it.
fn is_cookie_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
