//! Keywords that do not decide: those of JSON Schema, which are only read, and ours.

use portcullis_bundle::schema::{NoteKind, node_flags};

use super::literal::string;
use super::model::{Note, SchemaNode};
use crate::reader::Reader;
use crate::tree::{Key, Node, Value};

/// Whether `key` is an annotation; ours change `schema`.
pub(super) fn read(reader: &mut Reader<'_>, schema: &mut SchemaNode, key: Key<'_>, node: Node<'_>) -> bool {
    match key.text {
        "title" | "description" | "$comment" | "contentMediaType" | "contentEncoding" => {
            string(reader, node, "a text");
        }
        "deprecated" | "readOnly" | "writeOnly" => {
            reader.flag(node);
        }
        "examples" => {
            if !matches!(node.value(), Value::List(_)) {
                reader.expected(node, "a list of values");
            }
        }
        "default" => {}
        "x-code" => codes(reader, schema, node),
        "x-message" => messages(reader, schema, node),
        "x-trim" => change(reader, schema, node, node_flags::TRIM),
        "x-lowercase" => change(reader, schema, node, node_flags::LOWERCASE),
        "x-uppercase" => change(reader, schema, node, node_flags::UPPERCASE),
        _ => return false,
    }
    true
}

/// One code, or one for each keyword.
fn codes(reader: &mut Reader<'_>, schema: &mut SchemaNode, node: Node<'_>) {
    let mut note = |key: &str, text: &str| {
        schema.notes.push(Note { kind: NoteKind::Code, key: key.to_owned(), text: text.to_owned() });
    };
    match node.value() {
        Value::Map(entries) => {
            for (key, node) in entries {
                if let Some(code) = reader.text(node, "a code") {
                    note(key.text, code);
                }
            }
        }
        _ => {
            if let Some(code) = reader.text(node, "a code, or codes by keyword") {
                note("", code);
            }
        }
    }
}

/// Templates by language.
fn messages(reader: &mut Reader<'_>, schema: &mut SchemaNode, node: Node<'_>) {
    let Some(fields) = reader.map(node, "messages by language") else { return };
    for (key, node) in fields.iter() {
        if let Some(text) = reader.text(node, "a message") {
            schema.notes.push(Note { kind: NoteKind::Message, key: key.text.to_owned(), text: text.to_owned() });
        }
    }
}

fn change(reader: &mut Reader<'_>, schema: &mut SchemaNode, node: Node<'_>, flag: u8) {
    if reader.flag(node) != Some(true) {
        return;
    }
    schema.flags |= flag;
    let both = node_flags::LOWERCASE | node_flags::UPPERCASE;
    if schema.flags & both == both {
        reader.error(node.at(), "a text cannot be in lower and in upper case");
    }
}
