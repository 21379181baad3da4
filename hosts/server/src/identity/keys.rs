//! The keys of access tokens as this server knows them now. Another server may have changed them: they are loaded again
//! once a minute.

use std::sync::{Arc, PoisonError, RwLock};

use portcullis_directory::{Directory, NameError, UnixSeconds, UserId};
use portcullis_identity::token::{Algorithm, Issuer, Keyring, KeyringError, Rotation};
use portcullis_identity::vault::Vault;
use serde_json::{Map, Value};

use crate::identity::settings::Settings;
use crate::identity::{OpenError, RANDOM};

pub struct Keys {
    directory: Directory,
    vault: Arc<Vault>,
    algorithm: Algorithm,
    rotation: Rotation,
    /// Seconds; 0 is for ever.
    key_lifetime_s: u64,
    ring: RwLock<Arc<Keyring>>,
}

/// Between publishing a key and signing with it: longer than others keep the set of keys, ten minutes with Envoy.
const ANNOUNCE_S: u64 = 3600;

/// Who changes keys when no user asked for it.
const SERVER: &str = "server";

impl Keys {
    pub async fn open(
        directory: Directory,
        vault: Arc<Vault>,
        settings: &Settings,
        now: UnixSeconds,
    ) -> Result<Self, OpenError> {
        let by = server()?;
        let ring = Keyring::load_or_create(&directory, &vault, settings.algorithm, (now, &by), &RANDOM).await?;
        let rotation = Rotation { announce_s: ANNOUNCE_S, token_lifetime_s: settings.token_lifetime_s };
        let (algorithm, key_lifetime_s) = (settings.algorithm, settings.key_lifetime_s);
        let ring = RwLock::new(Arc::new(ring));
        Ok(Self { directory, vault, algorithm, rotation, key_lifetime_s, ring })
    }

    pub fn sign(&self, claims: &Map<String, Value>, now: UnixSeconds) -> Result<String, KeyringError> {
        self.ring().sign(claims, now)
    }

    /// As a JSON Web Key Set (RFC 7517).
    pub fn published(&self) -> Value {
        self.ring().published()
    }

    /// Who verifies tokens of this server.
    pub fn issuer(&self, name: &str, audience: &str) -> Result<Issuer, KeyringError> {
        self.ring().issuer(name, audience)
    }

    /// Takes over what is stored.
    pub async fn reload(&self, now: UnixSeconds) -> Result<(), KeyringError> {
        self.replace(Keyring::load(&self.directory, &self.vault, now).await?);
        Ok(())
    }

    /// Announces another key. The ones before it verify until the last token that they sign has expired.
    pub async fn rotate(&self, now: UnixSeconds, by: &UserId) -> Result<(), KeyringError> {
        let kind = (self.algorithm, self.rotation);
        self.replace(Keyring::rotate(&self.directory, &self.vault, kind, (now, by), &RANDOM).await?);
        Ok(())
    }

    /// Announces another key when the newest one has signed for long enough. Says whether it did.
    pub async fn rotate_old(&self, now: UnixSeconds) -> Result<bool, OpenError> {
        let newest = self.ring().newest();
        let is_old = newest.is_some_and(|since| now.0.saturating_sub(since.0) >= self.key_lifetime_s);
        if self.key_lifetime_s == 0 || !is_old {
            return Ok(false);
        }
        self.rotate(now, &server()?).await?;
        Ok(true)
    }

    fn ring(&self) -> Arc<Keyring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, ring: Keyring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }
}

fn server() -> Result<UserId, NameError> {
    UserId::parse(SERVER)
}
