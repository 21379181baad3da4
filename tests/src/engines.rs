//! Everything that can decide, behind one trait.

mod cli;
mod envoy;
pub mod json;

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, ensure};
use portcullis_compiler::Options;
use portcullis_runtime::{Decision, Limits, NativePolicy, PolicySlot, Request, Runtime};

pub use cli::Cli;
pub use envoy::EnvoyFilter;

use crate::oracle::{self, Document};

/// Decides under the document that was loaded last.
pub trait Engine {
    fn name(&self) -> &'static str;
    /// `text` is the document as JSON or YAML; the oracle reads `document`, which is the same.
    fn load(&mut self, document: &Document, text: &str, revision: u64) -> Result<()>;
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

/// The bundle of a document.
pub fn bundle(text: &str, revision: u64) -> Result<Vec<u8>> {
    let options = Options { revision, ..Options::default() };
    let compiled = portcullis_compiler::compile(text, &options);
    Ok(compiled.map_err(|diagnostics| anyhow!("{diagnostics:#?}"))?.bundle)
}

#[derive(Default)]
pub struct Oracle {
    document: Document,
    revision: u64,
}

impl Engine for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn load(&mut self, document: &Document, _text: &str, revision: u64) -> Result<()> {
        (self.document, self.revision) = (document.clone(), revision);
        Ok(())
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        Ok(requests.iter().map(|request| oracle::decide(&self.document, request, self.revision)).collect())
    }
}

/// The core, linked.
#[derive(Default)]
pub struct Native(Option<NativePolicy>);

impl Engine for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn load(&mut self, _document: &Document, text: &str, revision: u64) -> Result<()> {
        self.0 = Some(NativePolicy::open(bundle(text, revision)?)?);
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

impl Engine for Component {
    fn name(&self) -> &'static str {
        "component"
    }

    fn load(&mut self, _document: &Document, text: &str, revision: u64) -> Result<()> {
        self.0.install(self.0.prepare(bundle(text, revision)?)?);
        Ok(())
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        let singles: Vec<Decision> = requests.iter().map(|request| self.0.decide(request)).collect();
        ensure!(singles == self.0.decide_batch(requests), "a batch is not the same as its singles");
        Ok(singles)
    }
}
