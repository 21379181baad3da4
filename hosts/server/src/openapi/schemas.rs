//! The schemas that operations name: those by which the server checks its input, out of the management policy, and those of
//! answers, which stand in a file beside the operations.
//!
//! Both are written like the schemas of a policy document, where `$ref` is a name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::pdp::MANAGEMENT_POLICY;

#[derive(Clone, Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("the schemas cannot be read: {0}")]
    Yaml(String),
    #[error("there is no schema `{0}`")]
    Unknown(String),
    #[error("the schema `{0}` is there twice")]
    Twice(String),
}

/// Schemas by name.
pub struct Schemas(BTreeMap<String, Value>);

const PLACE: &str = "#/components/schemas/";

impl Schemas {
    /// Those of a file (YAML, names at the top), and those of the management policy.
    pub fn read(answers: &str) -> Result<Self, SchemaError> {
        let read = |text: &str| -> Result<Map<String, Value>, SchemaError> {
            serde_saphyr::from_str(text).map_err(|error| SchemaError::Yaml(error.to_string()))
        };
        let mut management = read(MANAGEMENT_POLICY)?;
        let Some(Value::Object(checked)) = management.remove("schemas") else {
            return Err(SchemaError::Unknown("schemas".to_owned()));
        };
        let mut all = BTreeMap::new();
        for (name, schema) in checked.into_iter().chain(read(answers)?) {
            if all.insert(name.clone(), placed(schema)).is_some() {
                return Err(SchemaError::Twice(name));
            }
        }
        Ok(Self(all))
    }

    /// All that `document` names, and what those name.
    pub fn named_in(&self, document: &Value) -> Result<Map<String, Value>, SchemaError> {
        let mut found = Map::new();
        let mut wanted = BTreeSet::new();
        names(document, &mut wanted);
        while let Some(name) = wanted.pop_first() {
            if found.contains_key(&name) {
                continue;
            }
            let schema = self.0.get(&name).ok_or_else(|| SchemaError::Unknown(name.clone()))?;
            names(schema, &mut wanted);
            found.insert(name, schema.clone());
        }
        Ok(found)
    }
}

/// `$ref: user` as a document says it. What only our validator reads is left out.
fn placed(schema: Value) -> Value {
    match schema {
        Value::Object(members) => {
            let member = |(key, value): (String, Value)| {
                let value = match value {
                    Value::String(name) if key == "$ref" => Value::String(format!("{PLACE}{name}")),
                    other => placed(other),
                };
                (key, value)
            };
            let is_said = |(key, _): &(String, Value)| !matches!(key.as_str(), "x-form" | "x-message");
            Value::Object(members.into_iter().filter(is_said).map(member).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(placed).collect()),
        other => other,
    }
}

fn names(value: &Value, to: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix(PLACE))
            {
                to.insert(name.to_owned());
            }
            members.values().for_each(|value| names(value, to));
        }
        Value::Array(items) => items.iter().for_each(|value| names(value, to)),
        _ => {}
    }
}
