//! Text -> values that know where they stand.
//!
//! In: YAML 1.2 or JSON. Out: one document as a tape, each value followed by the values it holds; or the first place
//! where it is not one. Refused beside what YAML refuses: duplicate keys, aliases and tags (a policy reads the same to
//! every eye), a second document, nesting deeper than `MAX_DEPTH`.

mod builder;
mod json;
mod yaml;

use std::hash::{Hash, Hasher};

use crate::diagnostic::Diagnostic;

const MAX_DEPTH: usize = 32;
/// Longest text: what is in it, and what its escapes stand for, is counted in 32 bits.
const MAX_BYTES: usize = 1 << 30;

/// Where something starts in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// From 1.
    pub(crate) line: u32,
    /// In characters, from 1.
    pub(crate) column: u32,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

/// A document.
#[derive(Debug)]
pub(crate) struct Tree<'t> {
    /// What texts are taken from; empty when all of them are decoded.
    source: &'t str,
    /// Texts of scalars that do not stand in the source as they are read.
    decoded: String,
    /// At least one.
    records: Vec<Record>,
}

/// A value on the tape. What a list or map holds follows it; in a map that is a key, its value, and so on.
#[derive(Clone, Copy, Debug)]
struct Record {
    at: Position,
    /// Of a scalar: where its text starts in the source, or behind its end in `decoded`. Of a list or map: the record
    /// behind all that it holds.
    place: u32,
    /// Of a scalar: bytes of its text. Of a list or map: number of its items or entries.
    length: u32,
    kind: Kind,
    /// Of a scalar: its text stands in one line of the source as it is read.
    verbatim: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Null,
    /// A scalar without quotes.
    Plain,
    Quoted,
    List,
    Map,
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'n> {
    tree: &'n Tree<'n>,
    index: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Value<'n> {
    Null,
    /// A scalar; `plain` when it stands without quotes, so that it may be a number or a boolean.
    Scalar {
        text: &'n str,
        plain: bool,
    },
    List(Items<'n>),
    /// In document order, keys are unique.
    Map(Entries<'n>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'n> {
    pub(crate) at: Position,
    pub(crate) text: &'n str,
}

/// The items of a list; by default there are none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items<'n> {
    next: Option<Node<'n>>,
    left: u32,
}

/// The entries of a map; by default there are none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries<'n>(Items<'n>);

/// A value as what it says, wherever it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Same<'n>(pub(crate) Node<'n>);

pub(crate) fn parse(text: &str) -> Result<Tree<'_>, Diagnostic> {
    if text.len() > MAX_BYTES {
        let bytes = text.len();
        return Err(Diagnostic::error(Position::START, format!("text is {bytes} bytes, the limit is {MAX_BYTES}")));
    }
    json::parse(text).map_or_else(|| yaml::parse(text), Ok)
}

// === impl Tree ===

impl Tree<'_> {
    pub(crate) fn root(&self) -> Node<'_> {
        Node { tree: self, index: 0 }
    }

    fn text(&self, record: Record) -> &str {
        let start = record.place as usize;
        let (texts, start) = match start.checked_sub(self.source.len()) {
            Some(start) => (self.decoded.as_str(), start),
            None => (self.source, start),
        };
        texts.get(start..).and_then(|text| text.get(..record.length as usize)).unwrap_or_default()
    }
}

impl Record {
    /// The record behind the one at `index`, which is this, and behind all that it holds.
    fn end(self, index: usize) -> usize {
        match self.kind {
            Kind::Null | Kind::Plain | Kind::Quoted => index + 1,
            Kind::List | Kind::Map => self.place as usize,
        }
    }
}

// === impl Node ===

impl<'n> Node<'n> {
    fn record(self) -> Record {
        self.tree.records[self.index]
    }

    pub(crate) fn at(self) -> Position {
        self.record().at
    }

    /// Tells this value from all others of its document.
    pub(crate) fn number(self) -> usize {
        self.index
    }

    pub(crate) fn value(self) -> Value<'n> {
        let record = self.record();
        let items = || {
            let next = (record.length > 0).then_some(Self { index: self.index + 1, ..self });
            Items { next, left: record.length }
        };
        match record.kind {
            Kind::Null => Value::Null,
            Kind::Plain => Value::Scalar { text: self.tree.text(record), plain: true },
            Kind::Quoted => Value::Scalar { text: self.tree.text(record), plain: false },
            Kind::List => Value::List(items()),
            Kind::Map => Value::Map(Entries(items())),
        }
    }

    /// The value behind this one and all that it holds.
    fn behind(self) -> Self {
        Self { index: self.record().end(self.index), ..self }
    }

    /// This value and all that it holds.
    fn records(self) -> &'n [Record] {
        &self.tree.records[self.index..self.record().end(self.index)]
    }

    /// Where in the document the byte `offset` of this scalar stands. Where its text is not written as it is read
    /// (more than one line, escapes), that is where the scalar starts, with words that say how far behind.
    pub(crate) fn place(self, text: &str, offset: usize) -> (Position, String) {
        let Record { at, kind, verbatim, .. } = self.record();
        let before = text.get(..offset).unwrap_or(text);
        if !verbatim {
            let line = before.matches('\n').count().saturating_add(1);
            let column = before.chars().rev().take_while(|&c| c != '\n').count().saturating_add(1);
            return (at, format!(" (line {line}, column {column} of the text that starts here)"));
        }
        let quotes = u32::from(kind == Kind::Quoted);
        let skip = u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(quotes);
        (Position { column: at.column.saturating_add(skip), ..at }, String::new())
    }
}

// === impl Items ===

impl Items<'_> {
    pub(crate) fn len(&self) -> usize {
        self.left as usize
    }
}

impl<'n> Iterator for Items<'n> {
    type Item = Node<'n>;

    fn next(&mut self) -> Option<Node<'n>> {
        let node = self.next?;
        self.left = self.left.saturating_sub(1);
        self.next = (self.left > 0).then(|| node.behind());
        Some(node)
    }
}

// === impl Entries ===

impl<'n> Iterator for Entries<'n> {
    type Item = (Key<'n>, Node<'n>);

    fn next(&mut self) -> Option<Self::Item> {
        let Self(items) = self;
        let key = items.next?;
        let value = key.behind();
        items.left = items.left.saturating_sub(1);
        items.next = (items.left > 0).then(|| value.behind());
        let record = key.record();
        Some((Key { at: record.at, text: key.tree.text(record) }, value))
    }
}

// === impl Same ===

impl PartialEq for Same<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (Self(one), Self(other)) = (self, other);
        let (records, others) = (one.records(), other.records());
        let says_same = |(a, b): (&Record, &Record)| {
            let is_text = matches!(a.kind, Kind::Plain | Kind::Quoted);
            a.kind == b.kind && a.length == b.length && (!is_text || one.tree.text(*a) == other.tree.text(*b))
        };
        records.len() == others.len() && records.iter().zip(others).all(says_same)
    }
}

impl Eq for Same<'_> {}

impl Hash for Same<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self(node) = self;
        for record in node.records() {
            (record.kind, record.length).hash(state);
            if let Kind::Plain | Kind::Quoted = record.kind {
                state.write(node.tree.text(*record).as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests;
