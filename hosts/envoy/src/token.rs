//! Bearer tokens: JSON Web Tokens (RFC 7519) signed with EdDSA, ES256 or RS256.
//!
//! In: the text of the token, the issuers of the configuration. Out: who it speaks for, that it is invalid, or that it is
//! of no issuer that is known here. The key says which algorithm it is; `iss`, `aud` and `exp` are required.

pub mod cache;
mod der;
pub mod jwk;
mod rsa;
mod verify;

use std::rc::Rc;

use crate::config::{ClaimNames, Config, Issuer};
use crate::host::Host;
use crate::identity::{FactNames, Identity, Payload, Unreadable};
use crate::json::Json;
use cache::Cache;
use jwk::{Key, decode};

/// Longer texts are no tokens.
const MOST_BYTES: usize = 16 << 10;
/// How far `nbf` may lie in the future: the clock of the issuer may be ahead by so many seconds.
const NOT_BEFORE_LEEWAY: u64 = 30;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Bearer {
    Valid(Rc<Identity>),
    Invalid,
    /// Of none of the issuers.
    Foreign,
}

/// Tokens that were verified, under the end of their text: that of a signature, which spreads as well as a hash does and
/// need not be computed. Somebody may make up a text with the same end, so all of it is compared.
pub type Tokens = Cache<Verified>;

#[derive(Clone)]
pub struct Verified {
    text: Rc<str>,
    identity: Rc<Identity>,
}

/// What `token` is at the time `now`, in unix seconds.
pub fn read(host: &impl Host, config: &Config, tokens: &mut Tokens, token: &str, now: u64) -> Bearer {
    if token.len() > MOST_BYTES {
        return Bearer::Foreign;
    }
    let Some(key) = token.as_bytes().last_chunk() else { return Bearer::Foreign };
    if let Some(Verified { text, identity }) = tokens.get(key)
        && is_same(text.as_bytes(), token.as_bytes())
    {
        return if is_expired(&identity, now) { Bearer::Invalid } else { Bearer::Valid(identity) };
    }
    let Some(parts) = Parts::split(token) else { return Bearer::Foreign };
    let (Ok(header), Ok(payload)) = (Json::parse(&parts.header), Json::parse(&parts.payload)) else {
        return Bearer::Foreign;
    };
    let issuer = payload.get("iss").and_then(Json::text);
    let Some(issuer) = config.issuers.iter().find(|known| Some(&*known.issuer) == issuer) else {
        return Bearer::Foreign;
    };
    match verified(host, issuer, &config.claims, &parts, &header, &payload, now) {
        Ok(identity) => {
            let identity = Rc::new(identity);
            tokens.insert(*key, Verified { text: token.into(), identity: Rc::clone(&identity) });
            Bearer::Valid(identity)
        }
        Err(Unreadable) => Bearer::Invalid,
    }
}

/// Takes as long wherever they differ. Tokens are long, so eight bytes are compared at once.
fn is_same(known: &[u8], token: &[u8]) -> bool {
    let ((words, rest), (others, others_rest)) = (known.as_chunks::<8>(), token.as_chunks::<8>());
    let words = words.iter().zip(others).map(|(a, b)| u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b));
    let rest = rest.iter().zip(others_rest).map(|(a, b)| u64::from(a ^ b));
    let difference = words.chain(rest).fold(0, |difference, bits| difference | bits);
    known.len() == token.len() && core::hint::black_box(difference) == 0
}

fn is_expired(identity: &Identity, now: u64) -> bool {
    identity.expires.is_none_or(|expires| expires <= now)
}

/// The parts of the compact form (RFC 7515 section 7.1), decoded.
struct Parts<'a> {
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    /// Header and payload as they are written.
    signed: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        Some(Self { header: decode(header)?, payload: decode(payload)?, signature: decode(signature)?, signed })
    }
}

fn verified(
    host: &impl Host,
    issuer: &Issuer,
    claims: &ClaimNames,
    parts: &Parts<'_>,
    header: &Json<'_>,
    payload: &Json<'_>,
    now: u64,
) -> Result<Identity, Unreadable> {
    let key = key_of(issuer, header).ok_or(Unreadable)?;
    let is_for_us = payload.get("aud").is_some_and(|audience| holds(audience, &issuer.audience));
    let expires = payload.get("exp").and_then(Json::integer).ok_or(Unreadable)?;
    let not_before = match payload.get("nbf") {
        Some(time) => time.integer().ok_or(Unreadable)?,
        None => 0,
    };
    if !is_for_us || expires <= now || not_before > now.saturating_add(NOT_BEFORE_LEEWAY) {
        return Err(Unreadable);
    }
    if !verify::has_signed(host, &key.material, parts.signed.as_bytes(), &parts.signature) {
        return Err(Unreadable);
    }
    let identity =
        Identity::read(&JsonPayload { json: payload, null_is_absent: false }, &FactNames::of_claims(claims))?;
    Ok(Identity { expires: Some(expires), ..identity })
}

/// The key that the header names. A header without `kid` means the only key of its algorithm.
fn key_of<'a>(issuer: &'a Issuer, header: &Json<'_>) -> Option<&'a Key> {
    // Extensions that must be understood; none is.
    if header.get("crit").is_some() {
        return None;
    }
    let algorithm = header.get("alg")?.text()?;
    let mut keys = issuer.keys.iter().filter(|key| key.material.algorithm() == algorithm);
    match header.get("kid") {
        Some(kid) => {
            let kid = kid.text()?;
            keys.find(|key| key.kid.as_deref() == Some(kid))
        }
        None => keys.next().filter(|_| keys.next().is_none()),
    }
}

/// Whether `audience` is the text or a list with it (RFC 7519 section 4.1.3).
fn holds(audience: &Json<'_>, text: &str) -> bool {
    let list = audience.list().unwrap_or_default();
    audience.text() == Some(text) || list.iter().any(|item| item.text() == Some(text))
}

/// Claims or facts in JSON.
pub(crate) struct JsonPayload<'a> {
    pub(crate) json: &'a Json<'a>,
    pub(crate) null_is_absent: bool,
}

impl<'a> JsonPayload<'a> {
    fn get(&self, name: &str) -> Option<&'a Json<'a>> {
        self.json.get(name).filter(|value| !self.null_is_absent || value.raw != "null")
    }

    fn read<T>(&self, name: &str, read: impl FnOnce(&'a Json<'a>) -> Option<T>) -> Result<Option<T>, Unreadable> {
        self.get(name).map(|json| read(json).ok_or(Unreadable)).transpose()
    }
}

impl Payload for JsonPayload<'_> {
    fn text(&self, name: &str) -> Result<Option<String>, Unreadable> {
        self.read(name, |json| json.text().map(str::to_owned))
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Unreadable> {
        self.read(name, |json| json.list()?.iter().map(|item| item.text().map(str::to_owned)).collect())
    }

    fn integer(&self, name: &str) -> Result<Option<u64>, Unreadable> {
        self.read(name, Json::integer)
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Unreadable> {
        self.read(name, Json::flag)
    }
}

#[cfg(test)]
mod tests;
