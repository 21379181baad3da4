//! Each schema against the meta-schema, by the program that the meta-schema is when it is compiled itself.
//!
//! In: `schemas` of a document that was read without errors: the reader refuses the same in better words. Out: a
//! diagnostic for each place where it was too lenient.

use std::sync::OnceLock;

use portcullis_bundle::Policy;
use portcullis_core::{ValidateOptions, ValidateScratch, limits, validate};

use super::references::walk;
use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::{Node, Value};
use crate::{Options, document, emit, json, tree};

const META_SCHEMA: &str = include_str!("meta-schema.yaml");

/// Checks `schemas` of the document.
pub(crate) fn check(root: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Value::Map(mut entries) = root.value() else { return };
    let schemas = entries.find(|(key, _)| key.text == "schemas").map(|(_, node)| node.value());
    let Some(Value::Map(schemas)) = schemas else { return };
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return;
    }
    let Some(policy) = policy() else {
        return diagnostics.push(Diagnostic::error(root.at(), "the meta-schema cannot be compiled"));
    };
    let mut scratch = ValidateScratch::default();
    for (_, node) in schemas {
        diagnostics.extend(one(policy, node, &mut scratch));
    }
}

fn one(policy: &Policy, node: Node<'_>, scratch: &mut ValidateScratch) -> Vec<Diagnostic> {
    let text = match json::write(node) {
        Ok(text) => text,
        Err(why) => return vec![Diagnostic::error(node.at(), why)],
    };
    let options = ValidateOptions { max_bytes: limits::DOCUMENT_BYTES, ..ValidateOptions::default() };
    let report =
        policy.schema_number("schema").and_then(|schema| validate(policy, schema, text.as_bytes(), &options, scratch));
    let violations = report.map(|report| report.violations).unwrap_or_default();
    let diagnostic = |violation: portcullis_core::Violation<'_>| {
        let at = match violation.pointer.strip_prefix('/') {
            Some(pointer) => walk(node, pointer).unwrap_or(node).at(),
            None => node.at(),
        };
        Diagnostic::error(at, format!("this is not a schema: it {}", violation.message))
    };
    violations.into_iter().map(diagnostic).collect()
}

/// The compiled meta-schema; a test sees to it that there is one.
fn policy() -> Option<&'static Policy> {
    static POLICY: OnceLock<Option<Policy>> = OnceLock::new();
    POLICY.get_or_init(compile).as_ref()
}

fn compile() -> Option<Policy> {
    let tree = tree::parse(META_SCHEMA).ok()?;
    let mut diagnostics = Vec::new();
    let model = document::read(tree.root(), &mut diagnostics);
    let bundle = emit::emit(&model, &Options::default()).ok().filter(|_| diagnostics.is_empty())?;
    Policy::open(bundle).ok()
}

#[cfg(test)]
mod tests {
    use super::policy;

    #[test]
    fn the_meta_schema_compiles() {
        assert!(policy().is_some_and(|policy| policy.schema_number("schema").is_some()));
    }
}
