//! Users with all that is known about them, and what the policy document consists of.

use portcullis_directory::{
    Account, AccountChange, AccountRow, ChangeError, Details, Find, NewUser, PolicyEntryRow, StoreError, User, UserId,
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

    pub async fn policy_entries(&self, find: &Find<PolicyEntryRow>) -> Result<Vec<PolicyEntryRow>, StoreError> {
        self.directory.find(find).await
    }

    pub async fn create_account(
        &self,
        permit: &Permit<Author>,
        user: &NewUser,
        details: &Details,
    ) -> Result<Account, ChangeError> {
        let write = self.directory.change(permit.author(), self.now()).await?;
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
        let (directory, by, at) = (self.directory.clone(), permit.author().clone(), self.now());
        let write = async move {
            let write = directory.change(&by, at).await?;
            let user = write.update_user(&id, &change).await?;
            write.commit().await?;
            Ok(user)
        };
        self.revoking(write).await
    }
}
