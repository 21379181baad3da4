//! The place of one tenant's policy: what decides now, and how it is exchanged.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use portcullis_core::ValidateOptions;
use portcullis_core::wire::EncodedDecision;

use crate::decision::{Decision, Explained};
use crate::encoded::{EncodedDecisions, EncodedRequests, encode};
use crate::instance::OpenFailure;
use crate::pool::Pool;
use crate::report::{Report, ValidateError};
use crate::request::Request;
use crate::runtime::Runtime;

/// Holds at most one policy. Without one every decision is `policy_unavailable`.
pub struct PolicySlot {
    runtime: Runtime,
    current: ArcSwapOption<Pool>,
}

/// A bundle opened in all instances, not yet deciding.
pub struct Prepared(Pool);

/// The bundle cannot decide; whatever decided before goes on.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error("bundle refused: {0}")]
    Refused(String),
    #[error("policy component failed: {0}")]
    Failed(String),
}

impl Prepared {
    pub fn revision(&self) -> u64 {
        self.0.revision
    }
}

impl PolicySlot {
    pub fn new(runtime: &Runtime) -> Self {
        Self { runtime: runtime.clone(), current: ArcSwapOption::empty() }
    }

    /// Opens `bundle` aside. Takes time and memory in proportion to the bundle and the number of instances.
    pub fn prepare(&self, bundle: Vec<u8>) -> Result<Prepared, PrepareError> {
        Pool::open(&self.runtime, bundle).map(Prepared).map_err(|failure| match failure {
            OpenFailure::Refused(why) => PrepareError::Refused(why),
            OpenFailure::Failed(error) => PrepareError::Failed(format!("{error:#}")),
        })
    }

    /// Lets `prepared` decide from now on. Decisions under way end with the policy they began with.
    pub fn install(&self, prepared: Prepared) {
        self.current.store(Some(Arc::new(prepared.0)));
    }

    /// Revision of the policy that decides now.
    pub fn revision(&self) -> Option<u64> {
        self.current.load().as_ref().map(|pool| pool.revision)
    }

    pub fn decide(&self, request: &Request) -> Decision {
        let decision = self.current.load_full().and_then(|pool| pool.ask(|instance| instance.decide(request)));
        decision.unwrap_or_else(Decision::unavailable)
    }

    /// The same as `decide` in about half the time: request and decision pass as bytes.
    pub fn decide_as_bytes(&self, request: &Request) -> Decision {
        let mut bytes = Vec::new();
        if !encode(&request.into(), &mut bytes) {
            return self.decide(request);
        }
        let answer = self.decide_encoded(&bytes);
        let decision = answer.as_deref().and_then(EncodedDecision::read);
        decision.map_or_else(Decision::unavailable, |decision| Decision::from_encoded(&decision))
    }

    /// The same as `decide` for each request, in order, in one call of the component.
    pub fn decide_batch(&self, requests: &[Request]) -> Vec<Decision> {
        let pool = self.current.load_full();
        let decisions = pool.and_then(|pool| pool.ask(|instance| instance.decide_batch(requests)));
        // An answer of another length is no answer.
        let decisions = decisions.filter(|decisions| decisions.len() == requests.len());
        decisions.unwrap_or_else(|| requests.iter().map(|_| Decision::unavailable()).collect())
    }

    /// The decision on an encoded request, encoded; `None` when there is no policy or the component failed, which is
    /// `policy_unavailable`.
    pub fn decide_encoded(&self, request: &[u8]) -> Option<Vec<u8>> {
        let answer = self.current.load_full()?.ask(|instance| instance.decide_encoded(request))?;
        EncodedDecision::read(&answer).is_some().then_some(answer)
    }

    /// The same for many, in one call of the component.
    pub fn decide_batch_encoded(&self, requests: &EncodedRequests) -> Option<EncodedDecisions> {
        let answers = self.current.load_full()?.ask(|instance| instance.decide_batch_encoded(requests.bytes()))?;
        EncodedDecisions::new(answers, requests.len())
    }

    pub fn explain(&self, request: &Request) -> Explained {
        let explained = self.current.load_full().and_then(|pool| pool.ask(|instance| instance.explain(request)));
        explained.unwrap_or_else(Explained::unavailable)
    }

    /// Checks a document against the schema of this name.
    pub fn validate(
        &self,
        schema: &str,
        document: &[u8],
        options: &ValidateOptions<'_>,
    ) -> Result<Report, ValidateError> {
        let pool = self.current.load_full().ok_or(ValidateError::Unavailable)?;
        pool.ask(|instance| instance.validate(schema, document, options)).unwrap_or(Err(ValidateError::Unavailable))
    }
}
