//! The policy that edges evaluate beside the one in force. It decides nothing here.
//!
//! Its revision is 0, below that of every policy in force, so that no edge can ever be made to take it for one.

use std::sync::Arc;

use portcullis_compiler::Diagnostic;
use portcullis_directory::{Candidate, Revision, StoreError};
use tokio::sync::watch;

use super::build::{self, Built, Source};
use super::{Bundle, Digest, PublishError, Publisher, entries};
use crate::permit::{Author, Permit};

impl Publisher {
    /// Compiles, signs and stores it, and tells the edges that wait.
    pub async fn put_candidate(
        self: &Arc<Self>,
        permit: Permit<Author>,
        text: String,
        media_type: String,
    ) -> Result<(Digest, Vec<Diagnostic>), PublishError> {
        let publisher = Arc::clone(self);
        let put = async move {
            let _turn = publisher.turn.lock().await;
            let candidate = Candidate { text, media_type, created_at: publisher.store.now() };
            let (bundle, warnings) = publisher.compile_candidate(candidate.clone()).await?;
            publisher.store.put_candidate(&permit, &publisher.tenant, candidate).await?;
            let digest = bundle.digest;
            publisher.candidate.send_replace(Some(Arc::new(bundle)));
            Ok((digest, warnings))
        };
        // Once started it runs to its end, also when the caller goes away.
        tokio::spawn(put).await?
    }

    /// False when there is none.
    pub async fn remove_candidate(self: &Arc<Self>, permit: Permit<Author>) -> Result<bool, PublishError> {
        let publisher = Arc::clone(self);
        let remove = async move {
            let _turn = publisher.turn.lock().await;
            let is_removed = publisher.store.remove_candidate(&permit, &publisher.tenant).await?;
            publisher.candidate.send_replace(None);
            Ok(is_removed)
        };
        tokio::spawn(remove).await?
    }

    /// The current candidate and its successors.
    pub fn candidates(&self) -> watch::Receiver<Option<Arc<Bundle>>> {
        self.candidate.subscribe()
    }

    /// Takes what is stored. One that no longer compiles is logged, and there is none until the next.
    pub(super) async fn open_candidate(self: &Arc<Self>) -> Result<(), StoreError> {
        let bundle = match self.store.candidate(&self.tenant).await? {
            None => None,
            Some(candidate) => match self.compile_candidate(candidate).await {
                Ok((bundle, _)) => Some(Arc::new(bundle)),
                Err(error) => {
                    tracing::error!(tenant.id = %self.tenant, error = %error, "the stored candidate is not usable");
                    None
                }
            },
        };
        let digest = |bundle: &Option<Arc<Bundle>>| bundle.as_ref().map(|bundle| bundle.digest);
        self.candidate.send_if_modified(|current| {
            let is_other = digest(current) != digest(&bundle);
            *current = bundle;
            is_other
        });
        Ok(())
    }

    async fn compile_candidate(
        self: &Arc<Self>,
        candidate: Candidate,
    ) -> Result<(Bundle, Vec<Diagnostic>), PublishError> {
        let publisher = Arc::clone(self);
        let compile = move || {
            let Candidate { text, media_type, created_at } = candidate;
            entries(&text)?;
            let (source, revision) = (Source { text, media_type }, Revision::CANDIDATE);
            let Built { bundle, digest, statuses, warnings } =
                build::build(&source, &publisher.tenant, revision, created_at, &publisher.key)?;
            Ok((Bundle::new(bundle.into(), Digest(digest), (revision, created_at), statuses), warnings))
        };
        tokio::task::spawn_blocking(compile).await?
    }
}
