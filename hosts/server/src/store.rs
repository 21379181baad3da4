//! The directory behind permits: reads are free for the server, every write wants a `Permit` and has the caller as author.

use std::sync::Arc;

use portcullis_directory::{
    AccessToken, AppendError, CreateUserError, Directory, Document, FirstUser, IssueTokenError, NewDocument, NewUser,
    PageSize, Revision, RevisionInfo, SecretHash, SetupError, StoreError, TenantId, UnixSeconds, UpdateUserError, User,
    UserChange, UserId,
};

use crate::clock::Clock;
use crate::permit::{Author, Permit, SetupHolder};

#[derive(Clone)]
pub struct Store {
    directory: Directory,
    clock: Arc<dyn Clock>,
}

impl Store {
    pub fn new(directory: Directory, clock: Arc<dyn Clock>) -> Self {
        Self { directory, clock }
    }

    pub fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    /// Waits for running statements; afterwards every call fails.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.directory.clone().close().await
    }

    // === reads ===

    pub async fn ping(&self) -> Result<(), StoreError> {
        self.directory.ping().await
    }

    pub async fn user_by_token(&self, hash: SecretHash) -> Result<Option<User>, StoreError> {
        self.directory.user_by_token(hash).await
    }

    pub async fn is_setup_token(&self, hash: SecretHash) -> Result<bool, StoreError> {
        self.directory.is_setup_token(hash).await
    }

    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.directory.user(id).await
    }

    pub async fn users(&self, after: Option<&UserId>, limit: PageSize) -> Result<Vec<User>, StoreError> {
        self.directory.users(after, limit).await
    }

    pub async fn current_revision(&self, tenant: &TenantId) -> Result<Option<Revision>, StoreError> {
        self.directory.current_revision(tenant).await
    }

    pub async fn document(&self, tenant: &TenantId) -> Result<Option<Document>, StoreError> {
        self.directory.document(tenant).await
    }

    pub async fn revisions(
        &self,
        tenant: &TenantId,
        before: Option<Revision>,
        limit: PageSize,
    ) -> Result<Vec<RevisionInfo>, StoreError> {
        self.directory.revisions(tenant, before, limit).await
    }

    // === writes ===

    pub async fn create_user(&self, permit: &Permit<Author>, user: &NewUser) -> Result<User, CreateUserError> {
        self.directory.create_user(user, permit.author(), self.now()).await
    }

    pub async fn update_user(
        &self,
        permit: &Permit<Author>,
        id: &UserId,
        change: &UserChange,
    ) -> Result<User, UpdateUserError> {
        self.directory.update_user(id, change, permit.author(), self.now()).await
    }

    pub async fn delete_user(&self, permit: &Permit<Author>, id: &UserId) -> Result<(), UpdateUserError> {
        self.directory.delete_user(id, permit.author(), self.now()).await
    }

    pub async fn issue_token(
        &self,
        permit: &Permit<Author>,
        user: &UserId,
        token: &AccessToken,
    ) -> Result<(), IssueTokenError> {
        self.directory.issue_token(user, token, permit.author(), self.now()).await
    }

    pub async fn revoke_tokens(&self, permit: &Permit<Author>, user: &UserId) -> Result<u64, IssueTokenError> {
        self.directory.revoke_tokens(user, permit.author(), self.now()).await
    }

    pub async fn append_document(
        &self,
        permit: &Permit<Author>,
        tenant: &TenantId,
        document: NewDocument,
    ) -> Result<Revision, AppendError> {
        self.directory.append_document(tenant, document, permit.author()).await
    }

    /// The one write without a permit: it is the process that starts, not a request.
    pub async fn issue_setup_token(&self, hash: SecretHash) -> Result<bool, StoreError> {
        self.directory.issue_setup_token(hash, self.now()).await
    }

    pub async fn set_up(&self, permit: &Permit<SetupHolder>, first: &FirstUser) -> Result<User, SetupError> {
        self.directory.set_up(permit.setup_token(), first, self.now()).await
    }
}
