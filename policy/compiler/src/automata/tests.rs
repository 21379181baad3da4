//! What patterns match, through the bytes that go into a bundle.

use regex_automata::dfa::Automaton;
use regex_automata::dfa::sparse::DFA;
use regex_automata::{Input, PatternSet};

use super::{Alphabet, AutomatonError, build};

/// The patterns that match `text`.
fn matching(patterns: &[&str], alphabet: Alphabet, text: &str) -> Vec<usize> {
    let serialized = build(patterns, alphabet).expect("patterns");
    let (automaton, _) = DFA::from_bytes(&serialized).expect("an automaton");
    let mut found = PatternSet::new(patterns.len());
    automaton.try_which_overlapping_matches(&Input::new(text), &mut found).expect("a search");
    found.iter().map(|pattern| pattern.as_usize()).collect()
}

#[test]
fn reports_every_pattern_that_matches() {
    let patterns = ["^/a/[0-9]+$", "/a", "b$", r"^/\w+/\d"];
    assert_eq!(matching(&patterns, Alphabet::Ascii, "/a/12"), [0, 1, 3]);
    assert_eq!(matching(&patterns, Alphabet::Ascii, "/a/b"), [1, 2]);
    assert_eq!(matching(&patterns, Alphabet::Ascii, "/c"), [] as [usize; 0]);
}

#[test]
fn classes_are_ascii_in_both_alphabets() {
    for alphabet in [Alphabet::Ascii, Alphabet::Unicode] {
        assert_eq!(matching(&[r"^\d+$", r"^[\d]+$", r"^\w$", r"^[^\s]$"], alphabet, "٣").len() % 2, alphabet as usize);
        assert_eq!(matching(&[r"\bb", r"a\Bb"], alphabet, "ab éb"), [0, 1]);
    }
    assert_eq!(matching(&["^.$", "(?i)^É$"], Alphabet::Unicode, "é"), [0, 1]);
    assert_eq!(matching(&["^.$", "(?i)^É$", "^é$"], Alphabet::Ascii, "é"), [2]);
}

#[test]
fn says_why_a_pattern_is_none() {
    let refused = |pattern, alphabet| build(&[pattern], alphabet).err();
    let syntax = |offset, message: &str| Some(AutomatonError::Syntax { message: message.to_owned(), offset });
    assert_eq!(refused("a(b", Alphabet::Ascii), syntax(1, "unclosed group"));
    assert_eq!(refused(r"a\pL", Alphabet::Ascii), syntax(1, "Unicode not allowed here"));
    assert_eq!(refused(r"(?-u:\xFF)", Alphabet::Unicode), syntax(5, "pattern can match invalid UTF-8"));
    assert_eq!(refused(r"\pL{1000}", Alphabet::Unicode), Some(AutomatonError::TooLarge));
    assert_eq!(refused("(a|b)*a(a|b){30}", Alphabet::Ascii), Some(AutomatonError::TooLarge));
}
