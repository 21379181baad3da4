//! Passwords: how strong they are, and their hashes (Argon2id).

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::random::{NoRandomness, Random, bytes};

/// Hashes passwords, a few at a time: each takes memory and a processor for a while.
#[derive(Clone)]
pub struct Passwords {
    cost: Params,
    turns: Arc<Semaphore>,
    /// What is checked for somebody without a password, so that it takes as long.
    nobody: Arc<str>,
}

/// What hashing takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error("cannot hash: {0}")]
    Hash(String),
}

/// What a dialect asks of passwords, beside strength.
#[derive(Clone, Copy)]
pub struct Rules<'r> {
    pub min_chars: usize,
    pub max_chars: usize,
    /// Least score of zxcvbn, 0 to 4.
    pub min_score: u8,
    /// The dialect's own: `None` is fine, else its code.
    pub own: &'r dyn Fn(&str) -> Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weakness {
    TooShort,
    TooLong,
    /// What zxcvbn says about it, in English.
    Guessable {
        advice: Option<String>,
    },
    Own(&'static str),
}

/// The least score of a password that people choose: some 10^8 guesses.
pub const MIN_SCORE: u8 = 3;

const SALT_BYTES: usize = 16;

// === impl Cost ===

impl Default for Cost {
    /// 19 MiB and two passes, the least that OWASP advises for Argon2id.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

// === impl Passwords ===

impl Passwords {
    /// At most `at_once` passwords are hashed at a time.
    pub fn new(cost: Cost, at_once: usize, random: &dyn Random) -> Result<Self, PasswordError> {
        let cost = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(error)?;
        let nobody = hash(&cost, &crate::hex(&bytes::<32>(random)?), &bytes(random)?)?;
        Ok(Self { cost, turns: Arc::new(Semaphore::new(at_once)), nobody: nobody.into() })
    }

    /// The hash in PHC form.
    pub async fn hash(&self, password: &str, random: &dyn Random) -> Result<String, PasswordError> {
        let (cost, password, salt) = (self.cost.clone(), Zeroizing::new(password.to_owned()), bytes(random)?);
        self.turn(move || hash(&cost, &password, &salt)).await?
    }

    /// Whether the password is that of the hash. Without a hash it is not, after the same time.
    pub async fn is_password(&self, password: &str, stored: Option<&str>) -> Result<bool, PasswordError> {
        let (password, hash) = (Zeroizing::new(password.to_owned()), stored.unwrap_or(&self.nobody).to_owned());
        let is_it = self.turn(move || verify(&password, &hash)).await?;
        Ok(is_it && stored.is_some())
    }

    /// Whether the hash was made with another cost than now; then the next login is the moment to make it anew.
    pub fn is_outdated(&self, stored: &str) -> bool {
        let params = PasswordHash::new(stored).ok().and_then(|hash| Params::try_from(&hash).ok());
        params.is_none_or(|params| (params.m_cost(), params.t_cost()) != (self.cost.m_cost(), self.cost.t_cost()))
    }

    async fn turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|error| PasswordError::Hash(error.to_string()))?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|error| PasswordError::Hash(error.to_string()))
    }
}

fn hash(cost: &Params, password: &str, salt: &[u8; SALT_BYTES]) -> Result<String, PasswordError> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.clone());
    let hash: PasswordHash = argon2.hash_password_with_salt(password.as_bytes(), salt).map_err(error)?;
    Ok(hash.to_string())
}

/// With the cost that stands in the hash. What cannot be read is no hash of any password.
fn verify(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

fn error(error: impl std::fmt::Display) -> PasswordError {
    PasswordError::Hash(error.to_string())
}

/// Everything that is wrong with a password. `about` is what an attacker would try first: address, name, product.
pub fn weaknesses(password: &str, about: &[&str], rules: &Rules<'_>) -> Vec<Weakness> {
    let mut found = Vec::new();
    let chars = password.chars().count();
    if chars < rules.min_chars {
        found.push(Weakness::TooShort);
    }
    if chars > rules.max_chars {
        found.push(Weakness::TooLong);
        return found;
    }
    let entropy = zxcvbn::zxcvbn(password, about);
    if u8::from(entropy.score()) < rules.min_score {
        let advice = entropy.feedback().and_then(|feedback| Some(feedback.warning()?.to_string()));
        found.push(Weakness::Guessable { advice });
    }
    found.extend((rules.own)(password).map(Weakness::Own));
    found
}
