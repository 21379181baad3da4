//! `validations`: request bodies that must satisfy a schema.

use portcullis_bundle::limits::VALIDATIONS;

use super::Parts;
use super::targets;
use crate::model::Validation;
use crate::names::did_you_mean;
use crate::reader::{Keys, Reader};
use crate::schema::Schemas;
use crate::tree::{Node, Position, Value};

const VALIDATION: Keys = Keys { of: "a validation", known: &["target", "schema", "when_content_type"], later: &[] };

pub(super) fn read<'n>(
    reader: &mut Reader<'_>,
    parts: &mut Parts<'n>,
    schemas: &Schemas,
    node: Option<Node<'n>>,
) -> Vec<Validation> {
    let items = reader.list(node, "validations");
    if items.len() > VALIDATIONS {
        let at = node.map(Node::at).unwrap_or_default();
        reader.error(at, format!("{} validations, the limit is {VALIDATIONS}", items.len()));
        return Vec::new();
    }
    items.filter_map(|node| one(reader, parts, schemas, node)).collect()
}

fn one<'n>(reader: &mut Reader<'_>, parts: &mut Parts<'n>, schemas: &Schemas, node: Node<'n>) -> Option<Validation> {
    let fields = reader.fields(node, &VALIDATION)?;
    let target = match fields.get("target") {
        Some(node) => targets::read(reader, parts, node),
        None => {
            reader.error(fields.at, "validation has no `target`; `{}` is any request");
            None
        }
    };
    let schema = match fields.get("schema") {
        Some(node) => {
            reader.text(node, "the name of a schema").and_then(|name| known(reader, schemas, node.at(), name))
        }
        None => {
            reader.error(fields.at, "validation has no `schema`");
            None
        }
    };
    let content_types = fields.get("when_content_type").map(|node| content_types(reader, node));
    Some(Validation { target: target?, schema: schema?, content_types: content_types.unwrap_or_default() })
}

fn known(reader: &mut Reader<'_>, schemas: &Schemas, at: Position, name: &str) -> Option<String> {
    if schemas.names.contains(name) {
        return Some(name.to_owned());
    }
    let help = did_you_mean(name, schemas.names.iter().map(String::as_str));
    reader.error_with_help(at, format!("schema `{name}` is not in `schemas`"), help);
    None
}

/// One media type, or several; in lower case, without parameters.
fn content_types(reader: &mut Reader<'_>, node: Node<'_>) -> Vec<String> {
    let texts = match node.value() {
        Value::List(_) => reader.texts(Some(node), "media types"),
        _ => reader.text(node, "a media type").map(|text| (node.at(), text)).into_iter().collect(),
    };
    let mut types = Vec::new();
    for (at, text) in texts {
        let is_token = |part: &str| portcullis_core::is_method(part.as_bytes());
        match text.split_once('/') {
            Some((kind, subtype)) if is_token(kind) && is_token(subtype) => types.push(text.to_ascii_lowercase()),
            _ => reader.error(at, format!("`{text}` is not a media type without parameters")),
        }
    }
    types
}
