//! Text -> tree of values that know where they stand.
//!
//! In: YAML 1.2, of which JSON is a part. Out: one document, or the first place where it is not one.
//! Refused beside what YAML refuses: duplicate keys, aliases and tags (a policy reads the same to every eye),
//! a second document, nesting deeper than `MAX_DEPTH`.

use std::borrow::Cow;
use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use crate::diagnostic::Diagnostic;

const MAX_DEPTH: usize = 32;

/// Where something starts in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// From 1.
    pub(crate) line: u32,
    /// In characters, from 1.
    pub(crate) column: u32,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    fn of(span: Span) -> Self {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: number(span.start.line()), column: number(span.start.col()).saturating_add(1) }
    }
}

#[derive(Debug)]
pub(crate) struct Node<'t> {
    pub(crate) at: Position,
    /// How many columns it takes; `None` when it spans lines.
    columns: Option<usize>,
    pub(crate) value: Value<'t>,
}

#[derive(Debug)]
pub(crate) enum Value<'t> {
    Null,
    /// A scalar; `plain` when it stands without quotes, so that it may be a number or a boolean.
    Scalar {
        text: Cow<'t, str>,
        plain: bool,
    },
    List(Vec<Node<'t>>),
    /// In document order, keys are unique.
    Map(Vec<(Key<'t>, Node<'t>)>),
}

#[derive(Debug)]
pub(crate) struct Key<'t> {
    pub(crate) at: Position,
    pub(crate) text: Cow<'t, str>,
}

impl Node<'_> {
    /// Where in the document the byte `offset` of this scalar stands. Where its text is not written as it is read
    /// (more than one line, escapes), that is where the scalar starts, with words that say how far behind.
    pub(crate) fn place(&self, text: &str, offset: usize) -> (Position, String) {
        let before = text.get(..offset).unwrap_or(text);
        let (plain, quoted) = (text.chars().count(), text.chars().count().saturating_add(2));
        let quotes = match self.columns {
            Some(columns) if columns == plain => 0,
            Some(columns) if columns == quoted => 1,
            _ => {
                let line = before.matches('\n').count().saturating_add(1);
                let column = before.chars().rev().take_while(|&c| c != '\n').count().saturating_add(1);
                return (self.at, format!(" (line {line}, column {column} of the text that starts here)"));
            }
        };
        let skip = u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(quotes);
        (Position { column: self.at.column.saturating_add(skip), ..self.at }, String::new())
    }
}

/// A list or map whose end has not come yet.
enum Open<'t> {
    List(Position, Vec<Node<'t>>),
    Map(Position, Vec<(Key<'t>, Node<'t>)>, HashSet<Cow<'t, str>>, Option<Key<'t>>),
}

pub(crate) fn parse(text: &str) -> Result<Node<'_>, Diagnostic> {
    let mut events = Parser::<StrInput<'_>>::new_from_str(text);
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut root = None;
    while let Some(event) = events.next_event() {
        let (event, span) = event.map_err(|error| {
            let at = Position::of(Span::empty(*error.marker()));
            Diagnostic::error(at, error.info())
        })?;
        let at = Position::of(span);
        let node = match event {
            Event::DocumentStart(_) if root.is_some() => {
                return Err(Diagnostic::error(at, "a second document starts here, one is expected"));
            }
            Event::Alias(_) => return Err(Diagnostic::error(at, "aliases are not supported")),
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                return Err(Diagnostic::error(at, "tags are not supported"));
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == MAX_DEPTH => {
                return Err(Diagnostic::error(at, format!("nested deeper than the limit of {MAX_DEPTH}")));
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(at, Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(at, Vec::new(), HashSet::new(), None));
                continue;
            }
            Event::Scalar(text, style, ..) => Node { at, columns: columns(span), value: scalar(text, style) },
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(at, items)) => Node { at, columns: None, value: Value::List(items) },
                Some(Open::Map(at, entries, ..)) => Node { at, columns: None, value: Value::Map(entries) },
                None => continue,
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                continue;
            }
        };
        match open.last_mut() {
            None => root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, seen, key)) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(as_key(node, seen)?),
            },
        }
    }
    root.ok_or_else(|| Diagnostic::error(Position::START, "document is empty"))
}

fn columns(span: Span) -> Option<usize> {
    if span.start.line() == span.end.line() { span.end.col().checked_sub(span.start.col()) } else { None }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value<'_> {
    let plain = style == ScalarStyle::Plain;
    // YAML 1.2.2 section 10.3.2.
    if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Scalar { text, plain }
}

fn as_key<'t>(node: Node<'t>, seen: &mut HashSet<Cow<'t, str>>) -> Result<Key<'t>, Diagnostic> {
    let Node { at, value: Value::Scalar { text, .. }, .. } = node else {
        return Err(Diagnostic::error(node.at, "a key must be a text"));
    };
    if !seen.insert(text.clone()) {
        return Err(Diagnostic::error(at, format!("key `{text}` is here for the second time")));
    }
    Ok(Key { at, text })
}
