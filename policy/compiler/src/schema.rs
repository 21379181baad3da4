//! `schemas` of a document (JSON Schema 2020-12, docs/VALIDATION.md) -> checks with everything resolved.
//!
//! In: the tree of each schema. Out: nodes whose references are numbers, in an order in which what applies to the same
//! value comes before its user. What is not in the vocabulary is an error at its place, never ignored.

mod annotations;
mod forms;
mod graph;
mod literal;
pub(crate) mod meta;
mod model;
mod normalization;
mod number;
mod read;
mod references;
mod uri;

pub(crate) use literal::Json;
pub(crate) use model::{Check, Named, Object, Pattern, SchemaNode, Schemas};

use crate::reader::Reader;
use crate::tree::Node;

/// Reads `schemas`; what is wrong is added to the diagnostics.
pub(crate) fn read(reader: &mut Reader<'_>, node: Option<Node<'_>>) -> Schemas {
    let Some(fields) = node.and_then(|node| reader.map(node, "schemas by name")) else { return Schemas::default() };
    let mut reading = read::Reading::new(reader);
    let named: Vec<_> = fields.iter().map(|(key, node)| (key.text.to_owned(), reading.named(key, node))).collect();
    let names = named.iter().map(|(name, _)| name.clone()).collect();
    let (mut nodes, pending) = reading.finish();
    let broken = |names| Schemas { names, ..Schemas::default() };
    if !pending.resolve(reader, &mut nodes) {
        return broken(names);
    }
    let Some(places) = graph::order(reader, &mut nodes) else { return broken(names) };
    normalization::spread(reader, &mut nodes);
    let place = |node: u32| places.get(node as usize).copied().unwrap_or_default();
    let roots = named.into_iter().map(|(name, (root, is_form))| (name, place(root), is_form));
    Schemas { names, ..forms::schemas(nodes, roots.collect()) }
}

#[cfg(test)]
mod tests;
