//! The fields of an event, written as they come, as texts in which nothing is left that a terminal or a reader of lines
//! would act on.

use std::fmt::{self, Debug, Write};

use tracing::Event;
use tracing::field::{Field, Visit};

use crate::observe::logs::Format;

/// Writes the message of an event, or all but that.
pub struct Fields<'a, W> {
    out: &'a mut W,
    format: Format,
    part: Part,
    written: fmt::Result,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Message,
    Others,
}

const MESSAGE: &str = "message";

// === impl Fields ===

impl<'a, W: Write> Fields<'a, W> {
    pub fn write_message(event: &Event<'_>, format: Format, out: &'a mut W) -> fmt::Result {
        match event.fields().any(|field| field.name() == MESSAGE) {
            true => Self::write(event, format, Part::Message, out),
            false if format == Format::Json => out.write_str("\"\""),
            false => Ok(()),
        }
    }

    /// Each behind what separates it from the one before.
    pub fn write_others(event: &Event<'_>, format: Format, out: &'a mut W) -> fmt::Result {
        Self::write(event, format, Part::Others, out)
    }

    /// A field that is none of the event.
    pub fn write_text(name: &str, text: &str, format: Format, out: &'a mut W) -> fmt::Result {
        let mut fields = Self { out, format, part: Part::Others, written: Ok(()) };
        fields.text(name, text);
        fields.written
    }

    fn write(event: &Event<'_>, format: Format, part: Part, out: &'a mut W) -> fmt::Result {
        let mut fields = Self { out, format, part, written: Ok(()) };
        event.record(&mut fields);
        fields.written
    }

    fn text(&mut self, name: &str, text: &str) {
        let (is_message, format) = (name == MESSAGE, self.format);
        self.field(name, |out| match format {
            Format::Text if is_message => bare(text, out),
            Format::Text if is_plain(text) => out.write_str(text),
            Format::Text | Format::Json => quoted(text, out),
        });
    }

    /// A number or a truth value.
    fn plain(&mut self, field: &Field, value: impl fmt::Display) {
        self.field(field.name(), |out| write!(out, "{value}"));
    }

    fn field(&mut self, name: &str, value: impl FnOnce(&mut W) -> fmt::Result) {
        let is_wanted = (name == MESSAGE) == (self.part == Part::Message);
        if !is_wanted || self.written.is_err() {
            return;
        }
        let name = match (self.part, self.format) {
            (Part::Message, _) => Ok(()),
            (Part::Others, Format::Text) => write!(self.out, " {name}="),
            (Part::Others, Format::Json) => write!(self.out, ",\"{name}\":"),
        };
        self.written = name.and_then(|()| value(self.out));
    }
}

impl<W: Write> Visit for Fields<'_, W> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }
}

/// Whether a value ends with the next space without quotes around it.
fn is_plain(text: &str) -> bool {
    let is_plain = |letter: char| !letter.is_whitespace() && !is_dangerous(letter) && !"\"'\\=".contains(letter);
    !text.is_empty() && text.chars().all(is_plain)
}

/// A JSON string.
fn quoted(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    escaped(text, "\"\\", out)?;
    out.write_char('"')
}

/// The text itself, but for what is dangerous.
fn bare(text: &str, out: &mut impl Write) -> fmt::Result {
    escaped(text, "", out)
}

fn escaped(text: &str, backslashed: &str, out: &mut impl Write) -> fmt::Result {
    let is_special = |letter: char| is_dangerous(letter) || backslashed.contains(letter);
    let mut rest = text;
    while let Some((at, letter)) = rest.char_indices().find(|&(_, letter)| is_special(letter)) {
        let (plain, special) = rest.split_at(at);
        out.write_str(plain)?;
        match is_dangerous(letter) {
            // All of them are of 16 bits.
            true => write!(out, "\\u{:04x}", u32::from(letter))?,
            false => write!(out, "\\{letter}")?,
        }
        rest = &special[letter.len_utf8()..];
    }
    out.write_str(rest)
}

/// Controls, what ends a line (Unicode, UAX #14: BK, NL), and what changes the direction of writing (UAX #9).
fn is_dangerous(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, format: Format) -> String {
        let mut line = String::new();
        Fields::write_text("k", text, format, &mut line).unwrap();
        let name = if format == Format::Json { ",\"k\":" } else { " k=" };
        line.strip_prefix(name).unwrap().to_owned()
    }

    #[test]
    fn no_value_ends_its_line_or_its_quotes() {
        for (text, written) in [
            ("plain/value:1", "plain/value:1"),
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("a=b", r#""a=b""#),
            (r#"a"b\c"#, r#""a\"b\\c""#),
            ("a\r\nlevel=ERROR", r#""a\u000d\u000alevel=ERROR""#),
            ("\u{1b}[2J", r#""\u001b[2J""#),
            ("a\u{85}b\u{2028}c\u{202e}d", r#""a\u0085b\u2028c\u202ed""#),
            ("\u{e9}t\u{e9}", "\u{e9}t\u{e9}"),
        ] {
            assert_eq!(value(text, Format::Text), written);
            let json: String = serde_json::from_str(&value(text, Format::Json)).unwrap();
            assert_eq!(json, text);
        }
        let mut message = String::new();
        bare("two words \"x\"\n", &mut message).unwrap();
        assert_eq!(message, r#"two words "x"\u000a"#);
    }
}
