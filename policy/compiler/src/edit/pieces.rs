//! Text -> its values with the bytes that they take, from first to last character.
//!
//! In: a document that `tree` has read. Out: pieces; `None` for JSON with characters beyond 16 bits as escapes, which the
//! YAML parser does not read. What a value takes ends with the last text in it, before comments and line ends.

use saphyr_parser::{Event, Parser, Span, StrInput};

use super::Section;

#[derive(Debug)]
pub(super) struct Piece {
    /// Bytes.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar(String),
    List(Vec<Piece>),
    Map(Vec<(Piece, Piece)>),
}

impl Piece {
    pub(super) fn entry(&self, key: &str) -> Option<&(Piece, Piece)> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|(found, _)| found.text() == Some(key))
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// In brackets or braces.
    pub(super) fn is_flow(&self, text: &str) -> bool {
        !matches!(self.kind, Kind::Scalar(_)) && text.get(self.start..).is_some_and(|rest| rest.starts_with(['[', '{']))
    }

    /// The entries of a section with their names: the whole of each, and its value.
    pub(super) fn named(&self, section: Section) -> Vec<(String, (usize, usize), &Piece)> {
        match &self.kind {
            Kind::Map(entries) => {
                let entry = |(key, value): &'_ (Piece, Piece)| {
                    (key.text().unwrap_or_default().to_owned(), (key.start, value.end))
                };
                entries.iter().map(|pair| (entry(pair).0, entry(pair).1, &pair.1)).collect()
            }
            Kind::List(items) => {
                let name = |(at, item): (usize, &Piece)| {
                    let id = item.entry("id").and_then(|(_, id)| id.text()).map(str::to_owned);
                    id.unwrap_or_else(|| format!("{}[{at}]", section.key()))
                };
                items.iter().enumerate().map(|(at, item)| (name((at, item)), (item.start, item.end), item)).collect()
            }
            Kind::Scalar(_) => Vec::new(),
        }
    }
}

pub(super) fn read(text: &str) -> Option<Piece> {
    let offsets = Offsets::new(text);
    let mut events = Parser::<StrInput<'_>>::new_from_str(text);
    loop {
        match events.next_event()?.ok()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (event, span) => return value(&mut events, text, &offsets, event, span),
        }
    }
}

type Events<'t> = Parser<'t, StrInput<'t>>;

fn value<'t>(events: &mut Events<'t>, text: &str, offsets: &Offsets, event: Event<'t>, span: Span) -> Option<Piece> {
    let (start, end) = (offsets.byte(span.start.index())?, offsets.byte(span.end.index())?);
    let kind = match event {
        Event::Scalar(scalar, ..) => {
            let end = start + text.get(start..end)?.trim_end().len();
            return Some(Piece { start, end, kind: Kind::Scalar(scalar.into_owned()) });
        }
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            let close = loop {
                match events.next_event()?.ok()? {
                    (Event::SequenceEnd, span) => break offsets.byte(span.end.index())?,
                    (event, span) => items.push(value(events, text, offsets, event, span)?),
                }
            };
            return Some(closed(text, start, close, items.last().map(|item| item.end), Kind::List(items)));
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            let close = loop {
                match events.next_event()?.ok()? {
                    (Event::MappingEnd, span) => break offsets.byte(span.end.index())?,
                    (event, span) => {
                        let key = value(events, text, offsets, event, span)?;
                        let (event, span) = events.next_event()?.ok()?;
                        entries.push((key, value(events, text, offsets, event, span)?));
                    }
                }
            };
            (close, entries)
        }
        _ => return None,
    };
    let (close, entries) = kind;
    let last = entries.last().map(|(key, value)| value.end.max(key.end));
    Some(closed(text, start, close, last, Kind::Map(entries)))
}

/// In brackets it ends behind them, else with what it holds last.
fn closed(text: &str, start: usize, close: usize, last: Option<usize>, kind: Kind) -> Piece {
    let is_flow = text.get(start..).is_some_and(|rest| rest.starts_with(['[', '{']));
    let end = if is_flow { close } else { last.unwrap_or(close) };
    Piece { start, end, kind }
}

/// Of characters in bytes.
struct Offsets(Option<Vec<usize>>);

impl Offsets {
    fn new(text: &str) -> Self {
        let all = || text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        Self((!text.is_ascii()).then(all))
    }

    fn byte(&self, character: usize) -> Option<usize> {
        match &self.0 {
            None => Some(character),
            Some(offsets) => offsets.get(character).copied(),
        }
    }
}
