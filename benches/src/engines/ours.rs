//! Portcullis, linked: the document compiled, the bundle opened, `decide` called.

use anyhow::{Result, anyhow};
use portcullis_compiler::{Options, compile};
use portcullis_core::{Effect, Policy, Request, Scratch, decide};

use super::Engine;
use crate::workload::Workload;

pub struct Ours {
    policy: Policy,
    scratch: Scratch,
}

impl Ours {
    pub fn compile(workload: &Workload) -> Result<Self> {
        Self::open(bundle(&workload.document())?)
    }

    pub fn open(bundle: Vec<u8>) -> Result<Self> {
        Ok(Self { policy: Policy::open(bundle)?, scratch: Scratch::default() })
    }
}

/// The bundle of a document.
pub fn bundle(document: &str) -> Result<Vec<u8>> {
    let compiled = compile(document, &Options { revision: 1, document_bytes: 256 << 20, ..Options::default() });
    let compiled = compiled.map_err(|diagnostics| match diagnostics.first() {
        Some(first) => anyhow!("{}:{}: {}", first.line, first.column, first.message),
        None => anyhow!("the document does not compile"),
    })?;
    Ok(compiled.bundle)
}

impl Engine for Ours {
    fn decide(&mut self, request: &Request<'_>) -> bool {
        decide(&self.policy, request, &mut self.scratch).effect == Effect::Allow
    }
}
