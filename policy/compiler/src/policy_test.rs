//! Runs the tests of a document against the policy that it is.
//!
//! In: the text of a document. Out: for each test what was not as expected, with the explanation; and how many tests
//! exercised each rule. Never: I/O; a clock, unless the test says what time it is.

use std::collections::BTreeMap;

use portcullis_bundle::layout::Class;
use portcullis_core::{Policy, Scratch, decide};

use crate::decision::{Decision, Explained, Obligation};
use crate::diagnostic::Diagnostic;
use crate::json::{list, quoted};
use crate::model::{Expect, Model, PolicyTest};
use crate::{Options, compile_model, tree};

/// What became of the tests of a document.
#[derive(Debug)]
pub struct Report {
    /// In document order.
    pub results: Vec<TestResult>,
    /// Every rule, then every method of a route, in document order.
    pub coverage: Vec<Covered>,
    pub warnings: Vec<Diagnostic>,
}

#[derive(Debug)]
pub struct TestResult {
    pub name: String,
    /// Where the test stands in the document, from 1.
    pub line: u32,
    pub column: u32,
    /// `None` when everything is as expected.
    pub failure: Option<Failure>,
}

#[derive(Debug)]
pub struct Failure {
    /// At least one.
    pub differences: Vec<Difference>,
    pub explained: Explained,
}

/// A key of the decision that is not as expected; both values as JSON.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    pub key: &'static str,
    pub expected: String,
    pub found: String,
}

/// A rule or a method of a route, and in how many tests it was among those that decided or audited.
#[derive(Debug, PartialEq, Eq)]
pub struct Covered {
    pub rule: String,
    /// `allow`, `deny`, `audit` or `route`.
    pub effect: &'static str,
    /// From 1.
    pub line: u32,
    pub tests: usize,
}

impl Report {
    pub fn failed(&self) -> usize {
        self.results.iter().filter(|result| result.failure.is_some()).count()
    }

    /// Rules that no test exercised.
    pub fn unexercised(&self) -> impl Iterator<Item = &Covered> {
        self.coverage.iter().filter(|rule| rule.tests == 0)
    }
}

/// Runs the tests of a document; the error lists the diagnostics of one that does not compile.
pub fn test(text: &str) -> Result<Report, Vec<Diagnostic>> {
    let (model, bundle, warnings) = compile_model(text, &Options { revision: 1, ..Options::default() })?;
    let policy = Policy::open(bundle)
        .map_err(|error| vec![Diagnostic::error(tree::Position::START, format!("bundle does not open: {error}"))])?;
    let mut exercised = BTreeMap::new();
    let results = model.tests.iter().map(|test| run(&policy, test, &mut exercised)).collect();
    Ok(Report { results, coverage: coverage(&model, &exercised), warnings })
}

fn run(policy: &Policy, test: &PolicyTest, exercised: &mut BTreeMap<String, usize>) -> TestResult {
    let mut scratch = Scratch::default();
    let decision = decide(policy, &test.request.as_core(), &mut scratch);
    for id in decision.rules.ids().chain(decision.obligations.audits().ids()) {
        let count = exercised.entry(id.to_string()).or_insert(0);
        *count = count.saturating_add(1);
    }
    let differences = test.expect.differences(&decision.into());
    let failure =
        (!differences.is_empty()).then(|| Failure { differences, explained: Explained::of(policy, &test.request) });
    TestResult { name: test.name.clone(), line: test.at.line, column: test.at.column, failure }
}

fn coverage(model: &Model, exercised: &BTreeMap<String, usize>) -> Vec<Covered> {
    let rules = model.rules.iter().enumerate().map(|(index, rule)| {
        let effect = match rule.class {
            Class::Deny => "deny",
            Class::Audit => "audit",
            _ => "allow",
        };
        (rule.name(index), effect, rule.at.line)
    });
    let routes = model.routes.iter().enumerate().flat_map(|(route, one)| {
        one.paths.iter().enumerate().flat_map(move |(path, one)| {
            one.methods.iter().map(move |method| {
                let method = method.method.as_deref().unwrap_or("*");
                (format!("routes[{route}].paths[{path}].{method}"), "route", one.at.line)
            })
        })
    });
    let covered = rules.chain(routes).map(|(rule, effect, line)| {
        let tests = exercised.get(&rule).copied().unwrap_or(0);
        Covered { rule, effect, line, tests }
    });
    covered.collect()
}

impl Expect {
    fn differences(&self, found: &Decision) -> Vec<Difference> {
        let Self { decision, reason, status, rules, restriction, obligations, errors } = self;
        let option = |text: &Option<String>| text.as_deref().map_or("null".to_owned(), quoted);
        let pairs = [
            ("decision", Some(quoted(decision)), quoted(found.decision)),
            ("reason", reason.map(quoted), quoted(found.reason)),
            ("status", status.map(|status| status.to_string()), found.status.to_string()),
            ("rules", rules.as_deref().map(list), list(&found.rules)),
            ("restriction", restriction.as_ref().map(option), option(&found.restriction)),
            ("obligations", obligations.as_deref().map(Obligation::list), Obligation::list(&found.obligations)),
            ("errors", errors.as_deref().map(list), list(&found.errors)),
        ];
        let compared = pairs.into_iter().filter_map(|(key, expected, found)| Some((key, expected?, found)));
        compared
            .filter(|(_, expected, found)| expected != found)
            .map(|(key, expected, found)| Difference { key, expected, found })
            .collect()
    }
}

#[cfg(test)]
mod tests;
