//! The violations of one validation, by numbers: what they say is put into words at the end.
//!
//! In: violations in the order in which they are found. Out: the first `VIOLATIONS` of them in document order.

use portcullis_bundle::limits::VIOLATIONS;

use super::keyword::Keyword;

/// A violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Place on the tape of what is wrong.
    pub(super) at: u32,
    pub(super) keyword: Keyword,
    /// The node that says so.
    pub(super) node: u32,
    /// The node whose notes count, or `NONE`.
    pub(super) noted: u32,
    /// The check of `node`, or `NONE`.
    pub(super) check: u32,
    /// Number of the property that is missing, or `NONE`.
    pub(super) property: u32,
    /// What the limit of the check was compared with.
    pub(super) actual: u32,
    pub(super) second: u32,
}

#[derive(Debug, Default)]
pub(super) struct Violations {
    found: Vec<Found>,
    more: bool,
}

impl Violations {
    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.more = false;
    }

    pub(super) fn found(&self) -> &[Found] {
        &self.found
    }

    /// Whether there are more than are listed.
    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    /// Adds a violation behind those at the same place; one that is here already stays one.
    pub(super) fn add(&mut self, found: Found) {
        let place = self.found.partition_point(|earlier| earlier.at <= found.at);
        let same_place = self.found.get(..place).unwrap_or_default().iter().rev();
        if same_place.take_while(|earlier| earlier.at == found.at).any(|earlier| *earlier == found) {
            return;
        }
        if self.found.len() >= VIOLATIONS {
            self.more = true;
            if place >= VIOLATIONS {
                return;
            }
            self.found.pop();
        }
        self.found.insert(place, found);
    }
}
