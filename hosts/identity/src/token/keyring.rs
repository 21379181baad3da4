//! The keys of this server: made on the first start, changed with an overlap, published as a JSON Web Key Set.

use portcullis_directory::{ChangeError, Directory, NewSigningKey, SigningKeyRow, StoreError, UnixSeconds, UserId};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::issue::{Algorithm, SigningError, SigningKey};
use super::key::{Key, KeyError};
use super::verify::Issuer;
use crate::random::Random;
use crate::vault::{Vault, VaultError};

/// Keys that verify now, the newest first. Load it again from time to time: another server may have changed them.
pub struct Keyring {
    keys: Vec<Member>,
}

struct Member {
    key: SigningKey,
    signs_from: UnixSeconds,
}

/// How keys change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Between publishing a key and signing with it: as long as others keep the set of keys without asking.
    pub announce_s: u64,
    /// Of tokens: as long as the key before it verifies after the new one signs.
    pub token_lifetime_s: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("a stored key has the algorithm `{0}`, which is none")]
    Algorithm(String),
    /// Never when there was a `load_or_create`.
    #[error("there is no key that signs")]
    NoKey,
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keyring {
    pub async fn load(directory: &Directory, vault: &Vault, now: UnixSeconds) -> Result<Self, KeyringError> {
        Self::open(directory.signing_keys(now).await?, vault)
    }

    /// Makes the first key when there is none. Of servers that start at once one makes it.
    pub async fn load_or_create(
        directory: &Directory,
        vault: &Vault,
        algorithm: Algorithm,
        (now, by): (UnixSeconds, &UserId),
        random: &dyn Random,
    ) -> Result<Self, KeyringError> {
        let known = Self::load(directory, vault, now).await?;
        if !known.keys.is_empty() {
            return Ok(known);
        }
        let key = made(algorithm).await?;
        let change = directory.change(by, now).await?;
        if change.signing_keys().await?.is_empty() {
            change.add_signing_key(row(&key, vault, (now, now), random)?).await?;
            change.commit().await?;
        } else {
            drop(change);
        }
        Self::load(directory, vault, now).await
    }

    /// Adds a key of that algorithm, which signs when all who verify know it, and lets the others go when the tokens that
    /// they signed have expired. Of servers that do so at once one does.
    pub async fn rotate(
        directory: &Directory,
        vault: &Vault,
        (algorithm, rotation): (Algorithm, Rotation),
        (now, by): (UnixSeconds, &UserId),
        random: &dyn Random,
    ) -> Result<Self, KeyringError> {
        let known = Self::load(directory, vault, now).await?.newest();
        let key = made(algorithm).await?;
        let signs_from = UnixSeconds(now.0.saturating_add(rotation.announce_s));
        let others_until = UnixSeconds(signs_from.0.saturating_add(rotation.token_lifetime_s));
        let change = directory.change(by, now).await?;
        let newest = change.signing_keys().await?.first().map(signs_since);
        if newest == known {
            change.add_signing_key(row(&key, vault, (signs_from, others_until), random)?).await?;
            change.commit().await?;
        } else {
            drop(change);
        }
        Self::load(directory, vault, now).await
    }

    /// Since when the newest key signs, or from when on it will.
    pub fn newest(&self) -> Option<UnixSeconds> {
        self.keys.first().map(|member| member.signs_from)
    }

    /// A token with these claims, by the newest key that signs at `now`.
    pub fn sign(&self, claims: &Map<String, Value>, now: UnixSeconds) -> Result<String, KeyringError> {
        let member = self.keys.iter().find(|member| member.signs_from <= now).ok_or(KeyringError::NoKey)?;
        Ok(member.key.sign(claims)?)
    }

    /// What `/.well-known/jwks.json` says (RFC 7517).
    pub fn published(&self) -> Value {
        let keys: Vec<_> = self.keys.iter().map(|member| member.key.public()).collect();
        json!({ "keys": keys })
    }

    /// Who verifies tokens of this server.
    pub fn issuer(&self, name: &str, audience: &str) -> Result<Issuer, KeyringError> {
        let keys = Key::parse_set(&self.published().to_string())?;
        Ok(Issuer { name: name.to_owned(), audience: audience.to_owned(), keys })
    }

    fn open(rows: Vec<SigningKeyRow>, vault: &Vault) -> Result<Self, KeyringError> {
        let keys = rows.into_iter().map(|row| member(row, vault)).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }
}

/// Where the private half is sealed.
pub(crate) fn place(kid: &str) -> String {
    format!("signing_key/{kid}")
}

/// A new key; RSA takes a while.
async fn made(algorithm: Algorithm) -> Result<(SigningKey, Zeroizing<Vec<u8>>), KeyringError> {
    let made = tokio::task::spawn_blocking(move || algorithm.generate()).await;
    let private = made.map_err(|_| SigningError::Generate)??;
    Ok((SigningKey::from_pkcs8(algorithm, &private)?, private))
}

fn row(
    (key, private): &(SigningKey, Zeroizing<Vec<u8>>),
    vault: &Vault,
    (signs_from, others_until): (UnixSeconds, UnixSeconds),
    random: &dyn Random,
) -> Result<NewSigningKey, KeyringError> {
    Ok(NewSigningKey {
        kid: key.id().to_owned(),
        algorithm: key.algorithm().name().to_owned(),
        private: vault.seal(&place(key.id()), private, random)?,
        public: key.public().to_string(),
        signs_from,
        others_until,
    })
}

fn member(row: SigningKeyRow, vault: &Vault) -> Result<Member, KeyringError> {
    let signs_from = signs_since(&row);
    let algorithm = Algorithm::parse(&row.algorithm).ok_or(KeyringError::Algorithm(row.algorithm))?;
    let private = vault.open(&place(&row.kid), &row.private)?;
    Ok(Member { key: SigningKey::from_pkcs8(algorithm, &private)?, signs_from })
}

fn signs_since(row: &SigningKeyRow) -> UnixSeconds {
    UnixSeconds(row.signs_from.unsigned_abs())
}
