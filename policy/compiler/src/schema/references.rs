//! `$ref`: what it names becomes the number of a node.
//!
//! In: the schemas of a document with their identifiers. Out: references filled in, or an error for each that leads
//! nowhere: nothing is fetched, so a reference stays within the document.

use std::collections::HashMap;

use super::model::{Check, SchemaNode};
use super::uri;
use crate::reader::Reader;
use crate::tree::{Node, Position, Value};

/// What references may name, and those that are not filled in yet.
#[derive(Default)]
pub(super) struct Pending<'n> {
    /// Schemas by their absolute identifier.
    resources: HashMap<String, Node<'n>>,
    /// By identifier and `$anchor`.
    anchors: HashMap<(String, String), u32>,
    /// Nodes by their place in the document.
    places: HashMap<usize, u32>,
    references: Vec<Reference>,
}

struct Reference {
    at: Position,
    base: String,
    text: String,
    node: u32,
    /// Which of its checks is the reference.
    check: usize,
}

impl<'n> Pending<'n> {
    pub(super) fn place(&mut self, node: Node<'n>, number: u32) {
        self.places.insert(node.number(), number);
    }

    /// `false` when the identifier is taken.
    pub(super) fn resource(&mut self, identifier: &str, node: Node<'n>) -> bool {
        self.resources.insert(identifier.to_owned(), node).is_none()
    }

    /// `false` when the anchor is taken.
    pub(super) fn anchor(&mut self, base: &str, name: &str, number: u32) -> bool {
        self.anchors.insert((base.to_owned(), name.to_owned()), number).is_none()
    }

    pub(super) fn reference(&mut self, at: Position, base: &str, text: &str, (node, check): (u32, usize)) {
        self.references.push(Reference { at, base: base.to_owned(), text: text.to_owned(), node, check });
    }

    /// Whether all references lead somewhere.
    pub(super) fn resolve(&self, reader: &mut Reader<'_>, nodes: &mut [SchemaNode]) -> bool {
        let mut holds = true;
        for reference in &self.references {
            let checks = nodes.get_mut(reference.node as usize).map(|node| &mut node.checks);
            let check = checks.and_then(|checks| checks.get_mut(reference.check));
            match (self.find(reference), check) {
                (Ok(target), Some(Check::Reference(to))) => *to = target,
                (found, _) => {
                    let why = found.err().unwrap_or("does not lead to a schema");
                    reader.error(reference.at, format!("`$ref` `{}` {why}", reference.text));
                    holds = false;
                }
            }
        }
        holds
    }

    fn find(&self, Reference { base, text, .. }: &Reference) -> Result<u32, &'static str> {
        let (identifier, fragment) = uri::resolve(base, text);
        let nowhere = "is not in this document, and nothing is fetched from elsewhere";
        let root = *self.resources.get(&identifier).ok_or(nowhere)?;
        let fragment = uri::decoded(fragment.as_deref().unwrap_or_default()).ok_or("is not a reference")?;
        let found = match fragment.strip_prefix('/') {
            Some(pointer) => walk(root, pointer).and_then(|node| self.places.get(&node.number())),
            None if fragment.is_empty() => self.places.get(&root.number()),
            None => self.anchors.get(&(identifier, fragment)),
        };
        found.copied().ok_or("does not lead to a schema")
    }
}

/// RFC 6901.
pub(super) fn walk<'n>(root: Node<'n>, pointer: &str) -> Option<Node<'n>> {
    pointer.split('/').try_fold(root, |node, token| {
        let token = token.replace("~1", "/").replace("~0", "~");
        match node.value() {
            Value::Map(mut entries) => entries.find(|(key, _)| key.text == token).map(|(_, node)| node),
            Value::List(mut items) => items.nth(token.parse().ok()?),
            Value::Null | Value::Scalar { .. } => None,
        }
    })
}
