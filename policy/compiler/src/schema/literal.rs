//! Values in a schema (`const`, `enum`) as JSON.

use portcullis_bundle::schema::JsonType;

use super::number;
use crate::json;
use crate::reader::Reader;
use crate::tree::{Node, Value};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As written (RFC 8259 section 6).
    Number(String),
    String(String),
    List(Vec<Json>),
    /// In document order; keys are unique.
    Map(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn read(reader: &mut Reader<'_>, node: Node<'_>) -> Option<Self> {
        Some(match node.value() {
            Value::Null => Self::Null,
            Value::Scalar { text, plain: false } => Self::String(text.to_owned()),
            Value::Scalar { text, plain: true } => match boolean(text) {
                Some(value) => Self::Bool(value),
                None if json::is_number(text) => Self::Number(number::read(reader, node)?.to_owned()),
                None => Self::String(string(reader, node, "a value")?.to_owned()),
            },
            Value::List(items) => Self::List(items.map(|item| Self::read(reader, item)).collect::<Option<_>>()?),
            Value::Map(entries) => {
                let member =
                    |(key, node): (crate::tree::Key<'_>, _)| Some((key.text.to_owned(), Self::read(reader, node)?));
                Self::Map(entries.map(member).collect::<Option<_>>()?)
            }
        })
    }

    /// Bits of `JsonType`.
    pub(super) fn types(&self) -> u8 {
        match self {
            Self::Null => JsonType::Null as u8,
            Self::Bool(_) => JsonType::Boolean as u8,
            Self::Number(_) => JsonType::Number as u8 | JsonType::Integer as u8,
            Self::String(_) => JsonType::String as u8,
            Self::List(_) => JsonType::Array as u8,
            Self::Map(_) => JsonType::Object as u8,
        }
    }
}

/// `true` and `false` as YAML writes them.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A text, which may be empty. What is a number or a boolean without quotes is none.
pub(super) fn string<'n>(reader: &mut Reader<'_>, node: Node<'n>, what: &str) -> Option<&'n str> {
    match node.value() {
        Value::Scalar { text, plain } if !plain || !(boolean(text).is_some() || json::looks_like_number(text)) => {
            Some(text)
        }
        Value::Scalar { text, .. } => {
            reader.error(node.at(), format!("expected {what} as a text, `{text}` is not one without quotes"));
            None
        }
        _ => {
            reader.expected(node, what);
            None
        }
    }
}
