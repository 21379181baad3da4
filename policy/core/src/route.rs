//! Canonical path -> the entries of all targets whose path matches.
//!
//! In: a policy and a canonical path. Out: each matching entry once, in no particular order; method, host and `who`
//! are still to be tested. One walk down the path trie, branching only where a wildcard is.

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{Entry, Node, PathKind, ROOT, Range};
use portcullis_bundle::limits::PATTERN_BYTES;

/// Calls `visit` for each entry that matches; `None` when the policy cannot be read.
pub(crate) fn matching<'p>(policy: &'p Policy, path: &[u8], visit: &mut impl FnMut(&'p Entry)) -> Option<()> {
    walk(policy, ROOT, after_slash(path), 0, visit)
}

/// Visits what matches from `at` on; `rest` is the path behind the next slash, `None` at the end of the path.
fn walk<'p>(
    policy: &'p Policy,
    mut at: u32,
    mut rest: Option<&[u8]>,
    depth: usize,
    visit: &mut impl FnMut(&'p Entry),
) -> Option<()> {
    // Each wildcard takes two bytes of a pattern and more; a deeper trie is no compiler's.
    if depth > PATTERN_BYTES / 2 {
        return None;
    }
    loop {
        let node = policy.node(at)?;
        visit_all(policy, node.under, visit)?;
        let Some(path) = rest else {
            return visit_all(policy, node.here, visit);
        };
        let (segment, after) = split(path);
        if !segment.is_empty() {
            visit_all(policy, node.tail, visit)?;
            if node.wildcard.get() != 0 {
                walk(policy, node.wildcard.get(), after, depth.saturating_add(1), visit)?;
            }
        }
        partial(policy, at, node, segment, visit)?;
        match policy.child(at, segment) {
            Some(child) => (at, rest) = (child, after),
            None => return Some(()),
        }
    }
}

/// Visits the targets that ask only for the beginning of `segment`.
fn partial<'p>(
    policy: &'p Policy,
    at: u32,
    node: &Node,
    segment: &[u8],
    visit: &mut impl FnMut(&'p Entry),
) -> Option<()> {
    if node.lengths.is_empty() {
        return Some(());
    }
    for length in policy.lengths(node.lengths)? {
        let Some(label) = segment.get(..length.get() as usize) else { break };
        if let Some(child) = policy.partial_child(at, label) {
            visit_all(policy, policy.node(child)?.under, visit)?;
        }
    }
    Some(())
}

#[inline]
fn visit_all<'p>(policy: &'p Policy, entries: Range, visit: &mut impl FnMut(&'p Entry)) -> Option<()> {
    if !entries.is_empty() {
        policy.entries(entries)?.iter().for_each(visit);
    }
    Some(())
}

fn after_slash(path: &[u8]) -> Option<&[u8]> {
    path.strip_prefix(b"/")
}

/// The first segment, and what is behind the slash after it.
#[inline]
fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|&byte| byte == b'/') {
        Some(slash) => {
            let (segment, rest) = path.split_at(slash);
            (segment, after_slash(rest))
        }
        None => (path, None),
    }
}

/// Whether one pattern matches, without the trie: for explanations.
pub(crate) fn pattern_matches(kind: PathKind, pattern: &[u8], path: &[u8]) -> bool {
    match kind {
        PathKind::Any => true,
        PathKind::Exact => path == pattern,
        PathKind::Prefix => path.starts_with(pattern),
        PathKind::Under if pattern == b"/" => true,
        PathKind::Under => path.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")),
        PathKind::Template => template_matches(after_slash(pattern), after_slash(path)),
    }
}

fn template_matches(pattern: Option<&[u8]>, path: Option<&[u8]>) -> bool {
    let (Some(pattern), Some(path)) = (pattern, path) else {
        return pattern.is_none() && path.is_none();
    };
    let ((expected, pattern), (segment, path)) = (split(pattern), split(path));
    match expected {
        [b'{', .., b'*', b'}'] => !segment.is_empty(),
        [b'{', ..] => !segment.is_empty() && template_matches(pattern, path),
        _ => expected == segment && template_matches(pattern, path),
    }
}
