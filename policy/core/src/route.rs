//! Where a request goes -> the entries of all targets that are there.
//!
//! In: a policy and a canonical path, or an action on a resource. Out: each matching entry, in no particular order;
//! what their guards ask is still to be tested. One walk down the trie, branching only where a wildcard is.

use portcullis_bundle::layout::{Cell, Entry, EntryKind};
use portcullis_bundle::limits::PATTERN_BYTES;
use portcullis_bundle::{Key, Records};

use crate::path::{Segment, Segments};

/// A walk; `visit` is called for each entry that matches.
struct Walk<'p, 'a, V> {
    records: Records<'p>,
    segments: Segments<'a>,
    visit: V,
}

/// Calls `visit` for each entry whose path matches; `None` when the policy cannot be read.
#[inline]
pub(crate) fn matching_path<'p>(records: Records<'p>, path: Segments<'_>, visit: impl FnMut(&'p Entry)) -> Option<()> {
    let root = records.http_root()?;
    Walk { records, segments: path, visit }.walk(root, 0, 0)
}

/// Calls `visit` for each entry whose action, type and id match.
pub(crate) fn matching_resource<'p>(
    records: Records<'p>,
    [action, kind]: [&[u8]; 2],
    id: Option<&[u8]>,
    visit: impl FnMut(&'p Entry),
) -> Option<()> {
    let whole = id.map(Segment::whole);
    let segments = Segments::new(id.unwrap_or_default(), whole.as_slice());
    let mut walk = Walk { records, segments, visit };
    let children =
        |at: &Cell, name: &[u8]| [records.child(at, &Key::new(name)), records.wildcard(at)].into_iter().flatten();
    for at_action in children(records.resource_root()?, action) {
        for at_kind in children(at_action, kind) {
            walk.walk(at_kind, 0, 0)?;
        }
    }
    Some(())
}

impl<'p, V: FnMut(&'p Entry)> Walk<'p, '_, V> {
    /// Visits what matches from `at` on; `next` is the segment behind it.
    fn walk(&mut self, mut at: &'p Cell, mut next: usize, depth: usize) -> Option<()> {
        // Each wildcard takes two bytes of a pattern and more; a deeper trie is no compiler's.
        if depth > PATTERN_BYTES / 2 {
            return None;
        }
        loop {
            let Some(segment) = self.segments.get(next) else {
                return self.visit_here(at);
            };
            next = next.wrapping_add(1);
            if at.passing != 0 || at.lengths.get() != 0 {
                self.visit_passing(at, segment.bytes())?;
            }
            if !segment.bytes().is_empty()
                && let Some(any) = self.records.wildcard(at)
            {
                self.walk(any, next, depth.wrapping_add(1))?;
            }
            match self.records.child(at, &segment) {
                Some(child) => at = child,
                None => return Some(()),
            }
        }
    }

    /// Visits what matches paths that end at `at`.
    #[inline]
    fn visit_here(&mut self, at: &'p Cell) -> Option<()> {
        for entry in self.records.entries(at)?.all {
            if entry.kind()? != EntryKind::Tail {
                (self.visit)(entry);
            }
        }
        Some(())
    }

    /// Visits what matches every path that goes on at `at` with `segment`.
    fn visit_passing(&mut self, at: &'p Cell, segment: &[u8]) -> Option<()> {
        for entry in self.records.entries(at)?.passing {
            if entry.kind()? == EntryKind::Under || !segment.is_empty() {
                (self.visit)(entry);
            }
        }
        // The targets that ask only for the beginning of the segment.
        for length in self.records.lengths(at)? {
            let Some(label) = segment.get(..length.get() as usize) else { break };
            if let Some(child) = self.records.partial(at, label) {
                self.records.entries(child)?.all.iter().for_each(&mut self.visit);
            }
        }
        Some(())
    }
}
