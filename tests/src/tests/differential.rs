//! Engines disagree nowhere: random policies and requests, and every case file.

use std::cell::RefCell;

use anyhow::{Result, ensure};
use portcullis_runtime::Request;
use proptest::collection::vec;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::cases::{self, Case, REVISION};
use crate::engines::{Cli, Component, Engine, EnvoyFilter, Native, Oracle};
use crate::generate::{Wire, document, request};
use crate::oracle::Document;

/// Loads `document` everywhere and compares the answers with the oracle's.
fn compare(engines: &mut [Box<dyn Engine>], document: &Document, requests: &[Request], revision: u64) -> Result<()> {
    let text = serde_json::to_string(document)?;
    let mut oracle = Oracle::default();
    oracle.load(document, &text, revision)?;
    let expected = oracle.decide(requests)?;
    for engine in engines {
        engine.load(document, &text, revision)?;
        let found = engine.decide(requests)?;
        ensure!(found.len() == expected.len(), "{} answers {} of {}", engine.name(), found.len(), expected.len());
        for ((request, expected), found) in requests.iter().zip(&expected).zip(&found) {
            let case = || cases::to_file(document, request, expected);
            ensure!(expected == found, "{} says {found:#?} to\n{}", engine.name(), case());
        }
    }
    Ok(())
}

/// Compares `policies` random policies with `requests` random requests each; a difference is shrunk first.
fn compare_random(engines: Vec<Box<dyn Engine>>, wire: Wire, policies: u32, requests: usize) {
    // Shrinking asks the engines again and again; where that takes long, a larger example will do.
    let shrink = if requests > 50 { 40 } else { 2_000 };
    // The same numbers in every run; a seed of another day would be another test.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { cases: policies, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() };
    let state = RefCell::new((engines, 0));
    let inputs = (document(), vec(request(wire), requests..=requests));
    let outcome = TestRunner::new_with_rng(config, rng).run(&inputs, |(document, requests)| {
        let (engines, revision) = &mut *state.borrow_mut();
        *revision += 1;
        compare(engines, &document, &requests, *revision).map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    match outcome {
        Ok(()) => {}
        // The reason holds the one request that matters, so the shrunk input need not be printed too.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(TestError::Abort(reason)) => panic!("aborted: {reason}"),
    }
}

#[test]
fn native_and_component_agree_with_the_oracle() {
    let engines: Vec<Box<dyn Engine>> = vec![Box::new(Native::default()), Box::new(Component::new().unwrap())];
    compare_random(engines, Wire::Any, 4_000, 50);
}

#[test]
fn a_hundred_thousand_decisions_of_the_command_line_agree_with_the_oracle() {
    let binary = crate::engines::portcullis().unwrap();
    let cli = Cli::new(binary, "component").unwrap();
    compare_random(vec![Box::new(cli)], Wire::Any, 50, 2_000);
}

#[test]
fn the_command_line_with_the_native_engine_agrees_too() {
    let binary = crate::engines::portcullis().unwrap();
    let cli = Cli::new(binary, "native").unwrap();
    compare_random(vec![Box::new(cli)], Wire::Any, 10, 1_000);
}

#[test]
fn two_thousand_requests_through_envoy_agree_with_the_oracle() {
    let envoy = EnvoyFilter::start().unwrap();
    compare_random(vec![Box::new(envoy)], Wire::Http, 20, 100);
}

#[test]
fn case_files_hold_for_every_engine() {
    let binary = crate::engines::portcullis().unwrap();
    let mut cli = Cli::new(binary, "component").unwrap();
    let (mut oracle, mut native) = (Oracle::default(), Native::default());
    let mut component = Component::new().unwrap();
    let mut engines: [&mut dyn Engine; 4] = [&mut oracle, &mut native, &mut component, &mut cli];
    let files = cases::all().unwrap();
    assert!(files.len() >= 5, "only {} case files found", files.len());
    for file in &files {
        for engine in &mut engines {
            let cases: Vec<&Case> = file.cases.iter().collect();
            check_file(*engine, file, &cases);
        }
    }
}

#[test]
fn case_files_hold_in_envoy() {
    let mut envoy = EnvoyFilter::start().unwrap();
    for file in &cases::all().unwrap() {
        let cases: Vec<&Case> = file.cases.iter().filter(|case| case.is_sendable()).collect();
        check_file(&mut envoy, file, &cases);
    }
}

#[track_caller]
fn check_file(engine: &mut dyn Engine, file: &cases::File, cases: &[&Case]) {
    let place = format!("{} in {}", engine.name(), file.path.display());
    engine.load(&file.document, &file.text, REVISION).unwrap_or_else(|error| panic!("{place}: {error:#}"));
    let requests: Vec<Request> = cases.iter().map(|case| case.request.clone()).collect();
    let decisions = engine.decide(&requests).unwrap_or_else(|error| panic!("{place}: {error:#}"));
    for (case, mut decision) in cases.iter().zip(decisions) {
        // A server counts revisions itself; that the decision has one is compared in the random runs.
        decision.revision = REVISION;
        assert_eq!(decision, case.expected, "{place}: {}", case.note);
    }
}

#[test]
fn requests_of_the_generator_reach_every_reason() {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut reasons = std::collections::BTreeMap::<(bool, &str), usize>::new();
    for _ in 0..2_000 {
        use proptest::strategy::ValueTree;
        let (document, requests) = (document(), vec(request(Wire::Any), 20)).new_tree(&mut runner).unwrap().current();
        for request in &requests {
            let decision = crate::oracle::decide(&document, request, 1);
            *reasons.entry((decision.is_allow(), decision.reason.name())).or_default() += 1;
        }
    }
    for (allow, reason) in [
        (false, "malformed_request"),
        (false, "restricted_maintenance"),
        (false, "restricted_blacklist"),
        (false, "blocked"),
        (true, "public"),
        (false, "subject_inactive"),
        (false, "otp_required"),
        (false, "rule"),
        (true, "rule"),
        (false, "unauthenticated"),
        (false, "no_match"),
    ] {
        let times = reasons.get(&(allow, reason)).copied().unwrap_or(0);
        assert!(times > 400, "{reason} (allow: {allow}) only {times} times of 40,000: {reasons:?}");
    }
}
