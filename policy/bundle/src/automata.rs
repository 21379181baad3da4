//! Automata of a bundle: serialized when compiled, read once when the bundle is opened.
//!
//! In: ranges of the blobs section, each a sparse DFA in little-endian form (a big-endian machine refuses it). Out:
//! automata that own their bytes. What does not read as an automaton makes the bundle malformed.

use regex_automata::dfa::StartKind;
use regex_automata::dfa::sparse::DFA;

use crate::layout::{Range, Text};
use crate::limits::AUTOMATA_BYTES;
use crate::open::OpenError;
use crate::records::{Records, slice};

/// A search in time linear in its input.
pub type Automaton = DFA<Vec<u8>>;

const MALFORMED: OpenError = OpenError::Malformed { section: "automata" };

/// The automata of `records`, in order.
pub(crate) fn read(records: &Records<'_>) -> Result<Vec<Automaton>, OpenError> {
    let total =
        records.automata.iter().try_fold(0, |total: usize, range| total.checked_add(range.bytes.get() as usize));
    if total.is_none_or(|total| total > AUTOMATA_BYTES) {
        return Err(MALFORMED);
    }
    records.automata.iter().map(|&range| one(records, range).ok_or(MALFORMED)).collect()
}

fn one(records: &Records<'_>, range: Text) -> Option<Automaton> {
    let serialized = slice(records.blobs, Range { start: range.offset, count: range.bytes })?;
    let (automaton, taken) = DFA::from_bytes(serialized).ok()?;
    // One that can only begin at the start of a text would fail when it is asked, not when the bundle is opened.
    let is_usable = taken == serialized.len() && automaton.start_kind() != StartKind::Anchored;
    is_usable.then(|| automaton.to_owned())
}
