//! JSON read as YAML, and trees and texts written as JSON.
//!
//! JSON is YAML but for one thing: a character beyond 16 bits is two `\u` escapes in JSON, one `\U` in YAML. Only what
//! stands behind such a character on its line moves, by two columns.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::tree::{Node, Value};

/// `text` as YAML, if it looks like a JSON object; unchanged otherwise.
pub(crate) fn as_yaml(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('{') || !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let mut yaml = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        yaml.push_str(before);
        let taken = match pair(escape) {
            Some(character) => {
                yaml.push_str(&format!("\\U{:08X}", u32::from(character)));
                "\\uXXXX\\uXXXX".len()
            }
            None => {
                // The escape and the character after it, which may be another backslash.
                let taken = escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end);
                yaml.push_str(&escape[..taken]);
                taken
            }
        };
        rest = &escape[taken..];
    }
    yaml.push_str(rest);
    Cow::Owned(yaml)
}

/// The character of a surrogate pair (RFC 8259 section 7) at the start of `escape`.
fn pair(escape: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut characters = char::decode_utf16([unit(0)?, unit(6)?]);
    match (characters.next(), characters.next()) {
        (Some(Ok(character)), None) => Some(character),
        _ => None,
    }
}

/// The tree as JSON (RFC 8259); the error is a scalar that YAML takes for a number and JSON does not know.
pub(crate) fn write(node: &Node<'_>) -> Result<String, String> {
    let mut json = String::new();
    write_to(node, &mut json)?;
    Ok(json)
}

fn write_to(node: &Node<'_>, json: &mut String) -> Result<(), String> {
    match &node.value {
        Value::Null => json.push_str("null"),
        Value::Scalar { text, plain: false } => json.push_str(&quoted(text)),
        Value::Scalar { text, plain: true } => match &**text {
            "true" | "True" | "TRUE" => json.push_str("true"),
            "false" | "False" | "FALSE" => json.push_str("false"),
            text if is_number(text) => json.push_str(text),
            text if is_number_in_yaml(text) => return Err(format!("`{text}` is not a number in JSON")),
            text => json.push_str(&quoted(text)),
        },
        Value::List(items) => {
            json.push('[');
            for (index, item) in items.iter().enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                write_to(item, json)?;
            }
            json.push(']');
        }
        Value::Map(entries) => {
            json.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                json.push_str(&quoted(&key.text));
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
    json.push('"');
    for found in text.chars() {
        match found {
            '"' | '\\' => json.extend(['\\', found]),
            '\n' => json.push_str("\\n"),
            '\0'..='\x1F' => {
                // Writing to a string does not fail.
                let _ = write!(json, "\\u{:04x}", u32::from(found));
            }
            _ => json.push(found),
        }
    }
    json.push('"');
    json
}

/// `["a","b"]`
pub(crate) fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(","))
}

/// RFC 8259 section 6.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(are_digits)
        && exponent.is_none_or(are_digits)
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
