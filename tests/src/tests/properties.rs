//! What must hold for every policy and request, whatever the decision is.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use portcullis_runtime::{Decision, NativePolicy, Request};

use crate::engines::bundle;
use crate::generate::{Wire, document, request, rule};
use crate::oracle::{Document, Rule};

fn decide(document: &Document, requests: &[Request]) -> Vec<Decision> {
    let bundle = bundle(&serde_json::to_string(document).unwrap(), 1).unwrap();
    let policy = NativePolicy::open(bundle).unwrap();
    requests.iter().map(|request| policy.decide(request)).collect()
}

/// The same inputs in every run.
pub(super) fn check<S: Strategy>(cases: u32, inputs: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng).run(inputs, property).unwrap_or_else(|error| panic!("{error}"));
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    vec(request(Wire::Any), 30)
}

#[test]
fn one_more_deny_never_allows_more() {
    check(500, &(document(), rule(), requests()), |(document, rule, requests)| {
        let mut stricter = document.clone();
        stricter.rules.push(Rule { effect: "deny".to_owned(), topic: None, ..rule });
        for (before, after) in decide(&document, &requests).iter().zip(decide(&stricter, &requests)) {
            prop_assert!(before.is_allow() || !after.is_allow(), "{before:?} became {after:?}");
        }
        Ok(())
    });
}

#[test]
fn one_more_allow_never_denies_more() {
    check(500, &(document(), rule(), requests()), |(document, rule, requests)| {
        let mut laxer = document.clone();
        laxer.rules.push(Rule { effect: "allow".to_owned(), topic: None, ..rule });
        for (before, after) in decide(&document, &requests).iter().zip(decide(&laxer, &requests)) {
            prop_assert!(after.is_allow() || !before.is_allow(), "{before:?} became {after:?}");
        }
        Ok(())
    });
}

#[test]
fn the_order_of_rules_never_matters() {
    check(500, &(document(), requests()), |(mut document, requests)| {
        for (at, rule) in document.rules.iter_mut().enumerate() {
            rule.id = Some(format!("r{at}"));
        }
        let mut reversed = document.clone();
        reversed.rules.reverse();
        for (before, mut after) in decide(&document, &requests).into_iter().zip(decide(&reversed, &requests)) {
            // Both lists follow the document, so they are reversed too.
            after.rules.reverse();
            after.obligations.reverse();
            after.errors.reverse();
            prop_assert_eq!(before, after);
        }
        Ok(())
    });
}

#[test]
fn one_role_less_allows_more_only_where_a_deny_asked_for_it() {
    check(500, &(document(), requests()), |(document, requests)| {
        let fewer: Vec<Request> = requests.iter().map(without_last_role).collect();
        for ((request, before), after) in
            requests.iter().zip(decide(&document, &requests)).zip(decide(&document, &fewer))
        {
            let was_denied_by_rule = before.reason.name() == "rule" && !before.is_allow();
            prop_assert!(before.is_allow() || !after.is_allow() || was_denied_by_rule, "{request:?}: {after:?}");
        }
        Ok(())
    });
}

fn without_last_role(request: &Request) -> Request {
    let mut request = request.clone();
    if let Some(subject) = &mut request.subject {
        subject.roles.pop();
    }
    request
}
