//! API keys: an id that is shown, a secret that signs. Two schemes: Barong's headers, which sign the time and the id of the
//! key, and ours, which signs the request. In both a nonce works once.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use portcullis_directory::{
    ACTIVE_KEY, ApiKey, Change, ChangeError, Directory, Holder, HolderKind, NewApiKey, NonceUse, StoreError, UserId,
    UserState,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::compare::is_same;
use crate::random::{NoRandomness, Random, bytes};
use crate::secret::hex;
use crate::vault::{Vault, VaultError};

/// Who may use keys, and for how long a signed request counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRules {
    /// Between the time that was signed and now, in both directions.
    pub window: Duration,
    /// States of holders whose keys work.
    pub states: Vec<UserState>,
    /// Users need a second factor; service accounts have none.
    pub users_need_otp: bool,
    /// Unexpired nonces of one key: no more requests than that in twice the window.
    pub nonces_per_key: u64,
}

/// What Barong's clients send: `X-Auth-Apikey`, `X-Auth-Nonce`, `X-Auth-Signature`.
#[derive(Clone, Copy, Debug)]
pub struct BarongProof<'p> {
    pub kid: &'p str,
    /// Milliseconds since 1970, in digits.
    pub nonce: &'p str,
    /// HMAC-SHA256 of nonce and id, in lower-case hexadecimal.
    pub signature: &'p str,
}

/// What our clients send: `X-Portcullis-Key`, `-Timestamp`, `-Nonce`, `-Signature`.
#[derive(Clone, Copy, Debug)]
pub struct RequestProof<'p> {
    pub kid: &'p str,
    /// Milliseconds since 1970, in digits.
    pub timestamp: &'p str,
    /// 16 to 64 of `A-Z`, `a-z`, `0-9`, `_` and `-`.
    pub nonce: &'p str,
    /// HMAC-SHA256 of `signed_text`, in lower-case hexadecimal.
    pub signature: &'p str,
}

/// The request that was signed, as it came.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'r> {
    pub method: &'r str,
    /// Of the request line, up to `?`.
    pub path: &'r str,
    /// What follows `?`; empty without.
    pub query: &'r str,
    pub body: &'r [u8],
}

/// In the order in which it is looked at.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("there is no such key")]
    Unknown,
    #[error("the time is not one")]
    BadTime,
    #[error("the time is too far from now")]
    Expired,
    #[error("the nonce is not one")]
    BadNonce,
    #[error("the signature is wrong")]
    BadSignature,
    #[error("the key is not active")]
    Inactive,
    #[error("the holder may not use keys in its state")]
    HolderInactive,
    #[error("the holder has no second factor")]
    OtpOff,
    #[error("the nonce was used before")]
    NonceUsed,
    #[error("the key signs more requests than it may")]
    TooMany,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The only one that keys are made for.
pub const ALGORITHM: &str = "HS256";

impl Default for KeyRules {
    /// Barong's (reference/barong.md 3.7).
    fn default() -> Self {
        let states = ["active", "pending"].into_iter().filter_map(|state| UserState::parse(state).ok()).collect();
        Self { window: Duration::from_secs(5), states, users_need_otp: true, nonces_per_key: 10_000 }
    }
}

/// Makes a key; its secret is shown this once.
pub async fn create(
    change: &Change,
    (holder, id): (HolderKind, &UserId),
    scope: &str,
    vault: &Vault,
    random: &dyn Random,
) -> Result<(ApiKey, Zeroizing<String>), KeyError> {
    let kid = hex(&bytes::<8>(random)?);
    let secret = Zeroizing::new(hex(&bytes::<16>(random)?));
    let sealed = vault.seal(&place(&kid), secret.as_bytes(), random)?;
    let new = NewApiKey { kid, algorithm: ALGORITHM.to_owned(), secret: sealed, scope: scope.to_owned() };
    Ok((change.create_api_key(holder, id, new).await?, secret))
}

/// Where the secret is sealed.
pub(crate) fn place(kid: &str) -> String {
    format!("api_key/{kid}")
}

