//! What others write to the same database: other servers, and `portcullis admin`.
//!
//! Every write leaves an entry in the audit trail, in the order of the writes. One task reads what is new there and passes
//! it on to whatever this server has in memory; how far it came says how old that may be (ADR 0042).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use portcullis_directory::{Action, AuditEntry, Directory, PageSize, StoreError};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::chain;
use crate::identity::Identity;
use crate::publish::Publisher;
use crate::revocations::Revocations;

/// How recently this server knew all that was written.
pub struct Watermark {
    begin: Instant,
    /// After `begin`.
    known_ms: AtomicU64,
}

/// What has a memory.
pub struct Follower {
    pub directory: Directory,
    pub clock: Arc<dyn Clock>,
    pub identity: Arc<Identity>,
    pub revocations: Arc<Revocations>,
    pub watermark: Arc<Watermark>,
    pub is_stopping: watch::Receiver<bool>,
    /// Number of the newest entry that is known.
    pub after: i64,
}

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What is in memory decides for so long without a look at the database: another server's write counts after it at the
/// latest.
const RECENT_MS: u64 = 200;

// === impl Watermark ===

impl Watermark {
    /// All is known at this moment.
    pub fn new() -> Self {
        Self { begin: Instant::now(), known_ms: AtomicU64::new(0) }
    }

    /// Whether everything is known that was written until `RECENT_MS` ago.
    pub fn is_recent(&self) -> bool {
        let now_ms = self.since_begin(Instant::now());
        now_ms.saturating_sub(self.known_ms.load(Ordering::Acquire)) < RECENT_MS
    }

    fn raise(&self, at: Instant) {
        self.known_ms.fetch_max(self.since_begin(at), Ordering::Release);
    }

    fn since_begin(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.begin).as_millis()).unwrap_or(u64::MAX)
    }
}

// === impl Follower ===

impl Follower {
    /// Works until the publisher is gone or the server stops.
    pub fn start(self, publisher: &Arc<Publisher>) {
        tokio::spawn(self.run(Arc::downgrade(publisher)));
    }

    async fn run(mut self, publisher: Weak<Publisher>) {
        let mut is_failing = false;
        while let Some(publisher) = publisher.upgrade() {
            let heard = self.hear(&publisher).await;
            drop(publisher);
            // The database closes then.
            if *self.is_stopping.borrow() {
                return;
            }
            if let (Err(error), false) = (&heard, is_failing) {
                tracing::error!(error = chain(error), "what other servers write is not heard of");
            }
            is_failing = heard.is_err();
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads what is new to its end.
    async fn hear(&mut self, publisher: &Publisher) -> Result<(), StoreError> {
        loop {
            let asked_at = Instant::now();
            let entries = self.directory.audit_entries(Some(self.after), PageSize::LARGEST).await?;
            if !entries.is_empty() {
                self.pass_on(&entries, publisher).await?;
            }
            self.after = entries.last().map_or(self.after, |newest| newest.id);
            if (entries.len() as u64) < PageSize::MAX {
                self.watermark.raise(asked_at);
                return Ok(());
            }
        }
    }

    async fn pass_on(&self, entries: &[AuditEntry], publisher: &Publisher) -> Result<(), StoreError> {
        for entry in entries {
            if let Some(user) = entry.changed_user() {
                self.directory.forget_user(&user);
            }
        }
        let now = self.clock.now();
        self.revocations.refresh(now).await?;
        let has =
            |actions: &[Action]| entries.iter().any(|entry| actions.iter().any(|action| action.name() == entry.action));
        if has(&[Action::StoreDocument]) {
            publisher.hear_of_document();
        }
        if has(&[Action::StoreCandidate, Action::RemoveCandidate]) {
            publisher.hear_of_candidate();
        }
        if has(&[Action::AddSigningKey])
            && let Err(error) = self.identity.keys.reload(now).await
        {
            // They are loaded once a minute in any case.
            tracing::error!(error = chain(&error), "the keys of access tokens cannot be loaded");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_recent_for_its_time() {
        let now = Instant::now();
        let at = |ms: u64| now.checked_sub(Duration::from_millis(ms)).unwrap();
        let mark = Watermark { begin: at(60_000), known_ms: AtomicU64::new(0) };
        assert!(!mark.is_recent(), "nothing was heard for a minute");
        mark.raise(at(RECENT_MS + 1));
        assert!(!mark.is_recent());
        mark.raise(now);
        mark.raise(at(30_000));
        assert!(mark.is_recent(), "it never falls");
    }
}
