//! A field of a query, a header, a path or a form: its name, what it means, and what it may be.

use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

pub struct Field {
    pub name: &'static str,
    pub text: &'static str,
    pub schema: RefOr<Schema>,
    pub is_required: bool,
}

/// The schema of that name.
pub fn named(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

/// Any text.
pub fn text(name: &'static str, text: &'static str) -> Field {
    Field::new(name, text, ObjectBuilder::new().schema_type(Type::String).build())
}

/// A text of a length in characters.
pub fn sized(name: &'static str, (least, most): (usize, usize), text: &'static str) -> Field {
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(least)).max_length(Some(most));
    Field::new(name, text, schema.build())
}

/// One of these words.
pub fn word(name: &'static str, words: &[&str], text: &'static str) -> Field {
    let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied()));
    Field::new(name, text, schema.build())
}

pub fn flag(name: &'static str, text: &'static str) -> Field {
    Field::new(name, text, ObjectBuilder::new().schema_type(Type::Boolean).build())
}

/// A whole number, both bounds included.
pub fn whole(name: &'static str, (least, most): (u64, u64), text: &'static str) -> Field {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least)).maximum(Some(most));
    Field::new(name, text, schema.build())
}

/// What the schema of that name says.
pub fn by(name: &'static str, schema: &str, text: &'static str) -> Field {
    Field { name, text, schema: named(schema), is_required: false }
}

// === impl Field ===

impl Field {
    fn new(name: &'static str, text: &'static str, schema: Object) -> Self {
        Self { name, text, schema: schema.into(), is_required: false }
    }

    pub fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// The schema with the text beside it.
    pub fn described(self) -> RefOr<Schema> {
        match self.schema {
            RefOr::T(Schema::Object(mut object)) => {
                object.description = Some(self.text.to_owned());
                object.into()
            }
            schema => schema,
        }
    }
}
