//! Secrets that somebody holds: 32 random bytes as base64url. Shown once, known by their hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_directory::SecretHash;
use sha2::{Digest as _, Sha256};

use crate::random::{NoRandomness, Random, bytes};

pub struct Secret([u8; 32]);

impl Secret {
    pub fn generate(random: &dyn Random) -> Result<Self, NoRandomness> {
        Ok(Self(bytes(random)?))
    }

    /// `None` for any text that `reveal` does not give.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }

    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Looking up the hash instead of the secret takes no time that depends on the secret.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0).into())
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Lower-case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
