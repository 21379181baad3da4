//! The compiler: a policy document becomes a bundle, or all diagnostics at once.
//!
//! In: the text of a document, YAML or JSON (design/decision.md section 1). Out: bundle bytes and warnings, or every
//! error with its line and column. Never: I/O, a clock, a partial result.
//!
//! text -> `tree` (as typed, with positions) -> `document` (reads it) -> `model` (checked) -> `emit` (bundle bytes)
#![forbid(unsafe_code)]

mod automata;
mod cel;
mod conditions;
mod decision;
mod diagnostic;
mod document;
pub mod edit;
mod emit;
pub mod import;
mod json;
mod lint;
mod model;
mod names;
mod patterns;
pub mod policy_test;
mod reader;
mod render;
mod request;
mod roles;
mod schema;
mod shared;
mod tree;

use std::collections::BTreeMap;

use portcullis_bundle::limits;

use model::Model;
use tree::Node;

pub use decision::{Decision, Explained, Obligation};
pub use diagnostic::{Diagnostic, Severity};
pub use edit::{Entry, entries};
pub use lint::lint;
pub use policy_test::test;
pub use portcullis_bundle::{InvalidTenant, PublicKey, SigningKey, TenantId};
pub use render::{Source, Style};
pub use request::Request;

/// What a bundle says about itself, beside its policy.
pub struct Options {
    pub tenant: TenantId,
    /// Counts administrative writes of the tenant, from 1.
    pub revision: u64,
    /// Unix seconds.
    pub created: u64,
    /// Unix seconds; `None` is never.
    pub expires: Option<u64>,
    pub sign: Option<SigningKey>,
    /// Tokens of a subject issued before this, in unix seconds, are void.
    pub revocations: BTreeMap<String, u64>,
    /// Most bytes of the document. The default is the limit of the contract; who compiles documents of their own making
    /// may take longer ones.
    pub document_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tenant: TenantId::default(),
            revision: 0,
            created: 0,
            expires: None,
            sign: None,
            revocations: BTreeMap::new(),
            document_bytes: limits::DOCUMENT_BYTES,
        }
    }
}

/// A compiled document. The same text and options always give the same bytes.
#[derive(Debug)]
pub struct Compiled {
    pub bundle: Vec<u8>,
    pub warnings: Vec<Diagnostic>,
}

/// Compiles the text of a policy document; the error lists every diagnostic, warnings too, by position.
pub fn compile(text: &str, options: &Options) -> Result<Compiled, Vec<Diagnostic>> {
    let (_, bundle, warnings) = compile_model(text, options)?;
    Ok(Compiled { bundle, warnings })
}

/// The model and the bundle of a document, and its warnings.
fn compile_model(text: &str, options: &Options) -> Result<(Model, Vec<u8>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (model, warnings) = parse(text, options.document_bytes, check)?;
    match emit::emit(&model, options) {
        Ok(bundle) => Ok((model, bundle, warnings)),
        Err(error) => Err(vec![error.into()]),
    }
}

impl From<emit::EmitError> for Diagnostic {
    fn from(error: emit::EmitError) -> Self {
        Self::error(tree::Position::START, error.to_string())
    }
}

/// Hands the tree of a document to `read`.
fn parse<T>(
    text: &str,
    limit: usize,
    read: impl FnOnce(Node<'_>) -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Diagnostic>> {
    if text.len() > limit {
        let bytes = text.len();
        let message = format!("document is {bytes} bytes, the limit is {limit}");
        return Err(vec![Diagnostic::error(tree::Position::START, message)]);
    }
    let tree = tree::parse(text).map_err(|error| vec![error])?;
    read(tree.root())
}

/// The model of a document, and its warnings.
fn check(root: Node<'_>) -> Result<(Model, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let model = document::read(root, &mut diagnostics);
    schema::meta::check(root, &mut diagnostics);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    match diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        true => Err(diagnostics),
        false => Ok((model, diagnostics)),
    }
}

#[cfg(test)]
mod tests;
