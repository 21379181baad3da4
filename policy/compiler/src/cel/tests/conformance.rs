//! The cases of `conformance.toml`: the applicable ones of the public CEL conformance suite, and the environment.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{anonymous, http, outcome, resource};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    expr: String,
    /// The value of the expression, as an expression; without it, and without the others, it is `true`.
    value: Option<String>,
    /// The expression has no value: it fails, or is refused because a literal in it can never have one.
    #[serde(default)]
    error: bool,
    /// The expression is refused; byte offset and message.
    refused: Option<String>,
    /// Which request it is about: `http` unless it says `resource` or `anonymous`.
    request: Option<String>,
}

/// What the compiler says of a literal that never has a value.
const NO_VALUE: [&str; 2] = ["does not stand for a value", "is not a time zone"];

#[test]
fn every_case_of_the_file_holds() {
    let sections: BTreeMap<String, Vec<Case>> = toml::from_str(include_str!("../conformance.toml")).expect("cases");
    let mut failures = Vec::new();
    for (section, case) in sections.iter().flat_map(|(name, cases)| cases.iter().map(move |case| (name, case))) {
        let Case { expr, value, error, refused, request } = case;
        let request = match request.as_deref() {
            None => http(),
            Some("resource") => resource(),
            Some("anonymous") => anonymous(),
            Some(other) => panic!("{other} is not a request"),
        };
        let (text, expected) = match (value, refused) {
            (Some(value), _) => (format!("type({expr}) == type({value}) && dyn({expr}) == dyn({value})"), "true"),
            (None, Some(refused)) => (expr.clone(), refused.as_str()),
            (None, None) if *error => (format!("[dyn({expr})] == []"), "failed"),
            (None, None) => (expr.clone(), "true"),
        };
        let found = outcome(&text, &request);
        let is_refused_literal = *error && NO_VALUE.iter().any(|message| found.contains(message));
        if found != expected && !is_refused_literal {
            failures.push(format!("{section}: {expr}\n    expected {expected}, found {found}"));
        }
    }
    assert!(failures.is_empty(), "{} cases fail\n{}", failures.len(), failures.join("\n"));
    let cases: usize = sections.values().map(Vec::len).sum();
    assert!(cases > 500, "only {cases} cases were read");
}
