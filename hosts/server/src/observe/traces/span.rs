//! A trace of one request, and its spans.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::observe::traces::Tracer;
use crate::observe::traces::parent::Parent;

/// The span of a request that is under way, as the parent of its parts.
pub struct Trace {
    tracer: Tracer,
    trace_id: [u8; 16],
    span_id: [u8; 8],
    /// The span of the proxy that sent the request.
    parent: Option<[u8; 8]>,
    started: SystemTime,
}

/// A span that is under way.
pub struct Span {
    kind: Kind,
    name: String,
    started: SystemTime,
    pub is_failure: bool,
    attributes: Vec<(&'static str, Attribute)>,
}

#[derive(Clone, Copy)]
pub enum Kind {
    Internal,
    Server,
}

pub enum Attribute {
    Text(String),
    Number(u64),
}

/// A span as it is sent.
pub struct Finished {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub parent: Option<[u8; 8]>,
    pub kind: Kind,
    pub name: String,
    /// Since 1970.
    pub started: Duration,
    pub ended: Duration,
    pub is_failure: bool,
    pub attributes: Vec<(&'static str, Attribute)>,
}

// === impl Trace ===

impl Trace {
    pub fn begin(tracer: Tracer, parent: Option<Parent>) -> Result<Self, getrandom::Error> {
        let trace_id = match &parent {
            Some(parent) => parent.trace_id,
            None => random()?,
        };
        let parent = parent.map(|parent| parent.span_id);
        Ok(Self { tracer, trace_id, span_id: random()?, parent, started: SystemTime::now() })
    }

    /// Ends a part of the request.
    pub fn part(&self, span: Span) {
        // Without randomness there is no id, and without an id no span.
        if let Ok(span_id) = random() {
            let started = span.started;
            self.tracer.take(self.finished(span, span_id, Some(self.span_id), started));
        }
    }

    /// Ends the span of the request.
    pub fn end(&self, span: Span) {
        self.tracer.take(self.finished(span, self.span_id, self.parent, self.started));
    }

    fn finished(&self, span: Span, span_id: [u8; 8], parent: Option<[u8; 8]>, started: SystemTime) -> Finished {
        let Span { kind, name, started: _, is_failure, attributes } = span;
        let (started, ended) = (since_1970(started), since_1970(SystemTime::now()));
        // A clock that was set back meanwhile makes no span that ends before it begins.
        let ended = ended.max(started);
        Finished { trace_id: self.trace_id, span_id, parent, kind, name, started, ended, is_failure, attributes }
    }
}

// === impl Span ===

impl Span {
    pub fn new(kind: Kind, name: String) -> Self {
        Self { kind, name, started: SystemTime::now(), is_failure: false, attributes: Vec::new() }
    }

    pub fn add(&mut self, name: &'static str, value: impl Into<Attribute>) {
        self.attributes.push((name, value.into()));
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Attribute {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// All zeros is no id (W3C Trace Context section 3.2.2).
fn random<const BYTES: usize>() -> Result<[u8; BYTES], getrandom::Error> {
    let mut id = [0; BYTES];
    while id == [0; BYTES] {
        getrandom::fill(&mut id)?;
    }
    Ok(id)
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}
