//! What a document says without effect, or otherwise than it looks.
//!
//! In: the text of a document that compiles. Out: warnings with a stable name, a place and what to do; docs/LINT.md
//! lists them. Never: a finding that is wrong because something was not looked at; on very large documents some are
//! missed instead, so that the work stays in proportion to the number of rules.

mod cover;
mod items;
mod levels;
mod names;
mod paths;
mod patterns;
mod restrictions;
mod rules;
mod sets;
mod targets;

use crate::diagnostic::Diagnostic;
use crate::model::Model;
use crate::tree::Node;
use crate::{check, emit, parse};

/// The warnings for a document, those of the compiler too, by position; the error lists what keeps it from compiling.
pub fn lint(text: &str) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    parse(text, portcullis_bundle::limits::DOCUMENT_BYTES, |root| {
        let (model, mut findings) = check(root)?;
        emit::emit(&model, &crate::Options::default()).map_err(|error| vec![error.into()])?;
        find(root, &model, &mut findings);
        findings.sort_by(|a, b| (a.line, a.column, a.name).cmp(&(b.line, b.column, b.name)));
        Ok(findings)
    })
}

fn find(root: Node<'_>, model: &Model, findings: &mut Vec<Diagnostic>) {
    rules::find(model, findings);
    targets::find(model, findings);
    levels::find(model, findings);
    restrictions::find(model, findings);
    names::find(root, findings);
    patterns::find(model, findings);
}

#[cfg(test)]
mod tests;
