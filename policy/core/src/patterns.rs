//! Canonical path -> the regular expressions that match it.
//!
//! In: the automata of a policy and a path. Out: numbers of patterns, ascending within an automaton. One pass over the
//! path for each automaton, in linear time. Never allocates once the buffers have grown.

use portcullis_bundle::{Automaton, Policy};
use regex_automata::dfa::{Automaton as _, OverlappingState};
use regex_automata::{Input, PatternSet};

use crate::http::Http;

/// The patterns that matched.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    found: Option<PatternSet>,
    numbers: Vec<u32>,
}

impl Matched {
    /// `None` when the policy cannot be read.
    #[inline]
    pub(crate) fn search(&mut self, policy: &Policy, http: Option<&Http<'_>>) -> Option<()> {
        self.numbers.clear();
        match http {
            Some(http) if !policy.pattern_sets().is_empty() => self.search_all(policy, http),
            _ => Some(()),
        }
    }

    fn search_all(&mut self, policy: &Policy, Http { path, .. }: &Http<'_>) -> Option<()> {
        for set in policy.pattern_sets() {
            let automaton = policy.automaton(set.automaton.get())?;
            let found = match &mut self.found {
                Some(found) if found.capacity() >= automaton.pattern_len() => found,
                found => found.insert(PatternSet::new(automaton.pattern_len())),
            };
            found.clear();
            search(automaton, path.text, found)?;
            let first = set.patterns.start.get();
            self.numbers.extend(found.iter().filter_map(|pattern| first.checked_add(pattern.as_u32())));
        }
        Some(())
    }

    pub(crate) fn has(&self, pattern: u32) -> bool {
        self.numbers.contains(&pattern)
    }

    pub(crate) fn numbers(&self) -> &[u32] {
        &self.numbers
    }
}

/// Adds the patterns that match `path`; `None` when a state matches a pattern that the automaton does not have, which
/// reading it does not find out.
fn search(automaton: &Automaton, path: &[u8], found: &mut PatternSet) -> Option<()> {
    let (input, mut state) = (Input::new(path), OverlappingState::start());
    while !found.is_full() {
        automaton.try_search_overlapping_fwd(&input, &mut state).ok()?;
        let Some(end) = state.get_match() else { break };
        if end.pattern().as_usize() >= automaton.pattern_len() {
            return None;
        }
        found.try_insert(end.pattern()).ok()?;
    }
    Some(())
}
