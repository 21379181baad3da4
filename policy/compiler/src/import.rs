//! Policies of other systems -> policy documents.
//!
//! In: the text of a configuration, YAML or JSON. Out: the text of a document that compiles, and a note for each place
//! where it answers otherwise than the original; or why there is none. Keys are found in any letter case.
//! Never: a document that lets more through than the original without a note. The differences: docs/IMPORT.md.

mod barong;
mod padlock;
mod yaml;

pub use barong::{Pattern as BarongPath, barong, continent_code, country_code};
pub use padlock::padlock;

use portcullis_bundle::limits;

use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::{self, Entries, Items, Node, Position, Value};

/// A policy document made of another system's configuration.
#[derive(Debug)]
pub struct Imported {
    /// Text of the document.
    pub document: String,
    /// By position in the text that was read.
    pub notes: Vec<Diagnostic>,
}

/// Reads `text` and hands its tree to `write`, which says in `notes` what it could not carry over.
fn import(
    text: &str,
    write: impl FnOnce(Node<'_>, &mut Vec<Diagnostic>) -> String,
) -> Result<Imported, Vec<Diagnostic>> {
    if text.len() > limits::DOCUMENT_BYTES {
        let (bytes, limit) = (text.len(), limits::DOCUMENT_BYTES);
        let message = format!("configuration is {bytes} bytes, the limit is {limit}");
        return Err(vec![Diagnostic::error(Position::START, message)]);
    }
    let tree = tree::parse(text).map_err(|error| vec![error])?;
    let mut notes = Vec::new();
    let document = write(tree.root(), &mut notes);
    notes.sort_by_key(|note| (note.line, note.column));
    match notes.iter().any(|note| note.severity == Severity::Error) {
        true => Err(notes),
        false => Ok(Imported { document, notes }),
    }
}

/// The value of `key`, in any letter case; null is absent.
fn get<'n>(node: Node<'n>, key: &str) -> Option<Node<'n>> {
    let (_, value) = entries(node).find(|(found, _)| found.text.eq_ignore_ascii_case(key))?;
    (!matches!(value.value(), Value::Null)).then_some(value)
}

/// The value that `keys` lead to, one in the other.
fn get_in<'n>(node: Node<'n>, keys: &[&str]) -> Option<Node<'n>> {
    keys.iter().try_fold(node, |node, key| get(node, key))
}

fn entries<'n>(node: Node<'n>) -> Entries<'n> {
    match node.value() {
        Value::Map(entries) => entries,
        _ => Entries::default(),
    }
}

/// A scalar, whatever it looks like, without the spaces around it.
fn scalar<'n>(node: Node<'n>) -> Option<&'n str> {
    match node.value() {
        Value::Scalar { text, .. } => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// The items of a list; anything else is an error.
fn items<'n>(node: Option<Node<'n>>, what: &str, notes: &mut Vec<Diagnostic>) -> Items<'n> {
    match node.map(|node| (node.at(), node.value())) {
        None => Items::default(),
        Some((_, Value::List(items))) => items,
        Some((at, _)) => {
            notes.push(Diagnostic::error(at, format!("expected a list of {what}")));
            Items::default()
        }
    }
}

/// The text under `key`, which must be there.
fn required<'n>(node: Node<'n>, key: &str, of: &str, notes: &mut Vec<Diagnostic>) -> Option<(Position, &'n str)> {
    let found = get(node, key);
    let text = found.and_then(|value| Some((value.at(), scalar(value)?)));
    if text.is_none() {
        let at = found.map_or(node.at(), Node::at);
        notes.push(Diagnostic::error(at, format!("{of} has no `{key}`")));
    }
    text
}

#[cfg(test)]
mod tests;
