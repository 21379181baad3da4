//! Path patterns in a tree that finds the patterns which match whatever another one matches.
//!
//! In: patterns with the numbers of their items. Out: for a pattern, the sets of items whose patterns contain it; what
//! is found is certain, regular expressions are only compared as texts.

use std::collections::{BTreeSet, HashMap};

use super::sets::Set;
use crate::model::PathKind;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Path<'m> {
    Segments(Vec<Segment<'m>>, End<'m>),
    Regex(&'m str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Segment<'m> {
    Literal(&'m str),
    /// Any that is not empty.
    Wild,
}

/// What may come behind the segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End<'m> {
    Nothing,
    /// Nothing, or whatever continues with `/`.
    Under,
    /// A segment that begins so, and whatever continues it.
    Partial(&'m str),
    /// One or more segments, the first not empty.
    Rest,
}

impl<'m> Path<'m> {
    /// Patterns that match the same come out the same.
    pub(super) fn of(kind: PathKind, text: &'m str) -> Self {
        let literals = |text: &'m str| text.split('/').skip(1).map(Segment::Literal).collect();
        match kind {
            PathKind::Regex => Self::Regex(text),
            PathKind::Under | PathKind::Prefix if text == "/" => Self::Segments(Vec::new(), End::Under),
            PathKind::Exact => Self::Segments(literals(text), End::Nothing),
            PathKind::Under => Self::Segments(literals(text), End::Under),
            PathKind::Prefix => {
                let (before, last) = text.rsplit_once('/').unwrap_or(("", text));
                Self::Segments(literals(before), End::Partial(last))
            }
            PathKind::Template => {
                let mut segments: Vec<Segment<'_>> = literals(text);
                let mut end = End::Nothing;
                if matches!(segments.last(), Some(Segment::Literal(last)) if last.ends_with("*}")) {
                    segments.pop();
                    end = End::Rest;
                }
                for segment in &mut segments {
                    if matches!(segment, Segment::Literal(text) if text.starts_with('{')) {
                        *segment = Segment::Wild;
                    }
                }
                Self::Segments(segments, end)
            }
        }
    }
}

#[derive(Default)]
pub(super) struct Paths<'m> {
    branches: Vec<Branch<'m>>,
    regexes: HashMap<&'m str, Set>,
}

#[derive(Default)]
struct Branch<'m> {
    literals: HashMap<&'m str, usize>,
    wild: Option<usize>,
    nothing: Set,
    under: Set,
    rest: Set,
    partial: HashMap<&'m str, Set>,
    /// Lengths of the texts of `partial`.
    lengths: BTreeSet<usize>,
}

impl<'m> Paths<'m> {
    pub(super) fn new() -> Self {
        Self { branches: vec![Branch::default()], regexes: HashMap::new() }
    }

    /// The set of the items with this pattern.
    pub(super) fn set(&mut self, path: &Path<'m>) -> &mut Set {
        match path {
            Path::Regex(text) => self.regexes.entry(text).or_default(),
            Path::Segments(segments, end) => {
                let at = segments.iter().fold(0, |at, segment| self.child(at, *segment));
                let branch = &mut self.branches[at];
                match end {
                    End::Nothing => &mut branch.nothing,
                    End::Under => &mut branch.under,
                    End::Rest => &mut branch.rest,
                    End::Partial(text) => {
                        branch.lengths.insert(text.len());
                        branch.partial.entry(text).or_default()
                    }
                }
            }
        }
    }

    fn child(&mut self, at: usize, segment: Segment<'m>) -> usize {
        let next = self.branches.len();
        let child = match segment {
            Segment::Literal(text) => *self.branches[at].literals.entry(text).or_insert(next),
            Segment::Wild => *self.branches[at].wild.get_or_insert(next),
        };
        if child == next {
            self.branches.push(Branch::default());
        }
        child
    }

    /// The sets of the patterns that contain `path`; at most `most` places of the tree are looked at.
    pub(super) fn containing(&self, path: &Path<'m>, most: usize) -> Vec<&Set> {
        let mut found = Vec::new();
        match path {
            Path::Regex(text) => {
                found.push(&self.branches[0].under);
                found.extend(self.regexes.get(text));
            }
            Path::Segments(segments, end) => {
                let mut open: Vec<(usize, &[Segment<'m>])> = vec![(0, segments)];
                for _ in 0..most {
                    let Some((at, left)) = open.pop() else { break };
                    let branch = &self.branches[at];
                    branch.containing(left, *end, &mut found);
                    if let Some((first, left)) = left.split_first() {
                        let literal = match first {
                            Segment::Literal(text) => branch.literals.get(text).copied(),
                            Segment::Wild => None,
                        };
                        let wild = branch.wild.filter(|_| *first != Segment::Literal(""));
                        open.extend(literal.into_iter().chain(wild).map(|child| (child, left)));
                    }
                }
            }
        }
        found.retain(|set| !set.is_empty());
        found
    }
}

impl<'m> Branch<'m> {
    /// The sets here whose patterns contain what has `left` and `end` still to come.
    fn containing<'s>(&'s self, left: &[Segment<'m>], end: End<'m>, found: &mut Vec<&'s Set>) {
        found.push(&self.under);
        let next = match (left.first(), end) {
            (Some(Segment::Literal(text)), _) => Some(*text),
            // Whatever begins the next segment, the empty text begins it too.
            (Some(Segment::Wild), _) | (None, End::Rest) => Some(""),
            (None, End::Partial(text)) => Some(text),
            (None, End::Nothing | End::Under) => None,
        };
        let has_segment = match (left.first(), end) {
            (Some(segment), _) => *segment != Segment::Literal(""),
            (None, End::Rest) => true,
            (None, End::Partial(text)) => !text.is_empty(),
            (None, End::Nothing | End::Under) => false,
        };
        if has_segment {
            found.push(&self.rest);
        }
        if let Some(next) = next {
            let texts = self.lengths.iter().filter_map(|length| next.get(..*length));
            found.extend(texts.filter_map(|text| self.partial.get(text)));
        }
        if left.is_empty() && end == End::Nothing {
            found.push(&self.nothing);
        }
    }
}
