//! The current policy of a tenant: a document becomes the next revision, or nothing changes at all.
//!
//! In: the text of a document and a permit. Order: conditions, compile and sign, re-read, prepare in the component,
//! store in one transaction with a publish job, install, wake who waits. A failure at any step leaves the policy before
//! it in place. `outbox` carries the job out, after the commit or after the next start.

pub mod archive;
mod build;
mod bundle;
mod candidate;
mod follow;
mod outbox;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use portcullis_compiler::{Diagnostic, Entry, Severity};
use portcullis_core::OpenError;
use portcullis_directory::{
    AppendError, LogOut, NewDocument, PolicyEntry, Revision, StoreError, TenantId, UnixSeconds,
};
use portcullis_runtime::{PolicySlot, PrepareError, Prepared, Runtime};
use tokio::sync::{Mutex, watch};

use crate::error::chain;
use crate::permit::{Author, Permit};
use crate::precondition::{Outcome, Preconditions};
use crate::publish::archive::Archive;
use crate::publish::build::{BuildError, Built, Source};
use crate::publish::follow::Heard;
use crate::signing::BundleKey;
use crate::store::Store;

pub use crate::publish::bundle::{Bundle, Coding, Digest, digest_tag, revision_tag};

/// Publishes for one tenant.
pub struct Publisher {
    tenant: TenantId,
    store: Store,
    key: Arc<BundleKey>,
    slot: PolicySlot,
    current: watch::Sender<Option<Arc<Bundle>>>,
    /// What edges evaluate beside it.
    candidate: watch::Sender<Option<Arc<Bundle>>>,
    /// The newest document could not be opened.
    is_unusable: AtomicBool,
    /// Held from reading the current revision until the next one is installed. Separate from the database on purpose:
    /// compiling and preparing happen under it, and no transaction is open meanwhile. Holds the newest revision that
    /// this server tried to open.
    turn: Mutex<Option<Revision>>,
    /// What somebody stored, to be taken over.
    heard: watch::Sender<Heard>,
}

/// A document to be published, and the conditions under which.
pub struct Draft {
    pub text: String,
    pub media_type: String,
    pub conditions: Preconditions,
    /// Whose sessions end with it.
    pub logs_out: Option<LogOut>,
}

