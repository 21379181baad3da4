//! Prefixes that end inside a segment: `/a/b` begins `/a/bc` too.
//!
//! One that ends with a separator, such as `/a/b-`, is meant so.

use crate::diagnostic::Diagnostic;
use crate::model::{Model, On, PathKind};

pub(super) fn find(model: &Model, findings: &mut Vec<Diagnostic>) {
    let of_rules = model.rules.iter().filter_map(|rule| match &rule.on {
        On::Http(target) => Some(target),
        On::Resource(_) => None,
    });
    for target in of_rules.chain(&model.public).chain(&model.blocked).chain(&model.login) {
        let Some(pattern) = &target.path else { continue };
        if pattern.kind != PathKind::Prefix || !pattern.text.ends_with(|last: char| last.is_ascii_alphanumeric()) {
            continue;
        }
        let text = &pattern.text;
        let message = format!("`prefix: {text}` also matches `{text}x`: it ends inside a segment");
        let help = format!("write `under: {text}` if only the path and what is below it are meant");
        findings.push(Diagnostic::warning(target.at, message).with_help(Some(help)).named("prefix-cuts-segment"));
    }
}
