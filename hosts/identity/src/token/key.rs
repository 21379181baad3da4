//! Public keys (RFC 7517). A key fixes its algorithm: what a token says of itself never chooses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use super::verify::Invalid;

/// A public key and what it verifies.
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

impl Key {
    /// The keys of a JSON Web Key Set. One that cannot be used is an error, so that nobody counts on it.
    pub fn parse_set(text: &str) -> Result<Vec<Self>, KeyError> {
        let keys = wire(text)?.into_iter().enumerate();
        keys.map(|(at, key)| Self::new(key).ok_or(KeyError::Unsupported { at })).collect()
    }

    /// Those keys of a set that can be used: for the sets of others, who publish what they like.
    pub fn parse_usable(text: &str) -> Result<Vec<Self>, KeyError> {
        let keys: Vec<Self> = wire(text)?.into_iter().filter_map(Self::new).collect();
        if keys.is_empty() { Err(KeyError::Empty) } else { Ok(keys) }
    }

    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// As in `alg` of a token.
    pub fn algorithm(&self) -> &'static str {
        match self.material {
            Material::EdDsa(_) => "EdDSA",
            Material::Es256(_) => "ES256",
            Material::Rs256 { .. } => "RS256",
        }
    }

    /// Whether `signature` is one of these bytes, by the algorithm of the key.
    pub fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Invalid> {
        let verified = match &self.material {
            Material::EdDsa(point) => UnparsedPublicKey::new(&ED25519, point).verify(signed, signature),
            Material::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature),
            Material::Rs256 { modulus, exponent } => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
            }
        };
        verified.map_err(|ring::error::Unspecified| Invalid)
    }

    fn new(wire: WireKey) -> Option<Self> {
        let part = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_deref()?).ok();
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
}

fn wire(text: &str) -> Result<Vec<WireKey>, KeyError> {
    let set: WireKeys = serde_json::from_str(text).map_err(|error| KeyError::Json(error.to_string()))?;
    if set.keys.is_empty() { Err(KeyError::Empty) } else { Ok(set.keys) }
}
