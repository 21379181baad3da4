//! Tokens in mails and links: they work once, for one purpose, for a while.

use portcullis_directory::{Change, Directory, OneTimeToken, StoreError, UnixSeconds};

use crate::random::{NoRandomness, Random};
use crate::secret::Secret;

/// A token to be issued.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'o> {
    pub purpose: &'o str,
    /// Whom it is about: the id of a user, an address.
    pub subject: &'o str,
    pub data: Option<&'o str>,
    pub lifetime_s: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum OneTimeError {
    /// Unknown, used, expired, or for another purpose: nobody is told which.
    #[error("the token is not valid")]
    BadToken,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Issues a token; those of the same purpose and subject before it stop working.
pub async fn issue(
    directory: &Directory,
    offer: Offer<'_>,
    now: UnixSeconds,
    random: &dyn Random,
) -> Result<Secret, OneTimeError> {
    let secret = Secret::generate(random)?;
    directory.drop_one_time_tokens(offer.purpose, offer.subject).await?;
    let token = OneTimeToken {
        hash: secret.hash(),
        purpose: offer.purpose.to_owned(),
        subject: offer.subject.to_owned(),
        data: offer.data.map(str::to_owned),
        created_at: now,
        expires_at: UnixSeconds(now.0.saturating_add(offer.lifetime_s)),
    };
    directory.add_one_time_token(&token).await?;
    Ok(secret)
}

/// Uses a token up, with what the write does by it.
pub async fn spend(change: &Change, token: &str, purpose: &str) -> Result<OneTimeToken, OneTimeError> {
    let hash = Secret::parse(token).ok_or(OneTimeError::BadToken)?.hash();
    change.take_one_time_token(hash, purpose).await?.ok_or(OneTimeError::BadToken)
}
