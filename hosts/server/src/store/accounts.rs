//! Users with all that is known about them, and what the policy document consists of.

use portcullis_directory::{
    Account, AccountChange, AccountRow, Activity, Change, ChangeError, Details, Find, Label, Listed, NewUser,
    OneTimeToken, SecretHash, StoreError, UnixSeconds, User, UserId,
};

use crate::permit::{Author, Permit};
use crate::store::Store;

impl Store {
    pub async fn account(&self, id: &UserId) -> Result<Option<Account>, StoreError> {
        self.directory.account(id).await
    }

    pub async fn accounts(&self, find: &Find<AccountRow>) -> Result<Vec<Account>, StoreError> {
        self.directory.accounts(find).await
    }

    pub async fn find<R: Listed>(&self, find: &Find<R>) -> Result<Vec<R>, StoreError> {
        self.directory.find(find).await
    }

    /// How many there are on all pages.
    pub async fn count<R: Listed>(&self, find: &Find<R>) -> Result<u64, StoreError> {
        self.directory.count(find).await
    }

    pub async fn label_counts(&self, find: &Find<Label>, limit: u64) -> Result<Vec<(String, String, i64)>, StoreError> {
        self.directory.label_counts(find, limit).await
    }

    pub async fn activity_days(&self, find: &Find<Activity>) -> Result<Vec<(i64, i64)>, StoreError> {
        self.directory.activity_days(find).await
    }

    /// Begins a write of several steps; others wait until it ends. Dropped without `commit`, nothing of it happens.
    pub async fn begin(&self, permit: &Permit<Author>) -> Result<Change, StoreError> {
        self.directory.change(permit.author(), self.turn()).await
    }

    pub async fn commit(&self, change: Change) -> Result<(), StoreError> {
        self.revoking(async move { change.commit().await }).await
    }

    /// A token that works once, for that purpose.
    pub async fn offer(
        &self,
        permit: &Permit<Author>,
        (purpose, hash): (&str, SecretHash),
        lifetime_s: u64,
    ) -> Result<(), StoreError> {
        let created_at = self.now();
        let token = OneTimeToken {
            hash,
            purpose: purpose.to_owned(),
            subject: permit.author().to_string(),
            data: None,
            created_at,
            expires_at: UnixSeconds(created_at.0.saturating_add(lifetime_s)),
        };
        let write = self.begin(permit).await?;
        write.offer_token(&token).await?;
        write.commit().await
    }

    pub async fn create_account(
        &self,
        permit: &Permit<Author>,
        user: &NewUser,
        details: &Details,
    ) -> Result<Account, ChangeError> {
        let write = self.directory.change(permit.author(), self.turn()).await?;
        let account = write.create_account(user, details).await?;
        write.commit().await?;
        Ok(account)
    }

    pub async fn update_account(
        &self,
        permit: &Permit<Author>,
        id: UserId,
        change: AccountChange,
    ) -> Result<User, ChangeError> {
        let (directory, by, at) = (self.directory.clone(), permit.author().clone(), self.turn());
        let write = async move {
            let write = directory.change(&by, at).await?;
            let user = write.update_user(&id, &change).await?;
            write.commit().await?;
            Ok(user)
        };
        self.revoking(write).await
    }
}
