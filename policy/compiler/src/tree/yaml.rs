//! YAML -> tree.
//!
//! JSON is YAML but for one thing: a character beyond 16 bits is two `\u` escapes in JSON, one `\U` in YAML. A text that
//! is JSON but for a mistake has them replaced, so that what is said is about the mistake. Only what stands behind such
//! a character on its line moves, by two columns.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::builder::{Builder, Scalar, Text};
use super::{Position, Tree};
use crate::diagnostic::Diagnostic;
use crate::json::pair;

pub(super) fn parse(text: &str) -> Result<Tree<'static>, Diagnostic> {
    let text = without_pairs(text);
    let mut builder = Builder::new("");
    let mut events = Parser::<StrInput<'_>>::new_from_str(&text);
    while let Some(event) = events.next_event() {
        let (event, span) = event.map_err(|error| {
            // The parser ends a last line that nothing ends, and then stands behind it.
            let at = Position::of(Span::empty(*error.marker())).min(Position::end(&text));
            Diagnostic::error(at, error.info())
        })?;
        let at = Position::of(span);
        match event {
            Event::DocumentStart(_) if !builder.is_empty() => {
                return Err(Diagnostic::error(at, "a second document starts here, one is expected"));
            }
            Event::Alias(_) => return Err(Diagnostic::error(at, "aliases are not supported")),
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                return Err(Diagnostic::error(at, "tags are not supported"));
            }
            Event::SequenceStart(..) => builder.begin_list(at)?,
            Event::MappingStart(..) => builder.begin_map(at)?,
            Event::SequenceEnd | Event::MappingEnd => builder.end(),
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                let written = text.chars().count() + if plain { 0 } else { "''".len() };
                let verbatim = columns(span) == Some(written);
                builder.scalar(at, Scalar { text: Text::Decoded(&text), plain, verbatim })?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
    }
    builder.finish()
}

impl Position {
    fn of(span: Span) -> Self {
        Self { line: number(span.start.line()), column: number(span.start.col()).saturating_add(1) }
    }

    /// Behind the last character.
    fn end(text: &str) -> Self {
        // YAML 1.2.2 section 5.4; `\r\n` is one break.
        let breaks = text.replace("\r\n", "\n").matches(['\n', '\r']).count();
        let last = text.rsplit(['\n', '\r']).next().unwrap_or_default();
        Self { line: number(breaks).saturating_add(1), column: number(last.chars().count()).saturating_add(1) }
    }
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// How many columns it takes; `None` when it spans lines.
fn columns(span: Span) -> Option<usize> {
    if span.start.line() == span.end.line() { span.end.col().checked_sub(span.start.col()) } else { None }
}

/// `text` without surrogate pairs, if it looks like a JSON object; unchanged otherwise.
fn without_pairs(text: &str) -> Cow<'_, str> {
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
