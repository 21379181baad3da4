//! Tokens of identity providers: signature, issuer, audience, times -> claims, and claims -> the subject of a policy.
//!
//! A key fixes its algorithm, and no key means that no token is valid. A claim that is there and cannot be read is
//! never skipped: a token never turns into an anonymous or a role-less subject. The filter reads tokens in the same way.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::Subject as CoreSubject;
use portcullis_runtime::{Credential, Subject};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Who may issue tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers {
    pub issuers: Vec<Issuer>,
    pub claims: ClaimNames,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// As in `iss`.
    pub name: String,
    /// One of those in `aud`.
    pub audience: String,
    pub keys: Vec<Key>,
}

/// A public key (RFC 7517) and what it verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    id: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    EdDsa(Vec<u8>),
    /// Uncompressed point.
    Es256(Vec<u8>),
    Rs256 {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

/// Names of claims; the id of the subject is always `sub`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimNames {
    pub r#type: String,
    pub roles: String,
    pub state: String,
    pub permission_groups: String,
    pub level: String,
    pub otp: String,
    pub issued_at: String,
    pub credential: String,
}

/// The token is not valid; nobody is told why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("not a JSON Web Key Set: {0}")]
    Json(String),
    #[error("there is no key")]
    Empty,
    #[error("key {at} is of no supported kind: Ed25519 (EdDSA), P-256 (ES256), RSA of 2048 to 8192 bits (RS256)")]
    Unsupported { at: usize },
}

#[derive(Deserialize)]
struct WireKeys {
    keys: Vec<WireKey>,
}

#[derive(Deserialize)]
struct WireKey {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    kid: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515 section 4.1.11); none is.
    crit: Option<Value>,
}

/// The integers that JSON numbers hold exactly.
const LARGEST: u64 = 1 << 53;

// === impl Issuers ===

impl Issuers {
    /// Who a token is about, if it is valid at `now` (unix seconds).
    pub fn verify(&self, token: &str, now: u64) -> Result<(Subject, Credential), Invalid> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Invalid);
        };
        let claims: Map<String, Value> = json(payload)?;
        let name = claims.get("iss").and_then(Value::as_str).ok_or(Invalid)?;
        let issuer = self.issuers.iter().find(|issuer| issuer.name == name).ok_or(Invalid)?;
        let signed = token.get(..header.len() + 1 + payload.len()).ok_or(Invalid)?;
        issuer.key(&json(header)?)?.verify(signed.as_bytes(), &bytes(signature)?)?;
        issuer.accepts(&claims, now)?;
        self.claims.read(&claims)
    }
}

impl Issuer {
    /// The key of that id and algorithm. A token without an id is fine when there is no choice.
    fn key(&self, header: &Header) -> Result<&Key, Invalid> {
        let key = match (&header.kid, self.keys.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_ref() == Some(id)),
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

// === impl Key ===

impl Key {
    /// The keys of a JSON Web Key Set. One that cannot be used is an error, so that nobody counts on it.
    pub fn parse_set(text: &str) -> Result<Vec<Self>, KeyError> {
        let set: WireKeys = serde_json::from_str(text).map_err(|error| KeyError::Json(error.to_string()))?;
        if set.keys.is_empty() {
            return Err(KeyError::Empty);
        }
        let keys = set.keys.into_iter().enumerate();
        keys.map(|(at, key)| Self::new(key).ok_or(KeyError::Unsupported { at })).collect()
    }

    fn new(wire: WireKey) -> Option<Self> {
        let part = |part: &Option<String>| bytes(part.as_deref()?).ok();
        let material = match (wire.kty.as_str(), wire.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => Material::EdDsa(part(&wire.x).filter(|x| x.len() == 32)?),
            ("EC", Some("P-256")) => {
                let point = [vec![4], part(&wire.x)?, part(&wire.y)?].concat();
                Material::Es256(Some(point).filter(|point| point.len() == 65)?)
            }
            ("RSA", None) => {
                let modulus = part(&wire.n).filter(|modulus| (256..=1024).contains(&modulus.len()))?;
                Material::Rs256 { modulus, exponent: part(&wire.e)? }
            }
            _ => return None,
        };
        let key = Self { id: wire.kid, material };
        let fits = |given: Option<&str>, expected: &str| given.is_none_or(|given| given == expected);
        (fits(wire.alg.as_deref(), key.algorithm()) && fits(wire.purpose.as_deref(), "sig")).then_some(key)
    }

    fn algorithm(&self) -> &'static str {
        match self.material {
            Material::EdDsa(_) => "EdDSA",
            Material::Es256(_) => "ES256",
            Material::Rs256 { .. } => "RS256",
        }
    }

    fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Invalid> {
        let verified = match &self.material {
            Material::EdDsa(key) => UnparsedPublicKey::new(&ED25519, key).verify(signed, signature),
            Material::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature),
            Material::Rs256 { modulus, exponent } => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
            }
        };
        verified.map_err(|ring::error::Unspecified| Invalid)
    }
}

// === impl ClaimNames ===

impl Default for ClaimNames {
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            r#type: name("type"),
            roles: name("roles"),
            state: name("state"),
            permission_groups: name("permission_groups"),
            level: name("level"),
            otp: name("otp"),
            issued_at: name("iat"),
            credential: name("credential"),
        }
    }
}

impl ClaimNames {
    fn read(&self, claims: &Map<String, Value>) -> Result<(Subject, Credential), Invalid> {
        let optional_text = |name: &str| claims.get(name).map(text).transpose();
        let state = optional_text(&self.state)?;
        let subject = Subject {
            id: nonempty(text(claims.get("sub").ok_or(Invalid)?)?)?,
            kind: optional_text(&self.r#type)?,
            state: state.map_or_else(|| Ok(CoreSubject::DEFAULT_STATE.to_owned()), nonempty)?,
            roles: claims.get(&self.roles).map_or(Ok(Vec::new()), texts)?,
            permission_groups: claims.get(&self.permission_groups).map_or(Ok(Vec::new()), texts)?,
            level: match claims.get(&self.level).map(integer).transpose()? {
                Some(level) => Some(u32::try_from(level).map_err(|_| Invalid)?),
                None => None,
            },
            otp: claims.get(&self.otp).map_or(Some(false), Value::as_bool).ok_or(Invalid)?,
            issued_at: claims.get(&self.issued_at).map(integer).transpose()?,
            properties: None,
        };
        let credential = match optional_text(&self.credential)? {
            Some(name) => Credential::parse(&name).ok_or(Invalid)?,
            None => Credential::Token,
        };
        Ok((subject, credential))
    }
}

fn text(value: &Value) -> Result<String, Invalid> {
    value.as_str().map(str::to_owned).ok_or(Invalid)
}

fn nonempty(text: String) -> Result<String, Invalid> {
    if text.is_empty() { Err(Invalid) } else { Ok(text) }
}

/// At most as many as a decision takes.
fn texts(value: &Value) -> Result<Vec<String>, Invalid> {
    let list = value.as_array().filter(|list| list.len() <= CoreSubject::MAX_ROLES).ok_or(Invalid)?;
    list.iter().map(text).collect()
}

/// A number without a fraction, not negative, and exact in every reader; `3.0` is 3.
fn integer(value: &Value) -> Result<u64, Invalid> {
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

#[cfg(test)]
mod tests;
