//! What patterns match, through the bytes that go into a bundle.

use portcullis_bundle::limits::AUTOMATA_BYTES;
use portcullis_bundle::{Contents, PatternTable};
use regex_automata::dfa::Automaton;
use regex_automata::dfa::sparse::DFA;
use regex_automata::dfa::{StartKind, dense};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, PatternSet};

use super::{AUTOMATON_BYTES, Alphabet, AutomatonError, Table, append, build, build_one};

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

/// Of the automaton before it is made sparse, without a limit.
fn dense_bytes(pattern: &str) -> usize {
    let config = dense::Config::new().match_kind(MatchKind::All).start_kind(StartKind::Unanchored);
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    dense::Builder::new().syntax(syntax).configure(config).build(pattern).expect("an automaton").memory_usage()
}

#[test]
fn one_automaton_is_within_its_limit() {
    // 36 kinds of bytes make states so wide that nothing else fills up before.
    let pattern = |times: usize| format!("^(abcdefghijklmnopqrstuvwxyz0123456789){{{times}}}");
    let builds = |times: &usize| build(&[&pattern(*times)], Alphabet::Ascii).is_ok();
    let most = Vec::from_iter(1..1_000).partition_point(builds);
    assert!(dense_bytes(&pattern(most)) <= AUTOMATON_BYTES, "{most}");
    assert!(dense_bytes(&pattern(most + 1)) > AUTOMATON_BYTES, "{most}");
    assert_eq!(build(&[&pattern(most + 1)], Alphabet::Ascii), Err(AutomatonError::TooLarge));
}

#[test]
fn all_automata_are_within_their_limit() {
    let mut contents = Contents::default();
    assert_eq!(append(&mut contents, &vec![0; AUTOMATA_BYTES - 1]), Some(0));
    assert_eq!(append(&mut contents, &[0, 0]), None);
    assert_eq!(append(&mut contents, &[0]), Some(1));
    assert_eq!(append(&mut contents, &[0]), None);
}

#[test]
fn a_table_finds_what_its_automaton_finds() {
    let patterns = [
        "^[A-Z]{3}-[0-9]{4}$",
        r"^\+[0-9]{7,15}$",
        "b",
        "^a*$",
        "",
        "$",
        "(?i)é|ab+c",
        "^(?:x|yy)+$",
        r"(?m)^b$",
        "[^a]",
        "^.é?$",
        "a^",
        r"\pL",
    ];
    let texts = [
        "",
        "a",
        "b",
        "aab",
        "ABC-0037",
        "ABC-00371",
        "+380441234567",
        "É",
        "abbbc",
        "xyyx",
        "xy",
        "a\nb\nc",
        "é",
        "λé",
    ];
    for pattern in patterns {
        let (serialized, table) = build_one(pattern).expect("a pattern");
        let (automaton, _) = DFA::from_bytes(&serialized).expect("an automaton");
        let Some(Table { sizes, bytes }) = table else {
            assert_eq!(pattern, r"\pL", "only this one is large");
            continue;
        };
        let table = PatternTable::new(&bytes, sizes).expect("a table");
        for text in texts {
            let found = automaton.try_search_fwd(&Input::new(text).earliest(true)).expect("a search").is_some();
            assert_eq!(table.finds(text.as_bytes()), Some(found), "{pattern} in {text:?}");
        }
    }
}

#[test]
fn words_are_left_to_the_automaton() {
    // Between the bytes of a character there is no match of `\B`, and a table would find one.
    for pattern in [r"\B", r"\bb", r"(?-u:\B)a"] {
        assert!(build_one(pattern).expect("a pattern").1.is_none(), "{pattern}");
    }
}
