//! Who somebody is, for every API of this server: the parts of `portcullis-identity` with the keys, limits and folders that
//! are configured.

pub mod keys;
pub mod mail;
pub mod settings;
pub mod upkeep;

use std::sync::Arc;

use portcullis_directory::{Directory, NameError, UnixSeconds};
use portcullis_identity::SystemRandom;
use portcullis_identity::passwords::{PasswordError, Passwords};
use portcullis_identity::token::{Issuer, KeyringError};
use portcullis_identity::vault::Vault;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::identity::keys::Keys;
use crate::identity::mail::Maildir;
use crate::identity::settings::Settings;

pub struct Identity {
    pub directory: Directory,
    pub vault: Arc<Vault>,
    pub passwords: Passwords,
    pub keys: Keys,
    pub mail: Maildir,
    pub settings: Settings,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the keys of access tokens cannot be opened")]
    Keys(#[from] KeyringError),
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    #[error(transparent)]
    Name(#[from] NameError),
}

pub const RANDOM: SystemRandom = SystemRandom;

impl Identity {
    /// Makes the first key of access tokens when there is none.
    pub async fn open(
        directory: Directory,
        vault: Vault,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, OpenError> {
        let vault = Arc::new(vault);
        let keys = Keys::open(directory.clone(), Arc::clone(&vault), &settings, clock.now()).await?;
        let passwords = Passwords::new(settings.cost, settings.passwords_at_once, &RANDOM)?;
        let mail = Maildir::new(settings.mail_folder.clone(), settings.mail_from.clone());
        Ok(Arc::new(Self { directory, vault, passwords, keys, mail, settings }))
    }

    /// An access token with these claims.
    pub fn sign(&self, claims: &Map<String, Value>, now: UnixSeconds) -> Result<String, KeyringError> {
        self.keys.sign(claims, now)
    }

    /// Who verifies the access tokens of this server.
    pub fn issuer(&self, name: &str, audience: &str) -> Result<Issuer, KeyringError> {
        self.keys.issuer(name, audience)
    }

    /// What is done once a minute: forgets what is over, and looks after the keys.
    #[cfg(test)]
    pub async fn tidy(&self, now: UnixSeconds) {
        upkeep::tidy(self, now).await;
    }
}
