//! The compiler: a policy document becomes a bundle, or all diagnostics at once.
//!
//! In: the text of a document, YAML or JSON (design/decision.md section 1). Out: bundle bytes and warnings, or every
//! error with its line and column. Never: I/O, a clock, a partial result.
//!
//! text -> `tree` (as typed, with positions) -> `document` (reads it) -> `model` (checked) -> `emit` (bundle bytes)
#![forbid(unsafe_code)]

mod diagnostic;
mod document;
mod emit;
mod json;
mod model;
mod names;
mod patterns;
mod reader;
mod roles;
mod tree;
mod trie;

use portcullis_bundle::limits;

pub use diagnostic::{Diagnostic, Severity};
pub use portcullis_bundle::{InvalidTenant, PublicKey, SigningKey, TenantId};

/// What a bundle says about itself, beside its policy.
#[derive(Default)]
pub struct Options {
    pub tenant: TenantId,
    /// Counts administrative writes of the tenant, from 1.
    pub revision: u64,
    /// Unix seconds.
    pub created: u64,
    /// Unix seconds; `None` is never.
    pub expires: Option<u64>,
    pub sign: Option<SigningKey>,
}

/// A compiled document. The same text and options always give the same bytes.
#[derive(Debug)]
pub struct Compiled {
    pub bundle: Vec<u8>,
    pub warnings: Vec<Diagnostic>,
}

/// Compiles the text of a policy document; the error lists every diagnostic, warnings too, by position.
pub fn compile(text: &str, options: &Options) -> Result<Compiled, Vec<Diagnostic>> {
    if text.len() > limits::DOCUMENT_BYTES {
        let (bytes, limit) = (text.len(), limits::DOCUMENT_BYTES);
        let message = format!("document is {bytes} bytes, the limit is {limit}");
        return Err(vec![Diagnostic::error(tree::Position::START, message)]);
    }
    let text = json::as_yaml(text);
    let root = tree::parse(&text).map_err(|error| vec![error])?;
    let mut diagnostics = Vec::new();
    let model = document::read(&root, &mut diagnostics);
    drop(root);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(diagnostics);
    }
    match emit::emit(&model, options) {
        Ok(bundle) => Ok(Compiled { bundle, warnings: diagnostics }),
        Err(error) => Err(vec![Diagnostic::error(tree::Position::START, error.to_string())]),
    }
}

#[cfg(test)]
mod tests;
