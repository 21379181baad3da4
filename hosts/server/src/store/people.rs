//! What people write about themselves: the author is whoever proved to be that user, by a session, a code or a token.

use portcullis_directory::{
    Account, AccountChange, ApiKey, ChangeError, Details, Find, HolderKind, Label, LabelColumn, LabelDraft, NewUser,
    SecretHash, User, UserId,
};
use portcullis_identity::api_keys::{self, KeyError};
use portcullis_identity::totp::{self, Seed, TotpError};

use crate::dialects::barong::standing::Standing;
use crate::identity::{Identity, RANDOM};
use crate::permit::{Anybody, Author, Permit};
use crate::store::Store;

/// A secret, shown once.
pub type Shown = String;

impl Store {
    /// A user that makes itself, with a password.
    pub async fn sign_up(
        &self,
        _: &Permit<Anybody>,
        user: &NewUser,
        details: &Details,
        password: String,
    ) -> Result<Account, ChangeError> {
        let change = self.directory.change(&user.id, self.now()).await?;
        let account = change.create_account(user, details).await?;
        change.set_password(&user.id, Some(password)).await?;
        change.commit().await?;
        Ok(account)
    }

    /// Another password; the sessions of the user end, but for one.
    pub async fn set_password<W>(
        &self,
        _: &Permit<W>,
        user: &UserId,
        password: String,
        kept: Option<SecretHash>,
    ) -> Result<(), ChangeError> {
        let change = self.directory.change(user, self.now()).await?;
        change.set_password(user, Some(password)).await?;
        change.end_sessions(user, kept).await?;
        Ok(change.commit().await?)
    }

    /// A label in place of the one of that key and scope, and what follows from it.
    pub async fn set_label<W>(
        &self,
        _: &Permit<W>,
        user: UserId,
        label: LabelDraft,
        standing: Standing,
    ) -> Result<User, ChangeError> {
        let (directory, at) = (self.directory.clone(), self.now());
        let write = async move {
            let change = directory.change(&user, at).await?;
            let before = standing.labels(&change, &user).await?;
            match change.find(&same(&user, &label.key, &label.scope)).await?.first() {
                Some(found) => change.replace::<Label>(found.id, label).await?,
                None => change.add::<Label>(&user, label).await?,
            };
            let user = standing.settle(&change, &user, &before).await?;
            change.commit().await?;
            Ok(user)
        };
        self.revoking(write).await
    }

    /// Stores a seed that no code was shown of yet.
    pub async fn store_totp_seed(
        &self,
        permit: &Permit<Author>,
        identity: &Identity,
        seed: &Seed,
    ) -> Result<(), TotpError> {
        let change = self.directory.change(permit.author(), self.now()).await?;
        totp::store(&change, permit.author(), seed, &identity.vault, &RANDOM).await?;
        Ok(change.commit().await?)
    }

    /// Turns the second factor on, where other sessions than `kept` end, or off, where its seed is forgotten.
    pub async fn set_otp(
        &self,
        permit: &Permit<Author>,
        is_on: bool,
        kept: Option<SecretHash>,
        standing: Standing,
    ) -> Result<User, ChangeError> {
        let (directory, user, at) = (self.directory.clone(), permit.author().clone(), self.now());
        let write = async move {
            let change = directory.change(&user, at).await?;
            let before = standing.labels(&change, &user).await?;
            change.update_user(&user, &AccountChange { otp: Some(is_on), ..AccountChange::default() }).await?;
            let found = change.find(&same(&user, "otp", PRIVATE)).await?;
            match (found.first(), is_on) {
                (None, true) => {
                    change.add::<Label>(&user, enabled()).await?;
                }
                (Some(label), false) => {
                    change.remove::<Label>(label.id).await?;
                }
                _ => {}
            }
            if is_on {
                change.end_sessions(&user, kept).await?;
            } else {
                change.set_totp_seed(&user, None).await?;
            }
            let user = standing.settle(&change, &user, &before).await?;
            change.commit().await?;
            Ok(user)
        };
        self.revoking(write).await
    }

    pub async fn create_own_key(
        &self,
        permit: &Permit<Author>,
        identity: &Identity,
        scope: &str,
    ) -> Result<(ApiKey, Shown), KeyError> {
        let holder = (HolderKind::User, permit.author());
        let change = self.directory.change(permit.author(), self.now()).await?;
        let (key, secret) = api_keys::create(&change, holder, scope, &identity.vault, &RANDOM).await?;
        change.commit().await?;
        Ok((key, secret.to_string()))
    }

    pub async fn update_own_key(
        &self,
        permit: &Permit<Author>,
        kid: &str,
        state: &str,
        scope: &str,
    ) -> Result<ApiKey, ChangeError> {
        let change = self.directory.change(permit.author(), self.now()).await?;
        let key = change.update_api_key(kid, state, scope).await?;
        change.commit().await?;
        Ok(key)
    }

    pub async fn delete_own_key(&self, permit: &Permit<Author>, kid: &str) -> Result<(), ChangeError> {
        let change = self.directory.change(permit.author(), self.now()).await?;
        change.delete_api_key(kid).await?;
        Ok(change.commit().await?)
    }
}

const PRIVATE: &str = "private";

fn same(user: &UserId, key: &str, scope: &str) -> Find<Label> {
    let find = Find::<Label>::all().is(LabelColumn::UserId, user.as_str());
    find.is(LabelColumn::Key, key).is(LabelColumn::Scope, scope)
}

fn enabled() -> LabelDraft {
    LabelDraft { key: "otp".to_owned(), value: "enabled".to_owned(), scope: PRIVATE.to_owned(), description: None }
}