/// What was published.
pub struct Receipt {
    pub revision: Revision,
    pub digest: Digest,
    pub warnings: Vec<Diagnostic>,
}

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("a precondition does not hold")]
    Precondition { current: Option<Revision> },
    #[error("the document does not compile")]
    Document(Vec<Diagnostic>),
    #[error("the compiled bundle does not open")]
    Open(#[source] OpenError),
    #[error("the component does not take the bundle")]
    Prepare(#[from] PrepareError),
    #[error("another document was stored at the same time")]
    Conflict,
    #[error("there is no tenant of this name")]
    NoTenant,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("publishing was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// A bundle that is open in the component and not yet in force.
struct Ready {
    text: String,
    bundle: Bundle,
    prepared: Prepared,
    warnings: Vec<Diagnostic>,
}

// === impl Publisher ===

impl Publisher {
    /// Opens the newest document. One that no longer compiles is logged, and the tenant denies until the next one.
    /// `archive` is where bundles also go.
    pub async fn open(
        runtime: &Runtime,
        store: Store,
        key: Arc<BundleKey>,
        tenant: TenantId,
        archive: Option<Arc<Archive>>,
    ) -> Result<Arc<Self>, StoreError> {
        let (slot, current) = (PolicySlot::new(runtime), watch::Sender::new(None));
        let publisher = Arc::new(Self {
            tenant,
            store,
            key,
            slot,
            current,
            candidate: watch::Sender::new(None),
            is_unusable: AtomicBool::new(false),
            turn: Mutex::default(),
            heard: watch::Sender::default(),
        });
        *publisher.turn.lock().await = publisher.open_document().await?;
        publisher.open_candidate().await?;
        follow::start(&publisher);
        outbox::start(publisher.tenant.clone(), publisher.store.clone(), archive, publisher.bundles());
        Ok(publisher)
    }

    /// Makes the draft the next revision. Once started it runs to its end, also when the caller goes away: a document
    /// that was stored is always installed.
    pub async fn publish(self: &Arc<Self>, permit: Permit<Author>, draft: Draft) -> Result<Receipt, PublishError> {
        let publisher = Arc::clone(self);
        tokio::spawn(async move { publisher.store_next(&permit, draft).await }).await?
    }

    /// Where decisions of the tenant are made.
    pub fn slot(&self) -> &PolicySlot {
        &self.slot
    }

    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The current bundle and its successors.
    pub fn bundles(&self) -> watch::Receiver<Option<Arc<Bundle>>> {
        self.current.subscribe()
    }

    /// The current bundle.
    pub fn bundle(&self) -> Option<Arc<Bundle>> {
        self.current.borrow().clone()
    }

    /// How many callers hold a receiver of bundles; the outbox is one.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.current.receiver_count()
    }

    /// False when the newest document could not be opened.
    pub fn is_open(&self) -> bool {
        !self.is_unusable.load(Ordering::Relaxed)
    }

    async fn store_next(self: Arc<Self>, permit: &Permit<Author>, draft: Draft) -> Result<Receipt, PublishError> {
        let mut newest = self.turn.lock().await;
        let current = self.store.current_revision(&self.tenant).await?;
        if draft.conditions.compare(current.map(|current| current.to_string()).as_deref()) != Outcome::Hold {
            return Err(PublishError::Precondition { current });
        }
        let (revision, created_at) = (Revision::after(current), self.store.now());
        let source = Source { text: draft.text, media_type: draft.media_type.clone() };
        let mut ready = self.make_ready(source, revision, created_at).await?;
        let entries = entries(&ready.text)?;
        let document = NewDocument {
            follows: current,
            entries,
            text: std::mem::take(&mut ready.text),
            media_type: draft.media_type,
            digest: ready.bundle.digest.0,
            created_at,
            logs_out: draft.logs_out,
        };
        self.store.append_document(permit, &self.tenant, document).await?;
        let receipt = Receipt { revision, digest: ready.bundle.digest, warnings: std::mem::take(&mut ready.warnings) };
        *newest = Some(revision);
        self.install(ready);
        tracing::info!(tenant.id = %self.tenant, bundle.revision = revision.get(), "a policy was published");
        Ok(receipt)
    }

    /// Lets the newest document decide, and answers with its revision. One that does not compile is logged.
    async fn open_document(self: &Arc<Self>) -> Result<Option<Revision>, StoreError> {
        let Some(document) = self.store.document(&self.tenant).await? else { return Ok(None) };
        let info = document.info;
        let source = Source { text: document.text, media_type: document.media_type };
        match self.make_ready(source, info.revision, info.created_at).await {
            Ok(ready) => {
                self.report_other_bytes(&ready, info.digest);
                self.install(ready);
            }
            Err(error) => self.report_unusable(info.revision, &error),
        }
        Ok(Some(info.revision))
    }

    /// Everything that takes time and can fail, away from the threads that answer requests.
    async fn make_ready(
        self: &Arc<Self>,
        source: Source,
        revision: Revision,
        created_at: UnixSeconds,
    ) -> Result<Ready, PublishError> {
        let publisher = Arc::clone(self);
        let make = move || {
            let Built { bundle, digest, statuses, warnings } =
                build::build(&source, &publisher.tenant, revision, created_at, &publisher.key)?;
            let prepared = publisher.slot.prepare(bundle.clone())?;
            let bundle = Bundle::new(bundle.into(), Digest(digest), (revision, created_at), statuses);
            Ok(Ready { text: source.text, bundle, prepared, warnings })
        };
        tokio::task::spawn_blocking(make).await?
    }

    /// The component first: whoever hears of the new bundle finds the server deciding by it.
    fn install(&self, ready: Ready) {
        let Ready { text: _, bundle, prepared, warnings: _ } = ready;
        self.slot.install(prepared);
        self.is_unusable.store(false, Ordering::Relaxed);
        self.current.send_replace(Some(Arc::new(bundle)));
    }

    fn report_other_bytes(&self, ready: &Ready, stored: [u8; 32]) {
        if ready.bundle.digest != Digest(stored) {
            let (digest, stored) = (ready.bundle.digest.to_string(), Digest(stored).to_string());
            tracing::warn!(tenant.id = %self.tenant, digest, stored, "the document compiles to another bundle than before");
        }
    }

    fn report_unusable(&self, revision: Revision, error: &PublishError) {
        self.is_unusable.store(true, Ordering::Relaxed);
        let error = match error {
            PublishError::Document(diagnostics) => {
                diagnostics.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("; ")
            }
            error => chain(error),
        };
        tracing::error!(
            tenant.id = %self.tenant,
            bundle.revision = revision.get(),
            error,
            decides = self.slot.revision(),
            "the stored policy document is not usable: the policy before it decides, or without one every decision is deny"
        );
    }
}

// === errors of the steps ===

impl From<BuildError> for PublishError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Document(diagnostics) => Self::Document(diagnostics),
            BuildError::Unreadable(error) => Self::Open(error),
            BuildError::Tenant => Self::NoTenant,
        }
    }
}

impl From<AppendError> for PublishError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { current: _ } => Self::Conflict,
            AppendError::NoTenant => Self::NoTenant,
            AppendError::Store(error) => Self::Store(error),
        }
    }
}

/// Of an entry. The database has names in an index: PostgreSQL takes some 2,700 bytes there, and never a NUL.
const NAME_BYTES: usize = 1_000;

/// What the document consists of, for listings.
fn entries(text: &str) -> Result<Vec<PolicyEntry>, PublishError> {
    let entries = portcullis_compiler::entries(text);
    let is_name = |name: &str| name.len() <= NAME_BYTES && !name.contains(char::is_control);
    let unusable = |Entry { kind, name, .. }: &Entry| {
        let start: String = name.chars().take(40).flat_map(char::escape_debug).collect();
        let why = format!("a {kind} is called by at most {NAME_BYTES} bytes without controls, not `{start}`");
        Diagnostic::new(Severity::Error, 1, 1, why)
    };
    let unusable: Vec<Diagnostic> = entries.iter().filter(|entry| !is_name(&entry.name)).map(unusable).collect();
    if !unusable.is_empty() {
        return Err(PublishError::Document(unusable));
    }
    let entry =
        |Entry { kind, name, class, scope, body }| PolicyEntry { kind: kind.to_owned(), name, class, scope, body };
    Ok(entries.into_iter().map(entry).collect())
}
