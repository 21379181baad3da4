//! Secrets that callers hold: 32 random bytes behind a prefix, in base64url. Shown once, stored as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_directory::SecretHash;
use sha2::{Digest as _, Sha256};

/// `ptc_...`: proves to be a user.
pub struct AccessSecret([u8; 32]);

/// `pte_...`: proves to be an edge.
pub struct EdgeSecret([u8; 32]);

/// `pts_...`: allows to create the first user.
pub struct SetupSecret([u8; 32]);

pub trait Secret: Sized {
    const PREFIX: &str;

    fn from_bytes(bytes: [u8; 32]) -> Self;
    fn bytes(&self) -> &[u8; 32];

    fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self::from_bytes(bytes))
    }

    /// `None` for any text that `reveal` does not give.
    fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(Self::PREFIX)?).ok()?;
        Some(Self::from_bytes(bytes.try_into().ok()?))
    }

    fn reveal(&self) -> String {
        format!("{}{}", Self::PREFIX, URL_SAFE_NO_PAD.encode(self.bytes()))
    }

    /// Looking up the hash instead of the secret takes no time that depends on the secret.
    fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.bytes()).into())
    }
}

impl Secret for AccessSecret {
    const PREFIX: &str = "ptc_";

    fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Secret for EdgeSecret {
    const PREFIX: &str = "pte_";

    fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Secret for SetupSecret {
    const PREFIX: &str = "pts_";

    fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
