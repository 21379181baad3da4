//! Canonical path -> the regular expressions that match it.
//!
//! In: the automata of a policy and a path. Out: numbers of patterns, ascending within an automaton. One pass over the
//! path for each automaton, in linear time. Never allocates once the buffers have grown.

use portcullis_bundle::Policy;
use regex_automata::dfa::Automaton as _;
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
    pub(crate) fn search(&mut self, policy: &Policy, http: Option<&Http<'_>>) -> Option<()> {
        self.numbers.clear();
        let Some(Http { path, .. }) = http else { return Some(()) };
        for set in policy.pattern_sets() {
            let automaton = policy.automaton(set.automaton.get())?;
            let found = match &mut self.found {
                Some(found) if found.capacity() >= automaton.pattern_len() => found,
                found => found.insert(PatternSet::new(automaton.pattern_len())),
            };
            found.clear();
            automaton.try_which_overlapping_matches(&Input::new(path.text), found).ok()?;
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
