//! The directory behind permits: reads are free for the server, every write wants a `Permit` and has the caller as author.

mod accounts;
mod people;

use std::sync::Arc;

use portcullis_directory::{
    AccessToken, AppendError, AuditCursor, AuditEntry, AuditFilter, Backlog, Candidate, Connections, CreateUserError,
    DecisionRecord, Directory, Document, Edge, EdgeError, EdgeId, EdgeName, FirstUser, Gap, GapCursor, IssueTokenError,
    NewActivity, NewDocument, NewUser, PageSize, RecordBatch, RecordCursor, RecordFilter, Revision, RevisionInfo,
    Rotation, SecretHash, SetupError, StoreError, StoredRecord, TenantId, UnixSeconds, UpdateUserError, User,
    UserChange, UserId, WorkerName,
};

use crate::clock::Clock;
use crate::follow::Watermark;
use crate::permit::{Asker, Author, Permit, Sender, SetupHolder};
use crate::revocations::Revocations;

#[derive(Clone)]
pub struct Store {
    directory: Directory,
    clock: Arc<dyn Clock>,
    /// Of every tenant; they take over what a write revokes before it is answered.
    revocations: Arc<[Arc<Revocations>]>,
    watermark: Arc<Watermark>,
}

/// Records that an edge sends.
pub struct Sent {
    pub worker: WorkerName,
    pub first: u64,
    pub dropped: u64,
    pub records: Vec<DecisionRecord>,
}

impl Store {
    pub fn new(
        directory: Directory,
        clock: Arc<dyn Clock>,
        revocations: Arc<[Arc<Revocations>]>,
        watermark: Arc<Watermark>,
    ) -> Self {
        Self { directory, clock, revocations, watermark }
    }

