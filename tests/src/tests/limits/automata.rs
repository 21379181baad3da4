//! The automata of one bundle: a document whose expressions fill the limit to the last byte, and one that needs one more.

use portcullis_bundle::{Policy, limits};
use portcullis_compiler::{Options, compile};
use portcullis_runtime::{NativePolicy, Reason, Request};

/// A rule for each pattern, with a condition, and so with an automaton of its own.
fn bundle(patterns: &[String]) -> Result<Vec<u8>, String> {
    let rule = |pattern: &String| {
        format!("{{effect: allow,who: {{anyone: true}},target: {{}},when: 'request.path.matches(\"{pattern}\")'}},")
    };
    let text = format!("version: 1\nrules: [{}]\n", patterns.iter().map(rule).collect::<String>());
    let compiled = compile(&text, &Options::default());
    compiled.map(|compiled| compiled.bundle).map_err(|errors| errors[0].message.clone())
}

/// Of all automata in a bundle together.
fn bytes_in(bundle: Vec<u8>) -> usize {
    let policy = Policy::open(bundle).unwrap();
    policy.records().automata.iter().map(|automaton| automaton.bytes.get() as usize).sum()
}

fn bytes(pattern: &str) -> usize {
    bytes_in(bundle(&[pattern.to_owned()]).unwrap())
}

/// A class with a gap behind each member: wide states.
fn wide(states: usize, end: &str) -> String {
    format!("^/[acegikmoqsuwyACEGIKMOQSUWY0246]{{{states}}}{end}$")
}

/// Patterns whose automata have exactly so many bytes together. Each kind grows by another number of bytes for each state
/// more, so that some mixture fits.
fn filling(total: usize) -> Vec<String> {
    const STATES: usize = 1000;
    let large = bytes(&wide(STATES, "000"));
    let count = total / large - 1;
    let mut patterns: Vec<String> = (0..count).map(|at| wide(STATES, &format!("{at:03}"))).collect();
    let mut rest = total - count * large;
    // Two that leave so little that small ones fill it.
    let [one, two] = [1, 2].map(|states| bytes(&wide(states, "x")));
    let states = (rest / 2 - 1_700 - one) / (two - one);
    for end in ["x", "y"] {
        patterns.push(wide(states, end));
        rest -= bytes(&wide(states, end));
    }
    let sized = |pattern: String| (bytes(&pattern), pattern);
    let ones: Vec<_> = (1..200).map(|states| sized(format!("^x{{{states}}}"))).collect();
    let twos: Vec<_> = (1..20).map(|states| sized(format!("^[ac]{{{states}}}"))).collect();
    for extra in [&[][..], &["^q"], &["^q", "^qr"]] {
        let left = rest - extra.iter().map(|pattern| bytes(pattern)).sum::<usize>();
        let mut pairs = ones.iter().flat_map(|one| twos.iter().map(move |two| (one, two)));
        if let Some((one, two)) = pairs.find(|(one, two)| one.0 + two.0 == left) {
            patterns.extend([one.1.clone(), two.1.clone()]);
            patterns.extend(extra.iter().map(|&pattern| pattern.to_owned()));
            return patterns;
        }
    }
    panic!("no mixture fills {rest} bytes");
}

#[test]
fn bytes_of_all_automata() {
    let full = bundle(&filling(limits::AUTOMATA_BYTES)).unwrap();
    let request = Request::from_json(r#"{"action": "GET", "path": "/q"}"#).unwrap();
    let decision = NativePolicy::open(full.clone()).unwrap().decide(&request);
    assert_eq!((decision.reason, decision.errors.len()), (Reason::Unauthenticated, 0));
    assert_eq!(bytes_in(full), limits::AUTOMATA_BYTES);
    let error = bundle(&filling(limits::AUTOMATA_BYTES + 1)).unwrap_err();
    assert_eq!(error, "regular expressions take more than 67108864 bytes, the limit");
}
