//! Trees and texts written as JSON (RFC 8259), and the parts of it that its reader knows too.

pub(crate) use portcullis_core::json::is_number;
use portcullis_core::json::quote;

use crate::tree::{Node, Value};

/// The character of a surrogate pair (RFC 8259 section 7) at the start of `escapes`.
pub(crate) fn pair(escapes: &str) -> Option<char> {
    let mut characters = char::decode_utf16([unit(escapes)?, unit(escapes.get("\\uXXXX".len()..)?)?]);
    match (characters.next(), characters.next()) {
        (Some(Ok(character)), None) => Some(character),
        _ => None,
    }
}

/// The 16 bits of an escape `\uXXXX` at the start of `escapes`.
pub(crate) fn unit(escapes: &str) -> Option<u16> {
    let digits = escapes.strip_prefix("\\u")?.get(..4)?;
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

/// The tree as JSON (RFC 8259); the error is a scalar that YAML takes for a number and JSON does not know.
pub(crate) fn write(node: Node<'_>) -> Result<String, String> {
    let mut json = String::new();
    write_to(node, &mut json)?;
    Ok(json)
}

fn write_to(node: Node<'_>, json: &mut String) -> Result<(), String> {
    match node.value() {
        Value::Null => json.push_str("null"),
        Value::Scalar { text, plain: false } => json.push_str(&quoted(text)),
        Value::Scalar { text, plain: true } => match text {
            "true" | "True" | "TRUE" => json.push_str("true"),
            "false" | "False" | "FALSE" => json.push_str("false"),
            text if is_number(text) => json.push_str(text),
            text if is_number_in_yaml(text) => return Err(format!("`{text}` is not a number in JSON")),
            text => json.push_str(&quoted(text)),
        },
        Value::List(items) => {
            json.push('[');
            for (index, item) in items.enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                write_to(item, json)?;
            }
            json.push(']');
        }
        Value::Map(entries) => {
            json.push('{');
            for (index, (key, value)) in entries.enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                json.push_str(&quoted(key.text));
                json.push(':');
                write_to(value, json)?;
            }
            json.push('}');
        }
    }
    Ok(())
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    quote(text, &mut json);
    json
}

/// `["a","b"]`
pub(crate) fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(","))
}

/// Whether readers of JSON or YAML take the text for a number when it has no quotes.
pub(crate) fn looks_like_number(text: &str) -> bool {
    is_number(text) || is_number_in_yaml(text)
}

/// YAML 1.2.2 section 10.3.2, generously.
fn is_number_in_yaml(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && (unsigned.parse::<f64>().is_ok()
            || matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan")
            || unsigned.strip_prefix("0x").is_some_and(|digits| u64::from_str_radix(digits, 16).is_ok())
            || unsigned.strip_prefix("0o").is_some_and(|digits| u64::from_str_radix(digits, 8).is_ok()))
}