    pub fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Waits for running statements; afterwards every call fails.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.directory.clone().close().await
    }

    // === reads ===

    pub async fn ping(&self) -> Result<(), StoreError> {
        self.directory.ping().await
    }

    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.directory.backlog().await
    }

    pub fn connections(&self) -> Connections {
        self.directory.connections()
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

    /// The user as all writes of this server left it, and those of others until a fifth of a second ago.
    pub async fn known_user(&self, id: &UserId) -> Result<Option<Arc<User>>, StoreError> {
        match self.watermark.is_recent() {
            true => self.directory.known_user(id).await,
            false => Ok(Box::pin(self.directory.user(id)).await?.map(Arc::new)),
        }
    }

    pub async fn users(&self, after: Option<&UserId>, limit: PageSize) -> Result<Vec<User>, StoreError> {
        self.directory.users(after, limit).await
    }

    pub async fn current_revision(&self, tenant: &TenantId) -> Result<Option<Revision>, StoreError> {
        self.directory.current_revision(tenant).await
    }

    pub async fn candidate(&self, tenant: &TenantId) -> Result<Option<Candidate>, StoreError> {
        self.directory.candidate(tenant).await
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

    pub async fn publish_job(&self, tenant: &TenantId) -> Result<Option<Revision>, StoreError> {
        self.directory.publish_job(tenant).await
    }

    pub async fn edge_by_token(&self, hash: SecretHash) -> Result<Option<EdgeId>, StoreError> {
        self.directory.edge_by_token(hash, self.now()).await
    }

    pub async fn edges(
        &self,
        tenant: &TenantId,
        after: Option<&EdgeName>,
        limit: PageSize,
    ) -> Result<Vec<Edge>, StoreError> {
        self.directory.edges(tenant, after, limit, self.now()).await
    }

    pub async fn records(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
        before: Option<RecordCursor>,
        limit: u64,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        self.directory.records(tenant, filter, before, limit).await
    }

    pub async fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<AuditCursor>,
        limit: u64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.directory.audit(filter, before, limit).await
    }

    pub async fn gaps(
        &self,
        tenant: &TenantId,
        after: Option<&GapCursor>,
        limit: PageSize,
    ) -> Result<Vec<Gap>, StoreError> {
        self.directory.gaps(tenant, after, limit).await
    }

    // === writes ===

    pub async fn create_user(&self, permit: &Permit<Author>, user: &NewUser) -> Result<User, CreateUserError> {
        self.directory.create_user(user, permit.author(), self.now()).await
    }

    pub async fn update_user(
        &self,
        permit: &Permit<Author>,
        id: UserId,
        change: UserChange,
    ) -> Result<User, UpdateUserError> {
        let (directory, by, at) = (self.directory.clone(), permit.author().clone(), self.turn());
        self.revoking(async move { directory.update_user(&id, &change, &by, at).await }).await
    }

    pub async fn delete_user(&self, permit: &Permit<Author>, id: UserId) -> Result<(), UpdateUserError> {
        let (directory, by, at) = (self.directory.clone(), permit.author().clone(), self.turn());
        self.revoking(async move { directory.delete_user(&id, &by, at).await }).await
    }

    /// Voids all tokens of the subject and ends its sessions; the answer is the time before which.
    pub async fn revoke_subject(&self, permit: &Permit<Author>, id: UserId) -> Result<UnixSeconds, StoreError> {
        let (directory, by, at) = (self.directory.clone(), permit.author().clone(), self.turn());
        self.revoking(async move { directory.revoke_subject(&id, &by, at).await }).await
    }

    pub async fn issue_token(
        &self,
        permit: &Permit<Author>,
        user: &UserId,
        token: &AccessToken,
    ) -> Result<(), IssueTokenError> {
        self.directory.issue_token(user, token, permit.author(), self.now()).await
    }

    pub async fn revoke_tokens(&self, permit: &Permit<Author>, user: UserId) -> Result<u64, IssueTokenError> {
        let (directory, by, at) = (self.directory.clone(), permit.author().clone(), self.turn());
        self.revoking(async move { directory.revoke_tokens(&user, &by, at).await }).await
    }

    pub async fn create_edge(
        &self,
        permit: &Permit<Author>,
        edge: &EdgeId,
        token: SecretHash,
    ) -> Result<(), EdgeError> {
        self.directory.create_edge(edge, token, permit.author(), self.now()).await
    }

    /// The token before this one stays valid for `old_lives_s` seconds.
    pub async fn issue_edge_token(
        &self,
        permit: &Permit<Author>,
        edge: &EdgeId,
        token: SecretHash,
        old_lives_s: u64,
    ) -> Result<UnixSeconds, EdgeError> {
        let at = self.now();
        let rotation = Rotation { at, old_until: UnixSeconds(at.0.saturating_add(old_lives_s)) };
        self.directory.issue_edge_token(edge, token, permit.author(), rotation).await?;
        Ok(rotation.old_until)
    }

    pub async fn delete_edge(&self, permit: &Permit<Author>, edge: &EdgeId) -> Result<(), EdgeError> {
        self.directory.delete_edge(edge, permit.author(), self.now()).await
    }

    pub async fn store_records(
        &self,
        permit: &Permit<Sender>,
        tenant: &TenantId,
        sent: Sent,
    ) -> Result<u64, StoreError> {
        let Sent { worker, first, dropped, records } = sent;
        let (tenant, sender, received_at) = (tenant.clone(), permit.sender().to_owned(), self.now());
        let batch = RecordBatch { tenant, sender, worker, first, dropped, records, received_at };
        self.directory.store_records(batch).await
    }

    /// What this server decided for proxies, for the tenant of the one who asks.
    pub async fn store_audit(&self, permit: &Permit<Asker>, sent: Sent) -> Result<u64, StoreError> {
        const SENDER: &str = "server";
        let Sent { worker, first, dropped, records } = sent;
        let (tenant, received_at) = (permit.tenant().clone(), self.now());
        let batch = RecordBatch { tenant, sender: SENDER.to_owned(), worker, first, dropped, records, received_at };
        self.directory.store_records(batch).await
    }

    /// What people did, as a permitted request tells it.
    pub async fn add_activities<W>(&self, _: &Permit<W>, new: Vec<NewActivity>) -> Result<(), StoreError> {
        self.directory.add_activities(new).await
    }

    pub async fn forget_records(&self, tenant: &TenantId, since: UnixSeconds, most: u64) -> Result<u64, StoreError> {
        self.directory.forget_records(tenant, since, most).await
    }

    pub async fn put_candidate(
        &self,
        permit: &Permit<Author>,
        tenant: &TenantId,
        candidate: Candidate,
    ) -> Result<(), StoreError> {
        self.directory.put_candidate(tenant, candidate, permit.author()).await
    }

    pub async fn remove_candidate(&self, permit: &Permit<Author>, tenant: &TenantId) -> Result<bool, StoreError> {
        self.directory.remove_candidate(tenant, permit.author(), self.now()).await
    }

    pub async fn append_document(
        &self,
        permit: &Permit<Author>,
        tenant: &TenantId,
        document: NewDocument,
    ) -> Result<Revision, AppendError> {
        self.directory.append_document(tenant, document, permit.author()).await
    }

    /// Without a permit: the write that asked for the job had one.
    pub async fn finish_publish_job(&self, tenant: &TenantId, revision: Revision) -> Result<(), StoreError> {
        self.directory.finish_publish_job(tenant, revision).await
    }

    /// Without a permit: it is the process that starts, not a request.
    pub async fn issue_setup_token(&self, hash: SecretHash) -> Result<bool, StoreError> {
        self.directory.issue_setup_token(hash, self.now()).await
    }

    pub async fn set_up(&self, permit: &Permit<SetupHolder>, first: &FirstUser) -> Result<User, SetupError> {
        self.directory.set_up(permit.setup_token(), first, self.now()).await
    }

    /// When a write happens that waits for its turn first.
    fn turn(&self) -> impl FnOnce() -> UnixSeconds + Send + use<> {
        let clock = Arc::clone(&self.clock);
        move || clock.written_at()
    }

    /// Carries out a write that may revoke tokens. Once started it runs to its end, also when the caller goes away: who
    /// waits for revocations is always told.
    async fn revoking<T, E>(&self, write: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (revocations, now) = (Arc::clone(&self.revocations), self.now());
        let task = tokio::spawn(async move {
            let done = write.await?;
            for revocations in revocations.iter() {
                revocations.refresh(now).await?;
            }
            Ok(done)
        });
        match task.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(done) => done,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The process ends; nobody is going to be answered.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}
