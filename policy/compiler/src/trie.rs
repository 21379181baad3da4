//! Path patterns -> one trie of segments, in the records of a bundle.
//!
//! In: patterns with the entries that ask for them. Out: nodes, edges, entries and lengths as `layout` describes.
//! A child is numbered after its parent, as the bundle's check demands.

use std::collections::BTreeMap;

use portcullis_bundle::Contents;
use portcullis_bundle::hash::hash;
use portcullis_bundle::layout::{Edge, Entry, Node, PARTIAL, PathKind, Range};
use zerocopy::FromZeros;
use zerocopy::little_endian::U32;

use crate::emit::{Overflow, Strings};
use crate::model::Pattern;

#[derive(Default)]
struct Branch {
    wildcard: u32,
    here: Vec<Entry>,
    under: Vec<Entry>,
    tail: Vec<Entry>,
    /// Byte lengths of the labels of partial edges.
    lengths: Vec<u32>,
}

pub(crate) struct Trie {
    branches: Vec<Branch>,
    /// Parent (with `PARTIAL` for the beginning of a segment) and label -> child.
    edges: BTreeMap<(u32, Vec<u8>), u32>,
}

impl Trie {
    pub(crate) fn new() -> Self {
        Self { branches: vec![Branch::default()], edges: BTreeMap::new() }
    }

    /// Adds an entry for the paths of `pattern`; no pattern is every path.
    pub(crate) fn insert(&mut self, pattern: Option<&Pattern>, entry: Entry) {
        let (kind, text) = pattern.map_or((PathKind::Any, "/"), |pattern| (pattern.kind, pattern.text.as_str()));
        let segments = text.split('/').skip(1);
        match kind {
            PathKind::Any => self.branches[0].under.push(entry),
            PathKind::Under if text == "/" => self.branches[0].under.push(entry),
            PathKind::Exact => {
                let at = segments.fold(0, |at, segment| self.child(at, segment));
                self.branches[at].here.push(entry);
            }
            PathKind::Under => {
                let at = segments.fold(0, |at, segment| self.child(at, segment));
                self.branches[at].under.push(entry);
            }
            PathKind::Prefix => {
                let (before, last) = text.rsplit_once('/').unwrap_or(("", text));
                let at = before.split('/').skip(1).fold(0, |at, segment| self.child(at, segment));
                let at = self.partial_child(at, last);
                self.branches[at].under.push(entry);
            }
            PathKind::Template => {
                let mut at = 0;
                for segment in segments {
                    if segment.ends_with("*}") {
                        self.branches[at].tail.push(entry);
                        return;
                    }
                    at = if segment.starts_with('{') { self.wildcard(at) } else { self.child(at, segment) };
                }
                self.branches[at].here.push(entry);
            }
        }
    }

    fn child(&mut self, at: usize, segment: &str) -> usize {
        self.edge(at as u32, segment)
    }

    fn partial_child(&mut self, at: usize, label: &str) -> usize {
        let length = label.len() as u32;
        if let Err(place) = self.branches[at].lengths.binary_search(&length) {
            self.branches[at].lengths.insert(place, length);
        }
        self.edge(at as u32 | PARTIAL, label)
    }

    fn edge(&mut self, seed: u32, label: &str) -> usize {
        let next = self.branches.len() as u32;
        let child = *self.edges.entry((seed, label.as_bytes().to_vec())).or_insert(next);
        if child == next {
            self.branches.push(Branch::default());
        }
        child as usize
    }

    fn wildcard(&mut self, at: usize) -> usize {
        if self.branches[at].wildcard == 0 {
            self.branches[at].wildcard = self.branches.len() as u32;
            self.branches.push(Branch::default());
        }
        self.branches[at].wildcard as usize
    }

    pub(crate) fn write(self, strings: &mut Strings, contents: &mut Contents) -> Result<(), Overflow> {
        if self.branches.len() >= PARTIAL as usize {
            return Err(Overflow);
        }
        for branch in self.branches {
            let node = Node {
                wildcard: U32::new(branch.wildcard),
                here: append(&mut contents.entries, branch.here)?,
                under: append(&mut contents.entries, branch.under)?,
                tail: append(&mut contents.entries, branch.tail)?,
                lengths: append(&mut contents.lengths, branch.lengths.into_iter().map(U32::new))?,
            };
            contents.nodes.push(node);
        }
        let mut edges = Vec::with_capacity(self.edges.len());
        for ((seed, label), child) in self.edges {
            let slot = hash(seed, &label);
            edges.push((slot, Edge { seed: U32::new(seed), child: U32::new(child), label: strings.intern(&label)? }));
        }
        contents.edges = table(edges, Edge::new_zeroed(), |edge| edge.child.get() == 0);
        Ok(())
    }
}

/// Adds records to a section and says where they went.
pub(crate) fn append<T>(section: &mut Vec<T>, records: impl IntoIterator<Item = T>) -> Result<Range, Overflow> {
    let start = section.len();
    section.extend(records);
    let number = |number: usize| u32::try_from(number).map(U32::new).map_err(|_| Overflow);
    Ok(Range { start: number(start)?, count: number(section.len() - start)? })
}

/// An open-addressing table, at most half full: each record goes to the first free slot from its hash on.
pub(crate) fn table<T: Copy>(records: Vec<(u32, T)>, free: T, is_free: impl Fn(&T) -> bool) -> Vec<T> {
    let slots = (records.len() * 2).next_power_of_two().max(2);
    let mut table = vec![free; slots];
    for (hash, record) in records {
        let mut slot = hash as usize & (slots - 1);
        while !is_free(&table[slot]) {
            slot = (slot + 1) & (slots - 1);
        }
        table[slot] = record;
    }
    table
}
