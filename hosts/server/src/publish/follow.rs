//! Documents and candidates that another server stored are taken over here.
//!
//! Away from whoever hears of them, as compiling takes time. What cannot be read now is read again after a pause.

use std::sync::Arc;
use std::time::Duration;

use portcullis_directory::StoreError;

use crate::error::chain;
use crate::publish::Publisher;

/// How often something was heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    documents: u64,
    candidates: u64,
}

const PAUSE: Duration = Duration::from_secs(1);

/// Works until the publisher is gone.
pub(super) fn start(publisher: &Arc<Publisher>) {
    let (mut heard, publisher) = (publisher.heard.subscribe(), Arc::downgrade(publisher));
    tokio::spawn(async move {
        let mut done = Heard::default();
        while heard.wait_for(|heard| *heard != done).await.is_ok() {
            let Some(publisher) = publisher.upgrade() else { return };
            let now = *publisher.heard.borrow();
            match publisher.take_over(now.documents != done.documents, now.candidates != done.candidates).await {
                Ok(()) => done = now,
                Err(error) => {
                    tracing::error!(tenant.id = %publisher.tenant, error = chain(&error), "a policy of another server cannot be read");
                    drop(publisher);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    });
}

impl Publisher {
    /// Somebody stored a document, this server perhaps.
    pub fn hear_of_document(&self) {
        self.heard.send_modify(|heard| heard.documents = heard.documents.wrapping_add(1));
    }

    /// The same of a candidate.
    pub fn hear_of_candidate(&self) {
        self.heard.send_modify(|heard| heard.candidates = heard.candidates.wrapping_add(1));
    }

    async fn take_over(self: &Arc<Self>, document: bool, candidate: bool) -> Result<(), StoreError> {
        let mut newest = self.turn.lock().await;
        if document && self.store.current_revision(&self.tenant).await? > *newest {
            *newest = self.open_document().await?;
        }
        if candidate {
            self.open_candidate().await?;
        }
        Ok(())
    }
}
