//! What people write about themselves: the author is whoever proved to be that user, by a session, a code or a token.

use portcullis_directory::{Account, Change, ChangeError, Details, Email, NewUser, StoreError, UserId};
use portcullis_identity::one_time::{self, OneTimeError};

use crate::permit::{Anybody, Permit};
use crate::store::Store;

/// Whose name a write has until a code tells whose it is. No id of a user has a colon.
const UNKNOWN: &str = "identity:mail";

impl Store {
    /// A user that makes itself, with a password.
    pub async fn sign_up(
        &self,
        permit: &Permit<Anybody>,
        user: &NewUser,
        details: &Details,
        password: String,
    ) -> Result<Account, ChangeError> {
        let change = self.begin_as(permit, &user.id).await?;
        let account = change.create_account(user, details).await?;
        change.set_password(&user.id, Some(password), None).await?;
        change.commit().await?;
        Ok(account)
    }

    /// Begins a write of several steps by a user that proved who it is; others wait until it ends.
    pub async fn begin_as<W>(&self, _: &Permit<W>, user: &UserId) -> Result<Change, StoreError> {
        self.directory.change(user, self.turn()).await
    }

    /// Begins what a code from a mail allows, by the user whom it was sent to: the code is used up with the write. It says
    /// nothing about whoever has another address by now.
    pub async fn begin_by_mail<W>(
        &self,
        permit: &Permit<W>,
        (code, purpose): (&str, &str),
    ) -> Result<(Change, Account), OneTimeError> {
        let unknown = UserId::parse(UNKNOWN).map_err(|_| OneTimeError::BadToken)?;
        let change = self.begin_as(permit, &unknown).await?;
        let token = one_time::spend(&change, code, purpose).await?;
        let id = UserId::parse(&token.subject).map_err(|_| OneTimeError::BadToken)?;
        let account = change.account(&id).await?.ok_or(OneTimeError::BadToken)?;
        match account.details.email.as_ref().map(Email::key) == token.data {
            true => Ok((change.in_name_of(id), account)),
            false => Err(OneTimeError::BadToken),
        }
    }
}
