//! Traces by OTLP over HTTP (opentelemetry.io/docs/specs/otlp, JSON), off by default: spans of requests go into a queue, a
//! task sends them in batches. What a collector does not take in time is dropped and counted, so nobody waits for it.

mod client;
mod json;
mod parent;
pub mod span;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::HeaderMap;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::chain;
use crate::observe::Traces;
use crate::observe::traces::parent::Parent;
use crate::observe::traces::span::{Finished, Trace};

pub use crate::observe::traces::client::Collector;

/// Takes the spans of this process. Cheap to clone.
#[derive(Clone)]
pub struct Tracer {
    queue: mpsc::Sender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Span(Box<Finished>),
    /// Answered when all before it is sent, or given up.
    Flush(oneshot::Sender<()>),
}

struct Exporter {
    queue: mpsc::Receiver<Message>,
    settings: Traces,
    dropped: Arc<AtomicU64>,
    /// The last batch was not taken.
    is_failing: bool,
}

/// Spans that wait at most; a collector that is down costs this much memory and no more.
const QUEUE: usize = 4_096;
const BATCH: usize = 512;
/// How long a span waits for others.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a collector may take for a batch.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long the end of the process waits for it.
const LAST_TIMEOUT: Duration = Duration::from_secs(2);

// === impl Tracer ===

impl Tracer {
    /// Works as long as the runtime does.
    pub fn start(settings: Traces) -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let exporter = Exporter { queue: receiver, settings, dropped: Arc::clone(&dropped), is_failing: false };
        tokio::spawn(exporter.run());
        Self { queue, dropped }
    }

    /// The trace of a request; `told` are headers that are believed. `None` when whoever began it does not want to see it,
    /// or there is no randomness.
    pub fn trace(&self, told: Option<&HeaderMap>) -> Option<Trace> {
        match told.and_then(Parent::read) {
            Some(parent) if !parent.is_sampled => None,
            parent => Trace::begin(self.clone(), parent).ok(),
        }
    }

    /// How many spans did not reach the collector.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Sends what waits, as far as that takes no more than some seconds.
    pub async fn flush(&self) {
        let (done, is_done) = oneshot::channel();
        let send_all = async {
            if self.queue.send(Message::Flush(done)).await.is_ok() {
                let _ = is_done.await;
            }
        };
        if timeout(LAST_TIMEOUT, send_all).await.is_err() {
            tracing::warn!("the last spans did not reach the collector in time");
        }
    }

    fn take(&self, span: Finished) {
        if self.queue.try_send(Message::Span(Box::new(span))).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// === impl Exporter ===

impl Exporter {
    async fn run(mut self) {
        while let Some(first) = self.queue.recv().await {
            let (spans, flush) = self.gather(first).await;
            if !spans.is_empty() {
                self.send(&spans).await;
            }
            if let Some(flush) = flush {
                // Whoever asked may have gone.
                let _ = flush.send(());
            }
        }
    }

    /// The spans of a batch, and who waits for them to be sent.
    async fn gather(&mut self, first: Message) -> (Vec<Finished>, Option<oneshot::Sender<()>>) {
        let deadline = Instant::now() + PATIENCE;
        let mut spans = Vec::new();
        let mut next = Some(first);
        loop {
            match next {
                Some(Message::Span(span)) => spans.push(*span),
                Some(Message::Flush(flush)) => return (spans, Some(flush)),
                None => return (spans, None),
            }
            if spans.len() >= BATCH {
                return (spans, None);
            }
            next = timeout_at(deadline, self.queue.recv()).await.ok().flatten();
        }
    }

    /// Says it once when the collector begins or ends to fail.
    async fn send(&mut self, spans: &[Finished]) {
        let body = json::request(spans, &self.settings.service_name);
        let sent = match timeout(TIMEOUT, self.settings.collector.post(body)).await {
            Ok(sent) => sent,
            Err(_) => Err(client::SendError::Late),
        };
        match sent {
            Ok(()) if self.is_failing => tracing::info!("the collector of traces takes spans again"),
            Ok(()) => {}
            Err(error) => {
                self.dropped.fetch_add(spans.len() as u64, Ordering::Relaxed);
                if !self.is_failing {
                    tracing::warn!(
                        error = chain(&error),
                        "the collector of traces does not take spans, they are dropped"
                    );
                }
                self.is_failing = true;
                return;
            }
        }
        self.is_failing = false;
    }
}
