//! Values in the order of a text -> its tape.
//!
//! In: scalars, and where lists and maps begin and end. Out: the tree; or what is refused in every format: duplicate
//! keys, keys that are no texts, deep nesting.

use std::collections::HashSet;

use super::{Kind, MAX_DEPTH, Position, Record, Tree};
use crate::diagnostic::Diagnostic;

/// The keys of a map are compared one by one when they are no more.
const FEW_KEYS: usize = 8;

pub(super) struct Builder<'t> {
    tree: Tree<'t>,
    open: Vec<Open>,
}

/// A list or map whose end has not come yet.
struct Open {
    /// Its record.
    index: usize,
    is_map: bool,
    /// Values in it so far; those of a map are a key, its value, and so on.
    values: usize,
    /// The keys of a map that has more than a few.
    seen: HashSet<Box<str>>,
}

pub(super) struct Scalar<'s> {
    pub(super) text: Text<'s>,
    pub(super) plain: bool,
    /// It stands in one line of the source as it is read.
    pub(super) verbatim: bool,
}

pub(super) enum Text<'s> {
    Source {
        start: usize,
        bytes: usize,
    },
    /// It does not stand in the source so.
    Decoded(&'s str),
}

impl<'t> Builder<'t> {
    pub(super) fn new(source: &'t str) -> Self {
        Self { tree: Tree { source, decoded: String::new(), records: Vec::new() }, open: Vec::new() }
    }

    pub(super) fn begin_list(&mut self, at: Position) -> Result<(), Diagnostic> {
        self.begin(at, Kind::List)
    }

    pub(super) fn begin_map(&mut self, at: Position) -> Result<(), Diagnostic> {
        self.begin(at, Kind::Map)
    }

    /// The end of the list or map that was begun last.
    pub(super) fn end(&mut self) {
        let behind = self.tree.records.len();
        let Some(Open { index, is_map, values, .. }) = self.open.pop() else { return };
        if let Some(record) = self.tree.records.get_mut(index) {
            record.place = behind as u32;
            record.length = if is_map { values / 2 } else { values } as u32;
        }
    }

    pub(super) fn scalar(&mut self, at: Position, scalar: Scalar<'_>) -> Result<(), Diagnostic> {
        let Scalar { text, plain, verbatim } = scalar;
        let (place, length) = match text {
            Text::Source { start, bytes } => (start, bytes),
            Text::Decoded(text) => {
                let place = self.tree.source.len() + self.tree.decoded.len();
                self.tree.decoded.push_str(text);
                (place, text.len())
            }
        };
        let kind = if plain { Kind::Plain } else { Kind::Quoted };
        let mut record = Record { at, place: place as u32, length: length as u32, kind, verbatim };
        // YAML 1.2.2 section 10.3.2.
        if plain && matches!(self.tree.text(record), "" | "~" | "null" | "Null" | "NULL") {
            record.kind = Kind::Null;
        }
        self.push(record)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tree.records.is_empty()
    }

    pub(super) fn finish(self) -> Result<Tree<'t>, Diagnostic> {
        match self.is_empty() {
            true => Err(Diagnostic::error(Position::START, "document is empty")),
            false => Ok(self.tree),
        }
    }

    fn begin(&mut self, at: Position, kind: Kind) -> Result<(), Diagnostic> {
        if self.open.len() == MAX_DEPTH {
            return Err(Diagnostic::error(at, format!("nested deeper than the limit of {MAX_DEPTH}")));
        }
        let index = self.tree.records.len();
        self.push(Record { at, place: 0, length: 0, kind, verbatim: false })?;
        self.open.push(Open { index, is_map: kind == Kind::Map, values: 0, seen: HashSet::new() });
        Ok(())
    }

    fn push(&mut self, record: Record) -> Result<(), Diagnostic> {
        if let Some(open) = self.open.last_mut() {
            if open.is_map && open.values.is_multiple_of(2) {
                open.check_key(&self.tree, record)?;
            }
            open.values += 1;
        }
        self.tree.records.push(record);
        Ok(())
    }
}

impl Open {
    fn check_key(&mut self, tree: &Tree<'_>, key: Record) -> Result<(), Diagnostic> {
        if !matches!(key.kind, Kind::Plain | Kind::Quoted) {
            return Err(Diagnostic::error(key.at, "a key must be a text"));
        }
        let text = tree.text(key);
        let is_new = if self.values / 2 <= FEW_KEYS {
            self.keys(tree).all(|earlier| earlier != text)
        } else {
            if self.seen.is_empty() {
                self.seen = self.keys(tree).map(Box::from).collect();
            }
            self.seen.insert(text.into())
        };
        match is_new {
            true => Ok(()),
            false => Err(Diagnostic::error(key.at, format!("key `{text}` is here for the second time"))),
        }
    }

    /// The keys so far.
    fn keys<'n>(&self, tree: &'n Tree<'_>) -> impl Iterator<Item = &'n str> {
        let mut next = self.index + 1;
        (0..self.values / 2).filter_map(move |_| {
            let key = tree.records.get(next)?;
            next = tree.records.get(next + 1)?.end(next + 1);
            Some(tree.text(*key))
        })
    }
}
