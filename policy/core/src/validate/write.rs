//! Values as JSON (RFC 8259).

use super::equal::{Value, Values};
use super::number::Number;
use super::tape::Tape;
use crate::json::quote;

/// More than a document or a literal nests.
pub(super) const DEPTH: usize = 80;

/// The whole document.
pub(super) fn json(tape: Tape<'_>) -> String {
    let mut json = String::new();
    value(&tape, Tape::ROOT, DEPTH, &mut json);
    json
}

/// The value at `at`; what is nested deeper than `depth` is left out.
pub(super) fn value(values: &impl Values, at: u32, depth: usize, json: &mut String) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match values.value(at) {
        None | Some(Value::Null) => json.push_str("null"),
        Some(Value::Bool(value)) => json.push_str(if value { "true" } else { "false" }),
        Some(Value::Number(Number::Int(value))) => json.push_str(itoa::Buffer::new().format(value)),
        Some(Value::Number(Number::Text(text))) => json.push_str(text),
        Some(Value::String(text)) => quote(text, json),
        Some(Value::List { end, .. }) => {
            let mut next = at.saturating_add(1);
            json.push('[');
            while next < end {
                value(values, next, depth, json);
                next = values.after(next);
                json.push_str(if next < end { "," } else { "" });
            }
            json.push(']');
        }
        Some(Value::Map { end, .. }) => {
            let mut key = at.saturating_add(1);
            json.push('{');
            while key < end {
                value(values, key, depth, json);
                json.push(':');
                value(values, key.saturating_add(1), depth, json);
                key = values.after(key.saturating_add(1));
                json.push_str(if key < end { "," } else { "" });
            }
            json.push('}');
        }
    }
}
