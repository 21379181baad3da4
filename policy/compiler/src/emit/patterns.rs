//! The regular expressions of a document -> as few automata as their sizes allow.

use std::collections::BTreeMap;

use portcullis_bundle::Contents;
use portcullis_bundle::layout::{Entry, EntryKind, Pattern, PatternSet, Range};
use zerocopy::little_endian::U32;

use super::{EmitError, append, number};
use crate::automata::{self, Alphabet};
use crate::conditions::ConditionsError;

/// Patterns by their text, with the rules that ask for them.
#[derive(Default)]
pub(super) struct Patterns<'m>(BTreeMap<&'m str, Vec<Entry>>);

impl<'m> Patterns<'m> {
    pub(super) fn add(&mut self, pattern: &'m str) {
        self.0.entry(pattern).or_default();
    }

    pub(super) fn add_rule(&mut self, pattern: &'m str, rule: u32, guard: u32) {
        self.0.entry(pattern).or_default().push(Entry::new(rule, guard, EntryKind::Under));
    }

    /// The numbers of the patterns that were added.
    pub(super) fn numbers(&self) -> BTreeMap<&'m str, u32> {
        self.0.keys().copied().zip(0..).collect()
    }

    pub(super) fn write(&self, contents: &mut Contents) -> Result<(), EmitError> {
        for entries in self.0.values() {
            let entries = append(&mut contents.entries, entries.iter().copied())?;
            contents.patterns.push(Pattern { entries });
        }
        let texts: Vec<&str> = self.0.keys().copied().collect();
        let mut first = 0;
        self.write_sets(&texts, &mut first, contents)?;
        Ok(())
    }

    /// One automaton for all `texts`, or one for each half.
    fn write_sets(&self, texts: &[&str], first: &mut usize, contents: &mut Contents) -> Result<(), EmitError> {
        if texts.is_empty() {
            return Ok(());
        }
        match (texts, automata::build(texts, Alphabet::Ascii)) {
            (_, Ok(bytes)) => {
                let automaton = automata::append(contents, &bytes).ok_or(ConditionsError::Automata)?;
                let patterns = Range { start: number(*first)?, count: number(texts.len())? };
                contents.pattern_sets.push(PatternSet { automaton: U32::new(automaton), patterns });
                *first += texts.len();
                Ok(())
            }
            ([pattern], Err(error)) => Err(EmitError::Automaton { pattern: (*pattern).to_owned(), error }),
            (_, Err(_)) => {
                let (left, right) = texts.split_at(texts.len() / 2);
                self.write_sets(left, first, contents)?;
                self.write_sets(right, first, contents)
            }
        }
    }
}
