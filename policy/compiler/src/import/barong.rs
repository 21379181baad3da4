//! Barong `seeds.yml` -> policy document.
//!
//! In: its lists `permissions`, `restrictions` and `levels`, and the lists of `authz_rules.yml` when they were added.
//! Out: a document that says beside these what Barong has in its code. Users, secrets and settings are not read.

mod paths;
mod places;
mod restrictions;
mod rules;

pub use paths::Pattern;
pub use places::{continent_code, country_code};

use super::{Imported, get, get_in, import, items, required, scalar, yaml};
use crate::diagnostic::Diagnostic;
use crate::tree::Node;

/// The shipped `authz_rules.yml` of Barong 2.7.0.
const PASS: [&str; 7] = [
    "api/v2/barong/public",
    "api/v2/barong/identity",
    "api/v2/peatio/public",
    "api/v2/ranger/public",
    "api/v2/applogic/public",
    "api/v2/arke/public",
    "api/v2/finex/public",
];
const BLOCK: [&str; 2] = ["api/v2/barong/management", "api/v2/peatio/management"];

const HEADER: &str = "\
# Imported from Barong by `portcullis import barong`.
#
# What Barong has in its code is written out below: the paths that need no session (`public`) and those that nobody
# reaches (`blocked`) unless the seeds held the `rules` of authz_rules.yml, the path on which `blocklogin` counts, the
# states that may act, the second factor that API keys need, and the statuses of its refusals.
#
# Before a request is decided on, the host verifies sessions, CSRF tokens, API keys and their nonces; what it cannot
# verify is anonymous here. It sends `otp: true` for service accounts, which Barong lets use keys without a second factor.
#
# What is answered otherwise on purpose, with the reasons: docs/IMPORT.md.
version: 1

subject: {states: [active, pending], api_key_requires_otp: true}

# Barong refuses with 401. Without these lines it is 403, and 401 only where nobody is logged in.
statuses: {blocked: 401, subject_inactive: 401, otp_required: 401, rule: 401, no_match: 401}

# A prefix, so that no suffix and no other way to log in escapes it.
login:
  - {path: {prefix: /api/v2/barong/identity/sessions}}
";

/// A policy document for what `seeds.yml` of Barong permits.
///
/// An error lists what cannot be carried over without letting more through than Barong does.
pub fn barong(text: &str) -> Result<Imported, Vec<Diagnostic>> {
    import(text, document)
}

fn document(root: Node<'_>, notes: &mut Vec<Diagnostic>) -> String {
    if !["permissions", "restrictions", "levels"].iter().any(|key| get(root, key).is_some()) {
        let message = "expected Barong seeds: one of the lists `permissions`, `restrictions`, `levels`";
        notes.push(Diagnostic::error(root.at(), message));
        return String::new();
    }
    let rules = rules::read(get(root, "permissions"), notes);
    let roles: String = rules.roles.iter().map(|role| format!("  {}: {{}}\n", yaml::scalar(role))).collect();
    let given = get(root, "rules");
    let sections = [
        ("public", targets(given.map(|_| get_in(root, &["rules", "pass"])), &PASS, notes)),
        ("blocked", targets(given.map(|_| get_in(root, &["rules", "block"])), &BLOCK, notes)),
        ("levels", levels(get(root, "levels"), notes)),
        ("restrictions", restrictions::read(get(root, "restrictions"), notes)),
        ("roles", roles),
        ("rules", rules.text),
    ];
    let mut document = HEADER.to_owned();
    for (key, text) in sections.iter().filter(|(_, text)| !text.is_empty()) {
        document += &format!("\n{key}:\n{text}");
    }
    document
}

/// Items of a list of targets: the prefixes of the given list, or the shipped ones when none was.
fn targets(given: Option<Option<Node<'_>>>, shipped: &[&str], notes: &mut Vec<Diagnostic>) -> String {
    let mut text = String::new();
    let prefixes = match given {
        None => shipped.iter().map(|path| (None, *path)).collect(),
        Some(node) => {
            let items = items(node, "paths", notes);
            items.filter_map(|item| Some((Some(item.at()), scalar(item)?))).collect::<Vec<_>>()
        }
    };
    for (at, path) in prefixes {
        match Pattern::parse(path) {
            Ok(pattern) => text += &format!("  - {{path: {pattern}}}\n"),
            Err(error) => notes.extend(at.map(|at| {
                let note = Diagnostic::warning(at, format!("path is left out: {}", error.why()));
                note.with_help(error.help())
            })),
        }
    }
    text
}

/// Items of the list `levels`: the place in it is the number of the level.
fn levels(node: Option<Node<'_>>, notes: &mut Vec<Diagnostic>) -> String {
    let mut text = String::new();
    for node in items(node, "levels", notes) {
        let (key, value) = (required(node, "key", "level", notes), required(node, "value", "level", notes));
        if let (Some((_, key)), Some((_, value))) = (key, value) {
            text += &format!("  - {{key: {}, value: {}}}\n", yaml::scalar(key), yaml::scalar(value));
        }
    }
    text
}
