//! The component in wasmtime, one call a request and the same again in one batch.

use anyhow::{Context, Result, ensure};
use portcullis_runtime::{Decision, EncodedRequests, Limits, PolicySlot, Request, Runtime};

use super::{Engine, Given, bundle_of};

pub struct Component(PolicySlot);

impl Component {
    pub fn new() -> Result<Self> {
        let runtime = Runtime::new(Limits { instances: 1, ..Limits::default() })?;
        Ok(Self(PolicySlot::new(&runtime)))
    }

    fn encoded_batch(&self, requests: &[Request]) -> Result<Vec<Decision>> {
        let mut encoded = EncodedRequests::default();
        for request in requests {
            ensure!(encoded.push(&request.into()), "not encoded: {request:?}");
        }
        let answers = self.0.decide_batch_encoded(&encoded).context("no answers")?;
        Ok(answers.iter().map(|decision| Decision::from_encoded(&decision)).collect())
    }
}

impl Engine for Component {
    fn name(&self) -> &'static str {
        "component"
    }

    fn load(&mut self, given: Given<'_>) -> Result<()> {
        self.0.install(self.0.prepare(bundle_of(given)?)?);
        Ok(())
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        let singles: Vec<Decision> = requests.iter().map(|request| self.0.decide(request)).collect();
        ensure!(singles == self.0.decide_batch(requests), "a batch is not the same as its singles");
        let as_bytes: Vec<Decision> = requests.iter().map(|request| self.0.decide_as_bytes(request)).collect();
        ensure!(singles == as_bytes, "an encoded request is not the same as a record");
        ensure!(singles == self.encoded_batch(requests)?, "an encoded batch is not the same as its singles");
        Ok(singles)
    }
}
