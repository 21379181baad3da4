//! The fields of an event, as texts in which nothing is left that a terminal or a reader of lines would act on.

use std::fmt::{Debug, Write as _};

use tracing::Event;
use tracing::field::{Field, Visit};

#[derive(Default)]
pub struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

pub enum Value {
    Text(String),
    /// A number or a truth value.
    Plain(String),
}

// === impl Fields ===

impl Fields {
    pub fn of(event: &Event<'_>) -> Self {
        let mut fields = Self::default();
        event.record(&mut fields);
        fields
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn others(&self) -> &[(&'static str, Value)] {
        &self.others
    }

    pub fn add_text(&mut self, name: &'static str, text: impl Into<String>) {
        self.others.push((name, Value::Text(text.into())));
    }

    fn add_plain(&mut self, field: &Field, value: impl ToString) {
        self.others.push((field.name(), Value::Plain(value.to_string())));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "message" => self.message = text,
            name => self.add_text(name, text),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.add_text(name, value),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add_plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add_plain(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add_plain(field, value);
    }
}

// === impl Value ===

impl Value {
    pub fn as_json(&self) -> String {
        match self {
            Self::Text(text) => quote(text),
            Self::Plain(text) => text.clone(),
        }
    }

    /// In quotes where it would not end with the next space.
    pub fn as_text(&self) -> String {
        let is_plain = |letter: char| !letter.is_whitespace() && !is_dangerous(letter) && !"\"'\\=".contains(letter);
        match self {
            Self::Text(text) if !text.is_empty() && text.chars().all(is_plain) => text.clone(),
            Self::Text(text) => quote(text),
            Self::Plain(text) => text.clone(),
        }
    }
}

/// A JSON string.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", escaped(text, "\"\\"))
}

/// The text itself, but for what is dangerous.
pub fn bare(text: &str) -> String {
    escaped(text, "")
}

fn escaped(text: &str, backslashed: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_dangerous(letter) {
            // All of them are of 16 bits.
            let _ = write!(escaped, "\\u{:04x}", u32::from(letter));
        } else {
            if backslashed.contains(letter) {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
    }
    escaped
}

/// Controls, what ends a line (Unicode, UAX #14: BK, NL), and what changes the direction of writing (UAX #9).
fn is_dangerous(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_its_line_or_its_quotes() {
        for (value, text) in [
            ("plain/value:1", "plain/value:1"),
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("a=b", r#""a=b""#),
            (r#"a"b\c"#, r#""a\"b\\c""#),
            ("a\r\nlevel=ERROR", r#""a\u000d\u000alevel=ERROR""#),
            ("\u{1b}[2J", r#""\u001b[2J""#),
            ("a\u{85}b\u{2028}c\u{202e}d", r#""a\u0085b\u2028c\u202ed""#),
        ] {
            assert_eq!(Value::Text(value.to_owned()).as_text(), text);
            let json: String = serde_json::from_str(&Value::Text(value.to_owned()).as_json()).unwrap();
            assert_eq!(json, value);
        }
        assert_eq!(bare("two words \"x\"\n"), r#"two words "x"\u000a"#);
    }
}
