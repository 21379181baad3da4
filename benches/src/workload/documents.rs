//! The documents whose validation is measured, and their schemas: a form of ten fields, an order with arrays, a list.

use std::fmt::Write;

pub struct Document {
    pub name: &'static str,
    pub what: &'static str,
    /// JSON Schema.
    pub schema: &'static str,
    /// JSON, and valid.
    pub text: String,
}

const FORM: &str = r#"{
  "type": "object",
  "required": ["email", "password", "first_name", "last_name", "country", "birth_date", "terms"],
  "properties": {
    "email": {"type": "string", "format": "email", "maxLength": 255},
    "password": {"type": "string", "minLength": 8, "maxLength": 80},
    "first_name": {"type": "string", "minLength": 1, "maxLength": 100},
    "last_name": {"type": "string", "minLength": 1, "maxLength": 100},
    "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "birth_date": {"type": "string", "format": "date"},
    "phone": {"type": "string", "pattern": "^\\+[0-9]{7,15}$"},
    "newsletter": {"type": "boolean"},
    "level": {"type": "integer", "minimum": 0, "maximum": 9},
    "terms": {"const": true}
  },
  "additionalProperties": false
}"#;

pub const ORDER: &str = r##"{
  "type": "object",
  "required": ["id", "created", "customer", "lines"],
  "properties": {
    "id": {"type": "string", "format": "uuid"},
    "created": {"type": "string", "format": "date-time"},
    "customer": {
      "type": "object",
      "required": ["name", "addresses"],
      "properties": {
        "name": {"type": "string", "maxLength": 200},
        "addresses": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/address"}}
      },
      "additionalProperties": false
    },
    "lines": {
      "type": "array",
      "minItems": 1,
      "maxItems": 100,
      "items": {
        "type": "object",
        "required": ["article", "quantity", "price"],
        "properties": {
          "article": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
          "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
          "price": {"type": "number", "minimum": 0},
          "tags": {"type": "array", "uniqueItems": true, "items": {"enum": ["new", "sale", "fragile", "heavy"]}}
        },
        "additionalProperties": false
      }
    },
    "note": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 500}]}
  },
  "additionalProperties": false,
  "$defs": {
    "address": {
      "type": "object",
      "required": ["street", "city", "country"],
      "properties": {
        "street": {"type": "string"},
        "city": {"type": "string"},
        "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
        "country": {"enum": ["UA", "DE", "FR", "PL", "US"]}
      }
    }
  }
}"##;

const LIST: &str = r#"{
  "type": "array",
  "items": {
    "type": "object",
    "required": ["id", "amount", "currency"],
    "properties": {
      "id": {"type": "integer", "minimum": 1},
      "amount": {"type": "number"},
      "currency": {"type": "string", "minLength": 3, "maxLength": 5},
      "state": {"enum": ["open", "done", "failed"]},
      "at": {"type": "string", "format": "date-time"},
      "memo": {"type": "string", "maxLength": 100}
    },
    "additionalProperties": false
  }
}"#;

pub fn documents() -> [Document; 3] {
    [
        Document { name: "form", what: "a form of 10 fields", schema: FORM, text: form() },
        Document { name: "order", what: "an order of 2 KB with arrays", schema: ORDER, text: order(20) },
        Document { name: "list", what: "a list of 64 KB", schema: LIST, text: list() },
    ]
}

fn form() -> String {
    r#"{"email": "jane.doe@example.com", "password": "correct horse battery", "first_name": "Jane", "last_name": "Doe", "country": "UA", "birth_date": "1990-02-28", "phone": "+380441234567", "newsletter": false, "level": 3, "terms": true}"#
        .to_owned()
}

/// An order of so many lines; about 70 bytes each, and 400 besides.
pub fn order(count: usize) -> String {
    let address = r#"{"street": "12 Long Street", "city": "Kyiv", "zip": "01001", "country": "UA"}"#;
    let mut lines = String::new();
    for line in 0..count {
        let comma = if line > 0 { ", " } else { "" };
        let tags = ["[]", r#"["new"]"#, r#"["sale", "heavy"]"#][line % 3];
        let _ = write!(
            lines,
            r#"{comma}{{"article": "ABC-{:04}", "quantity": {}, "price": {}.{:02}, "tags": {tags}}}"#,
            line * 37,
            line + 1,
            line * 7,
            line
        );
    }
    format!(
        r#"{{"id": "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "created": "2026-11-22T10:00:00Z", "customer": {{"name": "Jane Doe", "addresses": [{address}, {address}]}}, "lines": [{lines}], "note": "Leave it at the door, please."}}"#
    )
}

fn list() -> String {
    let mut items = String::from("[");
    let mut id = 1;
    while items.len() < 64 << 10 {
        let comma = if id > 1 { "," } else { "" };
        let state = ["open", "done", "failed"][id % 3];
        let _ = write!(
            items,
            r#"{comma}{{"id":{id},"amount":{}.{:02},"currency":"EUR","state":"{state}","at":"2026-11-{:02}T10:00:00Z","memo":"payment number {id}"}}"#,
            id * 13,
            id % 100,
            id % 28 + 1
        );
        id += 1;
    }
    items + "]"
}
