//! Codes of a second factor (RFC 6238): six digits, a new one every 30 seconds; one step of the clock more or less is
//! taken, and a code works once.

use portcullis_directory::{Change, ChangeError, StoreError, UnixSeconds, UserId};
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::random::{NoRandomness, Random, bytes};
use crate::vault::{Vault, VaultError};

/// 20 bytes, as many as HMAC-SHA-1 uses.
pub struct Seed(Zeroizing<[u8; 20]>);

#[derive(Debug, thiserror::Error)]
pub enum TotpError {
    /// Wrong, used, or of somebody without a second factor: nobody is told which.
    #[error("the code is not valid")]
    BadCode,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Seed {
    pub fn generate(random: &dyn Random) -> Result<Self, NoRandomness> {
        Ok(Self(Zeroizing::new(bytes(random)?)))
    }

    /// As apps take it.
    pub fn base32(&self) -> String {
        Secret::new_stack(*self.0).to_base32()
    }

    /// What the picture for apps says. Issuer and account may hold any characters but `:`.
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (encode(issuer), encode(account));
        format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}", self.base32())
    }

    /// The step whose code it is.
    pub fn step(&self, code: &str, now: UnixSeconds) -> Option<u64> {
        let is_code = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        if is_code { self.totp()?.check(code, now.0) } else { None }
    }

    /// The code at `now`: what an app shows.
    pub fn code(&self, now: UnixSeconds) -> Option<String> {
        Some(self.totp()?.generate(now.0).to_string())
    }

    fn totp(&self) -> Option<Totp> {
        Builder::new().with_secret(Secret::new_stack(*self.0)).build().ok()
    }
}

/// The seed of a user, sealed in the directory.
pub fn place(user: &str) -> String {
    format!("totp/{user}")
}

/// Stores the seed; whether the second factor is on is said by the user's `otp`.
pub async fn store(
    change: &Change,
    user: &UserId,
    seed: &Seed,
    vault: &Vault,
    random: &dyn Random,
) -> Result<(), TotpError> {
    let sealed = vault.seal(&place(user.as_str()), seed.0.as_slice(), random)?;
    Ok(change.set_totp_seed(user, Some(sealed)).await?)
}

/// Uses a code of the user, with what the write does by it. It does not work again, nor does one before it.
pub async fn spend(
    change: &Change,
    user: &UserId,
    code: &str,
    vault: &Vault,
    now: UnixSeconds,
) -> Result<(), TotpError> {
    let sealed = change.credentials(user).await?.totp_seed.ok_or(TotpError::BadCode)?;
    let opened = vault.open(&place(user.as_str()), &sealed)?;
    let seed = <[u8; 20]>::try_from(opened.as_slice()).map_err(|_| VaultError::Damaged)?;
    let step = Seed(Zeroizing::new(seed)).step(code, now).ok_or(TotpError::BadCode)?;
    match change.use_totp_step(user, step).await? {
        true => Ok(()),
        false => Err(TotpError::BadCode),
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
