//! Revocations of a tenant: what edges are told, signed, and what the server itself decides by.
//!
//! The directory has them; here is what is in force, in memory, so that thousands of waiting edges cost no query each and
//! the answer for all who know the same is made and signed once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_directory::{Directory, Revocation, StoreError, TenantId, UnixSeconds};
use serde_json::json;
use tokio::sync::{OnceCell, watch};

use crate::signing::BundleKey;

pub struct Revocations {
    tenant: TenantId,
    directory: Directory,
    key: Arc<BundleKey>,
    /// Seconds after which no token is valid any more.
    token_lifetime_s: u64,
    /// Number of the last one; `in_force` knows it.
    last: watch::Sender<u64>,
    /// Subject -> tokens issued before this are void.
    in_force: RwLock<HashMap<Box<str>, UnixSeconds>>,
    answers: Mutex<Answers>,
    /// Held while reading what is new.
    turn: tokio::sync::Mutex<()>,
}

/// What an edge gets.
pub struct Answer {
    pub body: Bytes,
    /// Base64.
    pub signature: String,
}

/// Answers about the state up to number `last`, by what the asker knows.
#[derive(Default)]
struct Answers {
    last: u64,
    by_since: BTreeMap<u64, Arc<OnceCell<Arc<Answer>>>>,
}

/// Entries of one answer at most.
const PAGE: u64 = 10_000;
/// Answers that are kept at most: edges that wait know the same, others are stragglers.
const KEPT_ANSWERS: usize = 64;
/// What is signed is this and the body, so that the signature fits nothing else.
const CONTEXT: &[u8] = b"portcullis revocations 1\n";

/// When facts were issued that the directory tells at `now`: later than any revocation that it knows (ADR 0039).
pub fn read_at(now: UnixSeconds) -> u64 {
    now.0.saturating_add(2)
}

impl Revocations {
    pub async fn open(
        directory: Directory,
        tenant: TenantId,
        key: Arc<BundleKey>,
        token_lifetime_s: u64,
        now: UnixSeconds,
    ) -> Result<Arc<Self>, StoreError> {
        let revocations = Arc::new(Self {
            tenant,
            directory,
            key,
            token_lifetime_s,
            last: watch::Sender::new(0),
            in_force: RwLock::default(),
            answers: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        });
        revocations.refresh(now).await?;
        Ok(revocations)
    }

    /// Takes over what was written, then wakes who waits: when this returns, the server decides by it.
    pub async fn refresh(&self, now: UnixSeconds) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let mut known = *self.last.borrow();
        let last = self.directory.last_revocation(&self.tenant).await?;
        if known < last {
            let expired = UnixSeconds(now.0.saturating_sub(self.token_lifetime_s));
            self.directory.drop_revocations(expired).await?;
            self.in_force().retain(|_, not_before| *not_before > expired);
        }
        while known < last {
            let page = self.directory.revocations(&self.tenant, known, PAGE).await?;
            known = page.last().map_or(last, |newest| newest.number);
            let entries = page.into_iter().map(|Revocation { subject, not_before, .. }| (subject, not_before));
            self.in_force().extend(entries.map(|(subject, not_before)| (subject.as_str().into(), not_before)));
        }
        self.last.send_if_modified(|last| std::mem::replace(last, known) != known);
        Ok(())
    }

    /// The number of the last revocation and its successors.
    pub fn numbers(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// How many subjects have void tokens.
    pub fn subjects(&self) -> u64 {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// How many callers hold a receiver of numbers.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.last.receiver_count()
    }

    /// Whether a token of `subject` issued at that time is void. One that says no time is void when any is.
    pub fn voids(&self, subject: &str, issued_at: Option<u64>) -> bool {
        let in_force = self.in_force.read().unwrap_or_else(PoisonError::into_inner);
        in_force.get(subject).is_some_and(|not_before| issued_at.unwrap_or(0) < not_before.0)
    }

    /// What changed after `since`; all there is when `since` is 0 or nothing that this server ever said.
    pub async fn answer(&self, since: u64) -> Result<Arc<Answer>, StoreError> {
        let last = *self.last.borrow();
        match self.kept(since, last) {
            Some(cell) => cell.get_or_try_init(|| self.make(since, last)).await.cloned(),
            None => self.make(since, last).await,
        }
    }

    /// Where the answer is kept; `None` when there are too many already.
    fn kept(&self, since: u64, last: u64) -> Option<Arc<OnceCell<Arc<Answer>>>> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.last != last {
            *answers = Answers { last, by_since: BTreeMap::new() };
        }
        if answers.by_since.len() >= KEPT_ANSWERS && !answers.by_since.contains_key(&since) {
            return None;
        }
        Some(Arc::clone(answers.by_since.entry(since).or_default()))
    }

    async fn make(&self, since: u64, last: u64) -> Result<Arc<Answer>, StoreError> {
        let is_full = since == 0 || since > last;
        let after = if is_full { 0 } else { since };
        let page = self.directory.revocations(&self.tenant, after, PAGE).await?;
        let is_page_full = page.len() as u64 == PAGE;
        // What came after `last` was read goes along, and its number with it.
        let newest = page.last().map_or(0, |newest| newest.number);
        let revision = if is_page_full { newest } else { last.max(newest) };
        let entry = |one: &Revocation| json!({"subject": one.subject.as_str(), "not_before": one.not_before.0});
        let body = json!({
            "tenant": self.tenant.as_str(),
            "since": since,
            "revision": revision,
            "full": is_full,
            "revocations": page.iter().map(entry).collect::<Vec<_>>(),
        });
        let body = Bytes::from(body.to_string());
        let signature = self.key.sign(&[CONTEXT, &body].concat());
        Ok(Arc::new(Answer { body, signature: STANDARD.encode(signature) }))
    }

    fn in_force(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<Box<str>, UnixSeconds>> {
        self.in_force.write().unwrap_or_else(PoisonError::into_inner)
    }
}
