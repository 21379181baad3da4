//! Regular expressions whose automaton takes a large part of a bundle.

use std::collections::BTreeMap;

use crate::automata::{self, Alphabet};
use crate::diagnostic::Diagnostic;
use crate::model::{Model, On, PathKind};
use crate::tree::Position;

/// Larger than this is worth a thought: `limits::AUTOMATA_BYTES` would hold 256 of them.
const LARGE_BYTES: usize = 256 << 10;
/// Distinct patterns that are looked at; each costs the time to build it.
const PATTERNS: usize = 1_000;

pub(super) fn find(model: &Model, findings: &mut Vec<Diagnostic>) {
    let mut patterns: BTreeMap<&str, Position> = BTreeMap::new();
    let of_rules = model.rules.iter().filter_map(|rule| match &rule.on {
        On::Http(target) => Some(target),
        On::Resource(_) => None,
    });
    for target in of_rules.chain(&model.public).chain(&model.blocked).chain(&model.login) {
        if let Some(pattern) = target.path.as_ref().filter(|pattern| pattern.kind == PathKind::Regex) {
            patterns.entry(&pattern.text).or_insert(target.at);
        }
    }
    for path in model.routes.iter().flat_map(|route| &route.paths) {
        patterns.entry(&path.pattern).or_insert(path.at);
    }
    for (text, at) in patterns.into_iter().take(PATTERNS) {
        let bytes = automata::build(&[text], Alphabet::Ascii).ok().map(|bytes| bytes.len());
        if bytes.is_none_or(|bytes| bytes > LARGE_BYTES) {
            let size = bytes.map_or("more than the limit".to_owned(), |bytes| format!("{} KiB", bytes >> 10));
            let message = format!("pattern makes an automaton of {size}");
            let help = "repeat less (`{1,100}` copies what it repeats), or begin the pattern with `^`";
            findings.push(Diagnostic::warning(at, message).with_help(Some(help)).named("large-pattern"));
        }
    }
}
