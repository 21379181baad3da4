//! Logging in by password: throttled by account and by network, and as slow for nobody as for somebody.

use std::net::IpAddr;

use portcullis_directory::{AttemptKey, Directory, Proven, StoreError, UnixSeconds, User};
use sha2::{Digest as _, Sha256};

use crate::address::Network;
use crate::passwords::{PasswordError, Passwords};
use crate::random::Random;

/// How many attempts may fail before all are refused for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    pub window_s: u64,
    /// For one account, from anywhere.
    pub per_account: u64,
    /// From one address (of IPv6: one /64), for any account.
    pub per_address: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Nobody of that name, or another password: nobody is told which.
    #[error("name or password is wrong")]
    Wrong,
    /// Refused without a look at the password.
    #[error("too many attempts failed")]
    Throttled,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What somebody shows to log in.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// As it was typed, in the words of its dialect: an address, a name. Case does not make another account.
    pub account: &'a str,
    pub password: &'a str,
    pub address: IpAddr,
}

/// An attempt that counts as failed until it succeeds.
#[must_use]
pub struct Admitted {
    account: AttemptKey,
    address: AttemptKey,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { window_s: 15 * 60, per_account: 10, per_address: 100 }
    }
}

impl Throttle {
    /// Counts the attempt in advance, so that attempts at the same time do not slip through, and forgets the account's
    /// when it succeeds. `user` is whom the account names. Whether a user may be let in is the caller's question.
    pub async fn login(
        &self,
        directory: &Directory,
        passwords: &Passwords,
        user: Option<User>,
        attempt: Attempt<'_>,
        (now, random): (UnixSeconds, &dyn Random),
    ) -> Result<Proven, LoginError> {
        let admitted = self.admit(directory, attempt, now).await?;
        let password = verified(directory, passwords, user.as_ref(), (attempt.password, random)).await?;
        let (Some(user), Some(password)) = (user, password) else { return Err(LoginError::Wrong) };
        admitted.succeed(directory).await?;
        Ok(Proven { user, password: Some(password) })
    }

    /// Counts an attempt of another kind, a code or a token, against the same limits.
    pub async fn admit(
        &self,
        directory: &Directory,
        attempt: Attempt<'_>,
        now: UnixSeconds,
    ) -> Result<Admitted, LoginError> {
        let since = UnixSeconds(now.0.saturating_sub(self.window_s));
        let account = key(b"account", attempt.account.to_lowercase().as_bytes());
        let address = key(b"address", &Network::around(attempt.address, 32, 64).key());
        for (key, limit) in [(address, self.per_address), (account, self.per_account)] {
            if directory.count_attempt(key, since, now).await? > limit {
                return Err(LoginError::Throttled);
            }
        }
        Ok(Admitted { account, address })
    }
}

impl Admitted {
    /// Forgets the failures of the account, and that this attempt was one of its address.
    pub async fn succeed(self, directory: &Directory) -> Result<(), StoreError> {
        directory.uncount_attempt(self.address).await?;
        directory.forget_attempts(self.account).await
    }
}

/// The stored hash of that password; `None` when it is another password, or of nobody. The password is known in this
/// moment only: its hash gets the cost of today.
async fn verified(
    directory: &Directory,
    passwords: &Passwords,
    user: Option<&User>,
    (password, random): (&str, &dyn Random),
) -> Result<Option<String>, LoginError> {
    loop {
        let stored = match user {
            Some(user) => directory.credentials(&user.id).await?.password,
            None => None,
        };
        let is_it = passwords.is_password(password, stored.as_deref()).await?;
        let (Some(user), Some(stored), true) = (user, stored, is_it) else { return Ok(None) };
        if !passwords.is_outdated(&stored) {
            return Ok(Some(stored));
        }
        let hash = passwords.hash(password, random).await?;
        if directory.rehash_password(&user.id, &stored, hash.clone()).await? {
            return Ok(Some(hash));
        }
        // Somebody was faster, and may have stored another password: it is looked at again.
    }
}

fn key(kind: &[u8], what: &[u8]) -> AttemptKey {
    AttemptKey(Sha256::new().chain_update(kind).chain_update([0]).chain_update(what).finalize().into())
}
