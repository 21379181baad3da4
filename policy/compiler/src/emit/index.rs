//! Paths and resources -> one trie, in the records of a bundle.
//!
//! In: patterns with the rules that ask for them. Out: entries and lengths, and the nodes for the table.

use std::collections::{BTreeMap, HashMap};

use portcullis_bundle::layout::{Cell, Entry, EntryKind, Label, MANY, NONE, seeds};
use portcullis_bundle::{Contents, HTTP_ROOT, Key, RESOURCE_ROOT, after_wildcard, child_bit, start};
use zerocopy::little_endian::{U16, U32, U64};

use super::{Overflow, TableEntry, number};
use crate::model::{Name, PathKind, Pattern, ResourceId, ResourceTarget};

/// A cell that holds nothing.
pub(super) const FREE: Cell = Cell {
    seed: U32::new(seeds::FREE),
    label: Label { head: U64::ZERO, tail: U32::ZERO },
    id: U32::ZERO,
    entry: Entry { rule: U32::ZERO, guard: U32::ZERO },
    count: 0,
    passing: 0,
    children: U16::ZERO,
};

/// Numbers of the two roots, the first nodes.
const HTTP: u32 = 0;
const RESOURCE: u32 = 1;

pub(super) struct Index<'m> {
    /// Parent (with `WILDCARD` or `PARTIAL`) and name -> child.
    children: HashMap<(u32, &'m str), u32>,
    /// The same by child, from the first node that is no root on.
    edges: Vec<(u32, &'m str)>,
    /// Node, whether only for paths that end there, and the entry.
    entries: Vec<(u32, bool, Entry)>,
}

impl Default for Index<'_> {
    fn default() -> Self {
        // In the order of their numbers.
        let roots = ["http", "resource"].map(|name| (seeds::ROOT, name));
        Self { children: HashMap::new(), edges: roots.to_vec(), entries: Vec::new() }
    }
}

impl<'m> Index<'m> {
    /// Adds a rule or target for the paths of `pattern`; no pattern is every path.
    pub(super) fn add_path(&mut self, pattern: Option<&'m Pattern>, rule: u32, guard: u32) {
        let root = HTTP;
        let Some(Pattern { kind, text }) = pattern else { return self.add(root, EntryKind::Under, rule, guard) };
        let text = &**text;
        let segments = text.split('/').skip(1);
        match kind {
            // These lie in automata.
            PathKind::Regex => {}
            PathKind::Under if text == "/" => self.add(root, EntryKind::Under, rule, guard),
            PathKind::Exact | PathKind::Under => {
                let at = segments.fold(root, |at, segment| self.child(at, segment));
                let kind = if *kind == PathKind::Exact { EntryKind::Here } else { EntryKind::Under };
                self.add(at, kind, rule, guard);
            }
            PathKind::Prefix => {
                let (before, last) = text.rsplit_once('/').unwrap_or(("", text));
                let at = before.split('/').skip(1).fold(root, |at, segment| self.child(at, segment));
                let at = self.child(at | seeds::PARTIAL, last);
                self.add(at, EntryKind::Under, rule, guard);
            }
            PathKind::Template => {
                let mut at = root;
                let mut ends = EntryKind::Here;
                for segment in segments {
                    at = match segment.as_bytes() {
                        [b'{', .., b'*', b'}'] => {
                            ends = EntryKind::Tail;
                            break;
                        }
                        [b'{', ..] => self.child(at | seeds::WILDCARD, ""),
                        _ => self.child(at, segment),
                    };
                }
                self.add(at, ends, rule, guard);
            }
        }
    }

    pub(super) fn add_resource(&mut self, target: &'m ResourceTarget, rule: u32, guard: u32) {
        for action in &target.actions {
            let at = self.name(RESOURCE, action);
            for kind in &target.kinds {
                let at = self.name(at, kind);
                if target.ids.is_empty() {
                    self.add(at, EntryKind::Under, rule, guard);
                }
                for id in &target.ids {
                    let (at, kind) = match id {
                        ResourceId::Exact(id) => (self.child(at, id), EntryKind::Here),
                        ResourceId::Prefix(id) => (self.child(at | seeds::PARTIAL, id), EntryKind::Under),
                    };
                    self.add(at, kind, rule, guard);
                }
            }
        }
    }