impl KeyRules {
    /// The holder of the key that signed as Barong's clients do.
    pub async fn barong(
        &self,
        directory: &Directory,
        vault: &Vault,
        proof: BarongProof<'_>,
        now_ms: u64,
    ) -> Result<(ApiKey, Holder), KeyError> {
        let (key, holder) = directory.api_key(proof.kid).await?.ok_or(KeyError::Unknown)?;
        let signed_at = self.in_window(proof.nonce, now_ms)?;
        let text = format!("{}{}", proof.nonce, proof.kid);
        self.accept(vault, &key, &holder, (&text, proof.signature))?;
        self.spend(directory, &key, proof.nonce, (signed_at, now_ms)).await?;
        Ok((key, holder))
    }

    /// The holder of the key that signed this request.
    pub async fn request(
        &self,
        directory: &Directory,
        vault: &Vault,
        (proof, request): (RequestProof<'_>, SignedRequest<'_>),
        now_ms: u64,
    ) -> Result<(ApiKey, Holder), KeyError> {
        let (key, holder) = directory.api_key(proof.kid).await?.ok_or(KeyError::Unknown)?;
        let signed_at = self.in_window(proof.timestamp, now_ms)?;
        let text = signed_text(proof, request).ok_or(KeyError::BadNonce)?;
        self.accept(vault, &key, &holder, (&text, proof.signature))?;
        self.spend(directory, &key, proof.nonce, (signed_at, now_ms)).await?;
        Ok((key, holder))
    }

    fn in_window(&self, time_ms: &str, now_ms: u64) -> Result<u64, KeyError> {
        let is_number = (1..=16).contains(&time_ms.len()) && time_ms.bytes().all(|byte| byte.is_ascii_digit());
        let time: u64 = time_ms.parse().map_err(|_| KeyError::BadTime)?;
        if !is_number || time == 0 {
            return Err(KeyError::BadTime);
        }
        if u128::from(now_ms.abs_diff(time)) < self.window.as_millis() { Ok(time) } else { Err(KeyError::Expired) }
    }

    fn accept(
        &self,
        vault: &Vault,
        key: &ApiKey,
        holder: &Holder,
        (text, signature): (&str, &str),
    ) -> Result<(), KeyError> {
        let secret = vault.open(&place(&key.kid), &key.secret)?;
        if !is_same(sign(&secret, text).as_bytes(), signature.as_bytes()) {
            return Err(KeyError::BadSignature);
        }
        if key.state != ACTIVE_KEY {
            return Err(KeyError::Inactive);
        }
        let (state, has_otp) = match holder {
            Holder::User(user) => (user.state.as_str(), user.otp || !self.users_need_otp),
            Holder::ServiceAccount(account) => (account.state.as_str(), true),
        };
        if !self.states.iter().any(|accepted| accepted.as_str() == state) {
            return Err(KeyError::HolderInactive);
        }
        if has_otp { Ok(()) } else { Err(KeyError::OtpOff) }
    }

    /// Last of all, so that nobody uses up the nonces of somebody else.
    async fn spend(
        &self,
        directory: &Directory,
        key: &ApiKey,
        nonce: &str,
        (signed_at, now_ms): (u64, u64),
    ) -> Result<(), KeyError> {
        // Until the signature no longer counts.
        let window = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        let until = signed_at.saturating_add(window);
        match directory.use_nonce(&key.kid, nonce, (now_ms, until), self.nonces_per_key).await? {
            NonceUse::Fresh => Ok(()),
            NonceUse::Used => Err(KeyError::NonceUsed),
            NonceUse::TooMany => Err(KeyError::TooMany),
        }
    }
}

/// What our scheme signs: eight lines. `None` when a part cannot be one of them.
pub fn signed_text(proof: RequestProof<'_>, request: SignedRequest<'_>) -> Option<String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let is_nonce = (16..=64).contains(&proof.nonce.len()) && proof.nonce.bytes().all(legal);
    let SignedRequest { method, path, query, body } = request;
    let digest = hex(&Sha256::digest(body));
    let lines = ["portcullis-request-2", method, path, query, &digest, proof.timestamp, proof.nonce, proof.kid];
    let is_lines = lines.iter().all(|line| !line.contains(['\n', '\r']));
    (is_nonce && is_lines).then(|| lines.join("\n"))
}

/// HMAC-SHA256 in lower-case hexadecimal: what a client does with its secret.
pub fn sign(secret: &[u8], text: &str) -> String {
    match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mac) => hex(&mac.chain_update(text).finalize().into_bytes()),
        // HMAC takes keys of any length; an empty text is no signature of anything.
        Err(_) => String::new(),
    }
}
