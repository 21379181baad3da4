//! Who made a bundle: Ed25519 (RFC 8032) over its digest.
//!
//! The signed text is a fixed prefix and the SHA-256 digest, so that a signature for anything else never fits.

use core::fmt;

use base64ct::Encoding as _;
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::layout::Header;

const CONTEXT: &[u8; 20] = b"portcullis bundle v1";

/// Which key signed: the first 8 bytes of the SHA-256 of the public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId(pub [u8; 8]);

impl KeyId {
    /// Stands in the header of an unsigned bundle.
    pub const UNSIGNED: Self = Self([0; 8]);
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The key in a key file: the 32-byte seed in base64, with or without a final newline.
    pub fn parse(base64: &str) -> Option<Self> {
        decode(base64.trim_end()).map(|seed| Self::from_seed(&seed))
    }

    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, digest: &[u8; 32]) -> [u8; 64] {
        self.0.sign(&signed_text(digest)).to_bytes()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key whose 32 bytes are in `base64` (standard alphabet, padded).
    pub fn parse(base64: &str) -> Option<Self> {
        VerifyingKey::from_bytes(&decode(base64)?).ok().map(Self)
    }

    /// The key of these bytes (RFC 8032 section 5.1.5).
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().map(Self)
    }

    pub fn id(&self) -> KeyId {
        let digest: [u8; 32] = Sha256::digest(self.0.as_bytes()).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        KeyId([a, b, c, d, e, f, g, h])
    }

    /// Whether this key made the signature of `header`.
    pub(crate) fn signed(&self, header: &Header) -> bool {
        self.has_signed(&signed_text(&header.digest), &header.signature)
    }

    /// Whether this key made the signature of `text`, which is no bundle.
    pub fn has_signed(&self, text: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(text, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(self.0.as_bytes()))
    }
}

fn signed_text(digest: &[u8; 32]) -> [u8; 52] {
    let mut text = [0; 52];
    for (to, from) in text.iter_mut().zip(CONTEXT.iter().chain(digest)) {
        *to = *from;
    }
    text
}

/// Standard base64 of exactly 32 bytes (RFC 4648 section 4).
fn decode(base64: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let length = base64ct::Base64::decode(base64, &mut bytes).ok()?.len();
    (length == bytes.len()).then_some(bytes)
}

fn encode(bytes: &[u8; 32]) -> String {
    base64ct::Base64::encode_string(bytes)
}
