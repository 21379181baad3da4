//! Everything that can decide, behind one trait.

#[cfg(feature = "hosts")]
mod cli;
#[cfg(feature = "hosts")]
mod component;
#[cfg(feature = "hosts")]
mod edge;
#[cfg(feature = "hosts")]
mod envoy;
#[cfg(feature = "hosts")]
pub mod filter;
pub mod json;
#[cfg(feature = "hosts")]
mod module;
#[cfg(feature = "hosts")]
pub mod proxied;

use anyhow::{Context, Result, anyhow};
use portcullis_compiler::Options;
#[cfg(feature = "hosts")]
use portcullis_compiler::SigningKey;
use portcullis_runtime::{Decision, NativePolicy, Request};

#[cfg(feature = "hosts")]
pub use cli::{Cli, portcullis};
#[cfg(feature = "hosts")]
pub use component::Component;
#[cfg(feature = "hosts")]
pub use envoy::EnvoyFilter;
#[cfg(feature = "hosts")]
pub use filter::Filter;
#[cfg(feature = "hosts")]
pub use module::Module;
#[cfg(feature = "hosts")]
pub use proxied::Proxied;

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

/// The bundle of a policy.
fn bundle_of(given: Given<'_>) -> Result<Vec<u8>> {
    compile(given.text, options(given))
}

/// The same, signed.
#[cfg(feature = "hosts")]
fn signed_bundle_of(given: Given<'_>, key: SigningKey) -> Result<Vec<u8>> {
    compile(given.text, Options { sign: Some(key), ..options(given) })
}

fn options(given: Given<'_>) -> Options {
    let Given { document: _, text: _, revocations, revision } = given;
    Options { revision, revocations: revocations.iter().cloned().collect(), ..Options::default() }
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
