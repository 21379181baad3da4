//! Private keys: made here or brought along, and what they sign.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rsa::pkcs8::EncodePrivateKey as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::secret::hex;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    #[default]
    EdDsa,
    Es256,
    Rs256,
}

/// A private key, and the public one that belongs to it.
pub struct SigningKey {
    id: String,
    pair: Pair,
    public: Value,
}

enum Pair {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    #[error("not a private key of this algorithm: {0}")]
    Rejected(String),
    #[error("no key can be made")]
    Generate,
    #[error("cannot sign")]
    Sign,
}

/// Of RSA keys that are made here.
const RSA_BITS: usize = 2048;

// === impl Algorithm ===

impl Algorithm {
    /// As in `alg` of a token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256, Self::Rs256].into_iter().find(|one| one.name() == name)
    }

    /// A new private key as PKCS#8. RS256 takes a second or more; run it where that blocks nobody.
    pub fn generate(self) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        let random = SystemRandom::new();
        let key = match self {
            Self::EdDsa => Ed25519KeyPair::generate_pkcs8(&random).map(|key| key.as_ref().to_vec()).ok(),
            Self::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                .map(|key| key.as_ref().to_vec())
                .ok(),
            Self::Rs256 => generate_rsa(),
        };
        key.map(Zeroizing::new).ok_or(SigningError::Generate)
    }
}

/// Only made by `rsa`, which signs in a time that depends on the key; signing is done by `ring`.
fn generate_rsa() -> Option<Vec<u8>> {
    let mut random = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
    // That one panics when the system has no randomness; this says so.
    getrandom::fill(&mut [0; 32]).ok()?;
    let key = rsa::RsaPrivateKey::new(&mut random, RSA_BITS).ok()?;
    Some(key.to_pkcs8_der().ok()?.as_bytes().to_vec())
}

// === impl SigningKey ===

impl SigningKey {
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, SigningError> {
        let rejected = |error: ring::error::KeyRejected| SigningError::Rejected(error.to_string());
        let pair = match algorithm {
            Algorithm::EdDsa => Pair::EdDsa(Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(rejected)?),
            Algorithm::Es256 => {
                let random = SystemRandom::new();
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random);
                Pair::Es256(pair.map_err(rejected)?)
            }
            Algorithm::Rs256 => Pair::Rs256(RsaKeyPair::from_pkcs8(der).map_err(rejected)?),
        };
        let (id, public) = describe(&pair);
        Ok(Self { id, pair, public })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// As JSON Web Key.
    pub fn public(&self) -> &Value {
        &self.public
    }

    /// A token with these claims and no others.
    pub fn sign(&self, claims: &Map<String, Value>) -> Result<String, SigningError> {
        let header = json!({"alg": self.algorithm().name(), "kid": self.id, "typ": "JWT"});
        let part = |part: String| URL_SAFE_NO_PAD.encode(part);
        let payload = serde_json::to_string(claims).map_err(|_| SigningError::Sign)?;
        let signed = format!("{}.{}", part(header.to_string()), part(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.signature(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }

    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::EdDsa(_) => Algorithm::EdDsa,
            Pair::Es256(_) => Algorithm::Es256,
            Pair::Rs256(_) => Algorithm::Rs256,
        }
    }

    fn signature(&self, signed: &[u8]) -> Result<Vec<u8>, SigningError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::EdDsa(pair) => Ok(pair.sign(signed).as_ref().to_vec()),
            Pair::Es256(pair) => {
                let signature = pair.sign(&random, signed).map_err(|_| SigningError::Sign)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature).map_err(|_| SigningError::Sign)?;
                Ok(signature)
            }
        }
    }
}

/// Id and public key. The id is the beginning of the thumbprint (RFC 7638): the same key always has the same one.
fn describe(pair: &Pair) -> (String, Value) {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    // The members of a thumbprint, in its order.
    let (algorithm, members) = match pair {
        Pair::EdDsa(pair) => {
            let x = text(pair.public_key().as_ref());
            (Algorithm::EdDsa, json!({"crv": "Ed25519", "kty": "OKP", "x": x}))
        }
        Pair::Es256(pair) => {
            // 4, then both coordinates.
            let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
            let (x, y) = point.split_at(point.len() / 2);
            (Algorithm::Es256, json!({"crv": "P-256", "kty": "EC", "x": text(x), "y": text(y)}))
        }
        Pair::Rs256(pair) => {
            let PublicKeyComponents::<Vec<u8>> { n, e } = PublicKeyComponents::from(pair.public());
            (Algorithm::Rs256, json!({"e": text(&e), "kty": "RSA", "n": text(&n)}))
        }
    };
    let thumbprint = Sha256::digest(members.to_string());
    let id = hex(thumbprint.get(..16).unwrap_or_default());
    let mut public = members;
    if let Value::Object(public) = &mut public {
        public.insert("alg".to_owned(), algorithm.name().into());
        public.insert("kid".to_owned(), id.as_str().into());
        public.insert("use".to_owned(), "sig".into());
    }
    (id, public)
}
