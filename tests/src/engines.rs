//! Everything that can decide, behind one trait.

mod cli;
mod envoy;
pub mod json;

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, ensure};
use portcullis_compiler::Options;
use portcullis_runtime::{
    Decision, EncodedDecision, EncodedRequests, Limits, NativePolicy, PolicySlot, Request, Runtime, encode,
};

pub use cli::Cli;
pub use envoy::EnvoyFilter;

use crate::oracle::{self, Document, Revocation};

/// What decides, and beside it the one fact that is not in it.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    pub document: &'a Document,
    /// The same as JSON or YAML.
    pub text: &'a str,
    pub revocations: &'a [Revocation],
    pub revision: u64,
}

/// Decides under the policy that was loaded last.
pub trait Engine {
    fn name(&self) -> &'static str;
    fn load(&mut self, given: Given<'_>) -> Result<()>;
    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>>;
}

/// The command line tool, built in the same profile as these tests.
pub fn portcullis() -> Result<PathBuf> {
    let tests = std::env::current_exe()?;
    let profile = tests.ancestors().nth(2).context("the tests are not inside a target folder")?;
    let binary = profile.join("portcullis");
    ensure!(binary.is_file(), "{} is missing: `cargo xtask test` builds it", binary.display());
    Ok(binary)
}

/// The bundle of a policy.
fn bundle_of(given: Given<'_>) -> Result<Vec<u8>> {
    let Given { document: _, text, revocations, revision } = given;
    compile(text, Options { revision, revocations: revocations.iter().cloned().collect(), ..Options::default() })
}

/// The bundle of a document.
pub fn bundle(text: &str, revision: u64) -> Result<Vec<u8>> {
    compile(text, Options { revision, ..Options::default() })
}

fn compile(text: &str, options: Options) -> Result<Vec<u8>> {
    let compiled = portcullis_compiler::compile(text, &options);
    Ok(compiled.map_err(|diagnostics| anyhow!("{diagnostics:#?}"))?.bundle)
}

#[derive(Default)]
pub struct Oracle {
    document: Document,
    revocations: Vec<Revocation>,
    revision: u64,
}

impl Engine for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn load(&mut self, given: Given<'_>) -> Result<()> {
        let Given { document, text: _, revocations, revision } = given;
        *self = Self { document: document.clone(), revocations: revocations.to_vec(), revision };
        Ok(())
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        let Self { document, revocations, revision } = self;
        Ok(requests.iter().map(|request| oracle::decide(document, revocations, request, *revision)).collect())
    }
}

/// The core, linked.
#[derive(Default)]
pub struct Native(Option<NativePolicy>);

impl Engine for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn load(&mut self, given: Given<'_>) -> Result<()> {
        self.0 = Some(NativePolicy::open(bundle_of(given)?)?);
        Ok(())
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        let policy = self.0.as_ref().context("nothing is loaded")?;
        Ok(requests.iter().map(|request| policy.decide(request)).collect())
    }
}

/// The component in wasmtime, one call a request and the same again in one batch.
pub struct Component(PolicySlot);

impl Component {
    pub fn new() -> Result<Self> {
        let runtime = Runtime::new(Limits { instances: 1, ..Limits::default() })?;
        Ok(Self(PolicySlot::new(&runtime)))
    }
}

impl Component {
    fn encoded(&self, requests: &[Request]) -> Result<Vec<Decision>> {
        let mut bytes = Vec::new();
        let decide = |request: &Request| {
            ensure!(encode(&request.into(), &mut bytes), "not encoded: {request:?}");
            let answer = self.0.decide_encoded(&bytes).context("no answer")?;
            Ok(Decision::from_encoded(&EncodedDecision::read(&answer).context("not a decision")?))
        };
        requests.iter().map(decide).collect()
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
        ensure!(singles == self.encoded(requests)?, "an encoded request is not the same as a record");
        ensure!(singles == self.encoded_batch(requests)?, "an encoded batch is not the same as its singles");
        Ok(singles)
    }
}
