//! Audit obligations of proxied requests -> records beside those that edges send, numbered as one worker of this server.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderMap;
use portcullis_directory::{DecisionRecord, NameError, StoreError, UnixSeconds, WorkerName};
use portcullis_runtime::{Decision, Obligation, Request, Target};

use crate::permit::{Asker, Permit};
use crate::store::{Sent, Store};

/// Of a text that a client chose; the rest is cut off, as in `hosts/envoy/src/record.rs`.
const TEXT_BYTES: usize = 8 << 10;

pub struct Auditor {
    /// Another one after each start.
    worker: WorkerName,
    /// Number of the next record.
    next: AtomicU64,
}

impl Auditor {
    /// `start` is a number that no other start has.
    pub fn new(start: u64) -> Result<Self, NameError> {
        Ok(Self { worker: WorkerName::parse(&format!("{start:016x}"))?, next: AtomicU64::new(1) })
    }

    /// Stores them before the request is answered. When that fails, their numbers stay a gap.
    pub async fn store(
        &self,
        store: &Store,
        permit: &Permit<Asker>,
        records: Vec<DecisionRecord>,
    ) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let first = self.next.fetch_add(records.len() as u64, Ordering::Relaxed);
        let sent = Sent { worker: self.worker.clone(), first, dropped: 0, records };
        // Boxed, so that requests without a record do not carry room for it.
        Box::pin(store.store_audit(permit, sent)).await.map(drop)
    }
}

/// One for each audit obligation of the decision.
pub fn records(request: &Request, decision: &Decision, headers: &HeaderMap, now: UnixSeconds) -> Vec<DecisionRecord> {
    let topics = decision.obligations.iter().filter_map(|obligation| match obligation {
        Obligation::Audit(topic) => Some(topic),
        Obligation::Denied => None,
    });
    topics.map(|topic| record(request, decision, headers, now, topic)).collect()
}

fn record(
    request: &Request,
    decision: &Decision,
    headers: &HeaderMap,
    now: UnixSeconds,
    topic: &str,
) -> DecisionRecord {
    let request_id = headers.get("x-request-id").map(|id| String::from_utf8_lossy(id.as_bytes()));
    let (host, path) = match &request.target {
        Target::Http { host, path } => {
            (host.as_deref().unwrap_or_default(), path.split('?').next().unwrap_or_default())
        }
        Target::Resource { .. } => Default::default(),
    };
    DecisionRecord {
        time_ms: now.0.saturating_mul(1_000),
        kind: "audit".to_owned(),
        request_id: cut(&request_id.unwrap_or_default()),
        method: cut(&request.action),
        host: cut(host),
        path: cut(path),
        subject: request.subject.as_ref().map(|subject| cut(&subject.id)),
        ip: request.source_ip.map(|ip| ip.to_string()),
        effect: decision.effect.name().to_owned(),
        status: decision.status,
        reason: decision.reason.name().to_owned(),
        rules: decision.rules.clone(),
        restriction: decision.restriction.clone(),
        topic: Some(topic.to_owned()),
        revision: decision.revision,
        shadow: None,
    }
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(TEXT_BYTES)).unwrap_or(text).to_owned()
}
