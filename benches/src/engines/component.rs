//! Portcullis as the component in wasmtime, through the API that the server calls, in each form a call can have.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use portcullis_runtime::{
    Effect, EncodedDecision, EncodedRequests, Limits, PolicySlot, Request, Runtime, Subject as RequestSubject, Target,
    encode,
};

use crate::measure::Subject;
use crate::workload::Question;

/// Twice the bundle of a million rules, and the rest.
const MEMORY_BYTES: usize = 3 << 30;
const OPEN_DEADLINE: Duration = Duration::from_secs(600);

/// How a request comes into the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One record of WIT a call.
    Record,
    /// A list of 100 records a call.
    Records,
    /// One encoded request a call, encoding included.
    Encoded,
    /// 100 encoded requests a call, encoding included.
    EncodedBatch,
}

impl Form {
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Records => "records",
            Self::Encoded => "encoded",
            Self::EncodedBatch => "encoded-batch",
        }
    }

    pub fn what(self) -> &'static str {
        match self {
            Self::Record => "`decide`, a record",
            Self::Records => "`decide-batch`, 100 records",
            Self::Encoded => "`decide-encoded`, one request",
            Self::EncodedBatch => "`decide-batch-encoded`, 100 requests",
        }
    }

    fn at_once(self) -> usize {
        match self {
            Self::Record | Self::Encoded => 1,
            Self::Records | Self::EncodedBatch => 100,
        }
    }
}

/// A slot with one instance, in which the bundle is open.
pub fn slot(bundle: Vec<u8>) -> Result<Rc<PolicySlot>> {
    let limits = Limits { instances: 1, memory_bytes: MEMORY_BYTES, open_deadline: OPEN_DEADLINE, ..Limits::default() };
    let slot = PolicySlot::new(&Runtime::new(limits)?);
    slot.install(slot.prepare(bundle)?);
    Ok(Rc::new(slot))
}

pub struct Component {
    slot: Rc<PolicySlot>,
    form: Form,
    requests: Vec<Request>,
    bytes: Vec<u8>,
    batch: EncodedRequests,
}

impl Component {
    pub fn new(slot: Rc<PolicySlot>, form: Form) -> Self {
        Self { slot, form, requests: Vec::new(), bytes: Vec::new(), batch: EncodedRequests::default() }
    }
}

impl<Q: Question> Subject<Q> for Component {
    fn at_once(&self) -> usize {
        self.form.at_once()
    }

    fn prepare(&mut self, asks: &[Q]) {
        self.requests.clear();
        self.requests.extend(asks.iter().map(request));
    }

    fn decide(&mut self, _asks: &[Q], at: usize) -> usize {
        match self.form {
            Form::Record => usize::from(self.slot.decide(&self.requests[at]).effect == Effect::Allow),
            Form::Records => {
                let decisions = self.slot.decide_batch(&self.requests[at..at + self.form.at_once()]);
                decisions.iter().filter(|decision| decision.effect == Effect::Allow).count()
            }
            Form::Encoded => {
                encode(&(&self.requests[at]).into(), &mut self.bytes);
                let answer = self.slot.decide_encoded(&self.bytes);
                let decision = answer.as_deref().and_then(EncodedDecision::read);
                usize::from(decision.is_some_and(|decision| decision.effect == Effect::Allow))
            }
            Form::EncodedBatch => {
                self.batch.clear();
                for request in &self.requests[at..at + self.form.at_once()] {
                    self.batch.push(&request.into());
                }
                let decisions = self.slot.decide_batch_encoded(&self.batch);
                let is_allow = |decision: &EncodedDecision<'_>| decision.effect == Effect::Allow;
                decisions.map_or(0, |decisions| decisions.iter().filter(is_allow).count())
            }
        }
    }
}

/// The same facts, owned.
fn request(question: &impl Question) -> Request {
    let portcullis_core::Request { action, target, source_ip, country, continent, subject, credential, context, now } =
        question.request();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Request {
        action: action.to_owned(),
        target: match target {
            portcullis_core::Target::Http { host, path } => Target::Http { host: owned(host), path: path.to_owned() },
            portcullis_core::Target::Resource { kind, id, properties } => {
                Target::Resource { kind: kind.to_owned(), id: owned(id), properties: owned(properties) }
            }
        },
        source_ip,
        country: owned(country),
        continent: owned(continent),
        subject: subject.map(|subject| RequestSubject {
            id: subject.id.to_owned(),
            kind: owned(subject.kind),
            state: subject.state.to_owned(),
            roles: subject.roles.iter().map(str::to_owned).collect(),
            permission_groups: subject.permission_groups.iter().map(str::to_owned).collect(),
            level: subject.level,
            otp: subject.otp,
            issued_at: subject.issued_at,
            properties: owned(subject.properties),
        }),
        credential,
        context: owned(context),
        now,
    }
}