    fn add(&mut self, at: u32, kind: EntryKind, rule: u32, guard: u32) {
        self.entries.push((at, kind == EntryKind::Here, Entry::new(rule, guard, kind)));
    }

    fn name(&mut self, at: u32, name: &'m Name) -> u32 {
        match name {
            Name::Any => self.child(at | seeds::WILDCARD, ""),
            Name::Exact(name) => self.child(at, name),
        }
    }

    fn child(&mut self, seed: u32, name: &'m str) -> u32 {
        let next = self.edges.len() as u32;
        let child = *self.children.entry((seed, name)).or_insert(next);
        if child == next {
            self.edges.push((seed, name));
        }
        child
    }

    /// The nodes, the two roots first.
    pub(super) fn write(mut self, contents: &mut Contents) -> Result<Vec<TableEntry<'m>>, Overflow> {
        if self.edges.len() >= seeds::NODES as usize {
            return Err(Overflow);
        }
        drop(self.children);
        let mut lengths: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut table: Vec<TableEntry<'m>> = Vec::with_capacity(self.edges.len());
        let mut roots = [HTTP_ROOT, RESOURCE_ROOT].into_iter();
        for &(seed, name) in &self.edges {
            let mut node = TableEntry::name(seed, name, NONE);
            node.hash = match roots.next() {
                Some(root) => root,
                None => hash_below(&mut table, &mut lengths, seed, name),
            };
            table.push(node);
        }
        for (node, mut lengths) in lengths {
            lengths.sort_unstable();
            lengths.dedup();
            if let Some(node) = table.get_mut(node as usize) {
                node.cell.entry.guard = number(contents.lengths.len() + 1)?;
            }
            contents.lengths.push(number(lengths.len())?);
            contents.lengths.extend(lengths.into_iter().map(U32::new));
        }
        // Entries for paths that go on come first; rules stay in document order.
        self.entries.sort_by_key(|(node, ends, _)| (*node, *ends));
        for run in self.entries.chunk_by(|(a, ..), (b, ..)| a == b) {
            let Some((node, _, first)) = run.first() else { continue };
            let passing = run.iter().take_while(|(_, ends, _)| !ends).count();
            let Some(TableEntry { cell, .. }) = table.get_mut(*node as usize) else { continue };
            let is_inline = run.len() == 1 && cell.entry.guard.get() == 0;
            cell.count =
                if is_inline { 1 } else { u8::try_from(run.len()).ok().filter(|&count| count > 1).unwrap_or(MANY) };
            cell.passing = u8::try_from(passing).unwrap_or(MANY);
            if is_inline {
                cell.entry = *first;
                continue;
            }
            cell.entry.rule = number(contents.entries.len())?;
            if cell.count == MANY {
                contents.entries.push(Entry { rule: number(run.len())?, guard: number(passing)? });
            }
            contents.entries.extend(run.iter().map(|(_, _, entry)| *entry));
        }
        Ok(table)
    }
}

/// The hash of the way to a child, which its parent and `lengths` take note of.
fn hash_below(table: &mut [TableEntry<'_>], lengths: &mut BTreeMap<u32, Vec<u32>>, seed: u32, name: &str) -> u64 {
    let number = seed & (seeds::NODES - 1);
    // A child comes after its parent.
    let Some(parent) = table.get_mut(number as usize) else { return 0 };
    let key = Key::new(name.as_bytes());
    match seed & !(seeds::NODES - 1) {
        seeds::WILDCARD => after_wildcard(parent.hash),
        seeds::PARTIAL => {
            lengths.entry(number).or_default().push(name.len() as u32);
            key.hash(parent.hash ^ start(seeds::PARTIAL))
        }
        _segment => {
            let hash = key.hash(parent.hash);
            parent.cell.children |= U16::new(child_bit(hash));
            hash
        }
    }
}
