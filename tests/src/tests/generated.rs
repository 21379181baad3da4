//! What the generator makes is worth comparing: every reason; every condition true, false and failed.

use std::collections::BTreeMap;

use portcullis_runtime::Request;
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, from_value, json};

use crate::generate::{CONDITIONS, Wire, document, request, revocations};
use crate::oracle::{Document, decide};

fn runner() -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn requests_of_the_generator_reach_every_reason() {
    let (mut reasons, mut failed) = (BTreeMap::<(bool, &str), usize>::new(), 0);
    let (inputs, mut runner) = ((document(), revocations(Wire::Any), vec(request(Wire::Any), 20)), runner());
    for _ in 0..2_000 {
        let (document, revocations, requests) = inputs.new_tree(&mut runner).unwrap().current();
        for request in &requests {
            let decision = decide(&document, &revocations, request, 1);
            *reasons.entry((decision.is_allow(), decision.reason.name())).or_default() += 1;
            failed += usize::from(!decision.errors.is_empty());
        }
    }
    for (allow, reason) in [
        (false, "malformed_request"),
        (false, "restricted_maintenance"),
        (false, "restricted_blacklist"),
        (false, "restricted_login"),
        (false, "blocked"),
        (true, "public"),
        (false, "subject_inactive"),
        (false, "otp_required"),
        (false, "token_revoked"),
        (false, "rule"),
        (true, "rule"),
        (true, "route"),
        (false, "unauthenticated"),
        (false, "missing_permission"),
        (false, "level_too_low"),
        (false, "no_match"),
    ] {
        let times = reasons.get(&(allow, reason)).copied().unwrap_or(0);
        assert!(times > 400, "{reason} (allow: {allow}) only {times} times of 40,000: {reasons:?}");
    }
    assert!(failed > 800, "a condition failed only {failed} times");
}

#[test]
fn every_condition_of_the_generator_holds_does_not_hold_and_fails() {
    let mut runner = runner();
    let requests: Vec<Request> = vec(request(Wire::Any), 10_000).new_tree(&mut runner).unwrap().current();
    for when in CONDITIONS {
        let rule = |on: &str, what: Value| json!({"effect": "allow", "who": {"anyone": true}, "when": when, on: what});
        let resource = json!({"types": ["*"], "actions": ["*"]});
        let rules = [rule("target", json!({})), rule("resource", resource)];
        let document: Document = from_value(json!({"version": 1, "rules": rules})).unwrap();
        let (mut held, mut did_not, mut failed) = (0, 0, 0);
        for decision in requests.iter().map(|request| decide(&document, &[], request, 1)) {
            match decision.reason.name() {
                "rule" => held += 1,
                "unauthenticated" | "no_match" if decision.errors.is_empty() => did_not += 1,
                "unauthenticated" | "no_match" => failed += 1,
                _ => {}
            }
        }
        let cannot_fail = when.starts_with("has(subject.level)");
        assert!(
            held > 10 && did_not > 10 && (failed > 10 || cannot_fail),
            "{when}: {held} held, {did_not} did not, {failed} failed"
        );
    }
}
