//! Diagnostics with the line they are about, a caret under the place and the help, for people who wrote the document.
//!
//! In: a diagnostic and the text it is about. Out: `name:line:column: severity: message`, exactly so on the first line,
//! then the excerpt. Tabs, wide and control characters, and cutting long lines are left to `annotate-snippets`.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};

/// Columns of a terminal; a longer line is cut around the caret.
const WIDTH: usize = 120;
/// A line longer than this, in bytes, is not shown: no person wrote it.
const LINE_BYTES: usize = 1 << 20;
/// What is cut off before the excerpt is laid out lies at least so many characters from the caret.
const AROUND: usize = 400;

/// The text that diagnostics are about, and what it is called.
pub struct Source<'t> {
    name: &'t str,
    lines: Vec<&'t str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// Colours for a terminal.
    Coloured,
}

impl<'t> Source<'t> {
    pub fn new(name: &'t str, text: &'t str) -> Self {
        // YAML 1.2.2 section 5.4.
        let lines = text.split("\r\n").flat_map(|lines| lines.split(['\r', '\n']));
        Self { name, lines: lines.collect() }
    }

    /// The diagnostic on one line or more, without the end of the last.
    pub fn render(&self, diagnostic: &Diagnostic, style: Style) -> String {
        let Diagnostic { severity, line, column, message, help, name } = diagnostic;
        let mut text = format!("{}:{line}:{column}: {}: {}", self.name, severity.name(), visible(message));
        if let Some(name) = name {
            // Writing to a string does not fail.
            let _ = write!(text, " [{name}]");
        }
        if let Some(excerpt) = self.excerpt(diagnostic, style) {
            let _ = write!(text, "\n{excerpt}");
        } else if let Some(help) = help {
            let _ = write!(text, "\n  = help: {}", visible(help));
        }
        text
    }

    fn excerpt(&self, diagnostic: &Diagnostic, style: Style) -> Option<String> {
        let line_number = usize::try_from(diagnostic.line).ok()?;
        let line = self.lines.get(line_number.checked_sub(1)?)?;
        if line.len() > LINE_BYTES || line.trim().is_empty() {
            return None;
        }
        let column = usize::try_from(diagnostic.column).ok()?.checked_sub(1)?;
        let (shown, span) = around(line, column);
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let snippet = Snippet::source(shown).line_start(line_number).annotation(AnnotationKind::Primary.span(span));
        let mut group = Group::with_level(level).element(snippet);
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(visible(help)));
        }
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        Some(renderer.term_width(WIDTH).render(&[group]).trim_end().to_owned())
    }
}

/// The part of the line near the column, and the bytes in it of what starts there.
fn around(line: &str, column: usize) -> (&str, Range<usize>) {
    let byte_of = |characters: usize| line.char_indices().nth(characters).map_or(line.len(), |(at, _)| at);
    let at = byte_of(column);
    let (before, rest) = line.split_at(at);
    let first = before.char_indices().rev().nth(AROUND).map_or(0, |(at, _)| at);
    let last = at + rest.char_indices().nth(AROUND).map_or(rest.len(), |(at, _)| at);
    let shown = line.get(first..last).unwrap_or(line);
    let start = at - first;
    (shown, start..(start + extent(rest)).min(shown.len()))
}

/// How many bytes of `rest` are the word, or the quoted text, that it starts with.
fn extent(rest: &str) -> usize {
    let mut characters = rest.char_indices();
    match characters.next() {
        None => 0,
        Some((_, quote @ ('"' | '\''))) => {
            characters.find(|(_, found)| *found == quote).map_or(rest.len(), |(at, found)| at + found.len_utf8())
        }
        Some((_, first)) => {
            let ends = |(at, found): &(usize, char)| {
                let after = &rest[at + found.len_utf8()..];
                let ends_key = *found == ':' && after.chars().next().is_none_or(char::is_whitespace);
                found.is_whitespace() || ends_key || matches!(found, ',' | '{' | '}' | '[' | ']' | '"')
            };
            match first {
                '{' | '}' | '[' | ']' | ',' | '|' | '>' => 1,
                _ => characters.find(ends).map_or(rest.len(), |(at, _)| at),
            }
        }
    }
}

/// Without characters that would drive a terminal.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for found in text.chars() {
        match found.is_control() {
            true => visible.extend(found.escape_unicode()),
            false => visible.push(found),
        }
    }
    visible
}

#[cfg(test)]
mod tests;
