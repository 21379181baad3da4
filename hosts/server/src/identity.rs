//! The keys of this server: what seals secrets, and what signs access tokens.

use portcullis_directory::{Directory, UnixSeconds, UserId};
use portcullis_identity::SystemRandom;
use portcullis_identity::token::{Algorithm, Issuer, Keyring, KeyringError};
use portcullis_identity::vault::Vault;

pub struct Identity {
    pub vault: Vault,
    keyring: Keyring,
}

/// The author of keys that the server makes for itself.
const AUTHOR: &str = "server";

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Name(#[from] portcullis_directory::NameError),
}

impl Identity {
    /// Makes the first signing key when there is none.
    pub async fn open(directory: &Directory, vault: Vault, now: UnixSeconds) -> Result<Self, IdentityError> {
        let by = UserId::parse(AUTHOR)?;
        let keyring =
            Keyring::load_or_create(directory, &vault, Algorithm::default(), (now, &by), &SystemRandom).await?;
        Ok(Self { vault, keyring })
    }

    /// Who verifies the tokens of this server.
    pub fn issuer(&self, name: &str, audience: &str) -> Result<Issuer, KeyringError> {
        self.keyring.issuer(name, audience)
    }

    pub fn sign(
        &self,
        claims: &serde_json::Map<String, serde_json::Value>,
        now: UnixSeconds,
    ) -> Result<String, KeyringError> {
        self.keyring.sign(claims, now)
    }
}

/// The keys in `path`; on the first start new ones, written as a whole and readable by their owner only.
pub fn read_or_create(path: &std::path::Path) -> anyhow::Result<Vault> {
    use anyhow::Context as _;
    use std::io::Write as _;
    if !path.exists() {
        let keys = Vault::generate(&SystemRandom)?;
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(path))?; // mode 0600
        file.write_all(keys.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Vault::parse(&text).with_context(|| format!("`{}` cannot be used", path.display()))
}
