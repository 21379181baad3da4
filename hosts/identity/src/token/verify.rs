//! A token -> its claims: signature, issuer, audience, times.
//!
//! No key means that no token is valid. A claim that is there and cannot be read is never skipped.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::key::Key;

/// Who may issue tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// As in `iss`, to the byte.
    pub name: String,
    /// One of those in `aud`; always asked for.
    pub audience: String,
    pub keys: Vec<Key>,
}

/// The token is not valid; nobody is told why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid")]
pub struct Invalid;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515 section 4.1.11); none is.
    crit: Option<Value>,
}

/// The integers that JSON numbers hold exactly.
const LARGEST: u64 = 1 << 53;

/// The claims of a token of one of `issuers` that is valid at `now` (unix seconds).
pub fn verify(issuers: &[Issuer], token: &str, now: u64) -> Result<Map<String, Value>, Invalid> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Invalid);
    };
    let claims: Map<String, Value> = json(payload)?;
    let name = claims.get("iss").and_then(Value::as_str).ok_or(Invalid)?;
    let issuer = issuers.iter().find(|issuer| issuer.name == name).ok_or(Invalid)?;
    let signed = token.get(..header.len() + 1 + payload.len()).ok_or(Invalid)?;
    issuer.key(&json(header)?)?.verify(signed.as_bytes(), &bytes(signature)?)?;
    issuer.accepts(&claims, now)?;
    Ok(claims)
}

impl Issuer {
    /// The key of that id and algorithm. A token without an id is fine when there is no choice.
    fn key(&self, header: &Header) -> Result<&Key, Invalid> {
        let key = match (&header.kid, self.keys.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        key.filter(|key| header.crit.is_none() && key.algorithm() == header.alg).ok_or(Invalid)
    }

    fn accepts(&self, claims: &Map<String, Value>, now: u64) -> Result<(), Invalid> {
        let is_meant = match claims.get("aud") {
            Some(Value::String(one)) => *one == self.audience,
            Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(&self.audience)),
            _ => false,
        };
        let expires = integer(claims.get("exp").ok_or(Invalid)?)?;
        let begins = claims.get("nbf").map(integer).transpose()?;
        let is_in_time = now < expires && begins.is_none_or(|begins| begins <= now);
        if is_meant && is_in_time { Ok(()) } else { Err(Invalid) }
    }
}

/// A number without a fraction, not negative, and exact in every reader; `3.0` is 3.
pub fn integer(value: &Value) -> Result<u64, Invalid> {
    let whole =
        |number: f64| (number.fract() == 0.0 && number >= 0.0 && number <= LARGEST as f64).then_some(number as u64);
    let number = value.as_u64().or_else(|| value.as_f64().and_then(whole));
    number.filter(|&number| number <= LARGEST).ok_or(Invalid)
}

fn bytes(base64url: &str) -> Result<Vec<u8>, Invalid> {
    URL_SAFE_NO_PAD.decode(base64url).map_err(|_| Invalid)
}

fn json<T: serde::de::DeserializeOwned>(base64url: &str) -> Result<T, Invalid> {
    serde_json::from_slice(&bytes(base64url)?).map_err(|_| Invalid)
}
