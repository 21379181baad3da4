//! A small automaton -> the table of `portcullis_bundle::PatternTable`.
//!
//! In: the automaton of one pattern. Out: the rows that a text can reach, equal columns written once; nothing when they
//! are more than fit. A state in which a match has ended needs no row, nor does one from which there is none.

use std::collections::BTreeMap;

use portcullis_bundle::{COLUMNS, FAILED, FOUND, PatternTable};
use regex_automata::Input;
use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::primitives::StateID;

/// Longest table; a larger automaton stays one.
const TABLE_BYTES: u32 = 4096;

#[derive(Debug)]
pub(crate) struct Table {
    /// Rows and columns.
    pub(crate) sizes: [u8; 2],
    pub(crate) bytes: Vec<u8>,
}

impl Table {
    pub(super) fn new(dense: &dense::DFA<Vec<u32>>) -> Option<Self> {
        let rows = rows(dense)?;
        let mut numbers = BTreeMap::new();
        let mut bytes = Vec::new();
        for byte in 0..COLUMNS {
            let column: Vec<u8> = rows.iter().map(|row| row[byte]).collect();
            let number = numbers.len();
            bytes.push(u8::try_from(*numbers.entry(column).or_insert(number)).ok()?);
        }
        let columns = numbers.len();
        let sizes = [u8::try_from(rows.len()).ok()?, u8::try_from(columns + 1).ok()?];
        for row in &rows {
            let of_column = |column: usize| bytes.iter().position(|&number| usize::from(number) == column);
            let cells: Vec<u8> = (0..columns).filter_map(of_column).map(|byte| row[byte]).collect();
            bytes.extend(cells);
            bytes.push(row[COLUMNS]);
        }
        (PatternTable::bytes(sizes) <= TABLE_BYTES).then_some(Self { sizes, bytes })
    }
}

/// The cell of each byte and of the end, for each state that a text can reach.
fn rows(dense: &dense::DFA<Vec<u32>>) -> Option<Vec<[u8; COLUMNS + 1]>> {
    let mut states = vec![dense.start_state_forward(&Input::new("")).ok()?];
    let mut rows = Vec::new();
    while let Some(&state) = states.get(rows.len()) {
        let mut row = [FAILED; COLUMNS + 1];
        for byte in 0..=u8::MAX {
            row[usize::from(byte)] = cell(dense, dense.next_state(state, byte), &mut states)?;
        }
        let end = dense.next_eoi_state(state);
        row[COLUMNS] = if dense.is_match_state(end) { FOUND } else { FAILED };
        rows.push(row);
    }
    Some(rows)
}

/// What says that `state` is next; `None` when there are too many.
fn cell(dense: &dense::DFA<Vec<u32>>, state: StateID, states: &mut Vec<StateID>) -> Option<u8> {
    if dense.is_match_state(state) {
        return Some(FOUND);
    }
    if dense.is_dead_state(state) {
        return Some(FAILED);
    }
    let known = states.iter().position(|known| *known == state);
    let number = known.unwrap_or_else(|| {
        states.push(state);
        states.len() - 1
    });
    u8::try_from(number).ok().filter(|&number| number < FOUND && !dense.is_quit_state(state))
}
