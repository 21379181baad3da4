//! What remains to be done when a policy is stored and installed: the object store, then the end of the publish job.
//!
//! One task per tenant, which sleeps until there is another bundle. A failure is tried again, with growing pauses, for
//! whichever bundle is the current one then.

use std::sync::Arc;
use std::time::Duration;

use portcullis_directory::{StoreError, TenantId};
use tokio::sync::watch;

use crate::error::chain;
use crate::publish::archive::{Archive, ArchiveError};
use crate::publish::bundle::Bundle;
use crate::store::Store;

struct Outbox {
    tenant: TenantId,
    store: Store,
    archive: Option<Arc<Archive>>,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Works until the publisher of `bundles` is gone.
pub fn start(
    tenant: TenantId,
    store: Store,
    archive: Option<Arc<Archive>>,
    bundles: watch::Receiver<Option<Arc<Bundle>>>,
) {
    let outbox = Outbox { tenant, store, archive };
    tokio::spawn(outbox.run(bundles));
}

impl Outbox {
    async fn run(self, mut bundles: watch::Receiver<Option<Arc<Bundle>>>) {
        let mut pause = None;
        loop {
            let bundle = bundles.borrow_and_update().clone();
            let done = match &bundle {
                Some(bundle) => self.deliver(bundle).await,
                None => Ok(()),
            };
            pause = match done {
                Ok(()) => None,
                Err(error) => Some(self.report(&error, pause)),
            };
            let is_over = tokio::select! {
                changed = bundles.changed() => changed.is_err(),
                () = sleep(pause) => false,
            };
            if is_over {
                return;
            }
        }
    }

    async fn deliver(&self, bundle: &Bundle) -> Result<(), Failure> {
        if let Some(archive) = &self.archive {
            archive.put(&self.tenant, bundle).await?;
        }
        if self.store.publish_job(&self.tenant).await?.is_some() {
            self.store.finish_publish_job(&self.tenant, bundle.revision).await?;
        }
        Ok(())
    }

    /// Says so, and how long to wait now.
    fn report(&self, error: &Failure, pause: Option<Duration>) -> Duration {
        let pause = pause.map_or(FIRST_PAUSE, |pause| pause.saturating_mul(2).min(LONGEST_PAUSE));
        let (error, retry_s) = (chain(error), pause.as_secs());
        tracing::error!(tenant.id = %self.tenant, error, retry_s, "a policy decides here, but is not published further");
        pause
    }
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}
