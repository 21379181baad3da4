//! Where a request goes -> the entries of all targets that are there.
//!
//! In: a policy and a canonical path, or an action on a resource. Out: each matching entry, in no particular order;
//! what their guards ask is still to be tested. One walk down the trie, branching only where a wildcard is. Never
//! allocates once the buffer has grown.

use portcullis_bundle::layout::{Entry, EntryKind};
use portcullis_bundle::{Key, Mark, Node, Records};

use crate::path::{Segment, Segments};

/// Ways behind wildcards that a walk has still to go: a node, and how many segments lead to it.
#[derive(Debug, Default)]
pub(crate) struct Branches(Vec<(Mark, usize)>);

/// Calls `visit` for each entry whose path matches; `None` when the policy cannot be read.
#[inline]
pub(crate) fn matching_path<'p>(
    records: &Records<'p>,
    path: Segments<'_>,
    branches: &mut Branches,
    visit: impl FnMut(&'p Entry),
) -> Option<()> {
    walk(records, records.http_root()?, path, branches, visit)
}

/// Calls `visit` for each entry whose action, type and id match.
pub(crate) fn matching_resource<'p>(
    records: &Records<'p>,
    [action, kind]: [&[u8]; 2],
    id: Option<&[u8]>,
    branches: &mut Branches,
    mut visit: impl FnMut(&'p Entry),
) -> Option<()> {
    let whole = id.map(Segment::whole);
    let segments = Segments::new(id.unwrap_or_default(), whole.as_slice());
    let child = |at, name| records.child(at, Key::new(name), || name);
    let children = |at, name| [child(at, name), records.wildcard(at)].into_iter().flatten();
    for at_action in children(records.resource_root()?, action) {
        for at_kind in children(at_action, kind) {
            walk(records, at_kind, segments, branches, &mut visit)?;
        }
    }
    Some(())
}

/// Visits what matches from `node` on.
#[inline]
fn walk<'p>(
    records: &Records<'p>,
    mut node: Node<'p>,
    segments: Segments<'_>,
    Branches(branches): &mut Branches,
    mut visit: impl FnMut(&'p Entry),
) -> Option<()> {
    branches.clear();
    let mut next: usize = 0;
    loop {
        match segments.get(next) {
            Some(segment) => {
                next = next.wrapping_add(1);
                if node.cell.passing != 0 || node.cell.lengths().is_some() {
                    visit_passing(records, node, segments.bytes(segment), &mut visit)?;
                }
                let key = segment.key();
                if !key.is_empty()
                    && let Some(any) = records.wildcard(node)
                {
                    branches.push((any.mark, next));
                }
                if let Some(child) = records.child(node, key, || segments.bytes(segment)) {
                    node = child;
                    continue;
                }
            }
            None => visit_here(records, node, &mut visit)?,
        }
        let Some((mark, behind)) = branches.pop() else { return Some(()) };
        (node, next) = (records.at(mark)?, behind);
    }
}

/// Visits what matches paths that end at `node`.
#[inline]
fn visit_here<'p>(records: &Records<'p>, node: Node<'p>, mut visit: impl FnMut(&'p Entry)) -> Option<()> {
    for entry in records.entries(node.cell)?.all {
        if entry.kind()? != EntryKind::Tail {
            visit(entry);
        }
    }
    Some(())
}

/// Visits what matches every path that goes on at `node` with `segment`.
#[cold]
fn visit_passing<'p>(
    records: &Records<'p>,
    node: Node<'p>,
    segment: &[u8],
    mut visit: impl FnMut(&'p Entry),
) -> Option<()> {
    for entry in records.entries(node.cell)?.passing {
        if entry.kind()? == EntryKind::Under || !segment.is_empty() {
            visit(entry);
        }
    }
    // The targets that ask only for the beginning of the segment.
    for length in records.lengths(node.cell)? {
        let Some(label) = segment.get(..length.get() as usize) else { break };
        if let Some(child) = records.partial(node, label) {
            records.entries(child.cell)?.all.iter().for_each(&mut visit);
        }
    }
    Some(())
}
