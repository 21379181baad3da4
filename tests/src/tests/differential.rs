//! Engines disagree nowhere: random policies and requests, and every case file.

#[cfg(feature = "hosts")]
mod hosts;

use std::cell::RefCell;

use anyhow::{Result, ensure};
use portcullis_runtime::Request;
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::cases::{self, Case, REVISION};
use crate::engines::{Engine, Given, Native, Oracle};
use crate::generate::{Wire, document, request, revocations};

/// Loads the policy everywhere and compares the answers with the oracle's.
fn compare(engines: &mut [Box<dyn Engine>], given: Given<'_>, requests: &[Request]) -> Result<()> {
    let mut oracle = Oracle::default();
    oracle.load(given)?;
    let expected = oracle.decide(requests)?;
    for engine in engines {
        engine.load(given)?;
        let found = engine.decide(requests)?;
        ensure!(found.len() == expected.len(), "{} answers {} of {}", engine.name(), found.len(), expected.len());
        for ((request, expected), found) in requests.iter().zip(&expected).zip(&found) {
            let case = || cases::to_file(given, request, expected);
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
    let inputs = (document(), revocations(wire), vec(request(wire), requests..=requests));
    let outcome = TestRunner::new_with_rng(config, rng).run(&inputs, |(document, revocations, requests)| {
        let (engines, revision) = &mut *state.borrow_mut();
        *revision += 1;
        let text = serde_json::to_string(&document).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let given = Given { document: &document, text: &text, revocations: &revocations, revision: *revision };
        compare(engines, given, &requests).map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    match outcome {
        Ok(()) => {}
        // The reason holds the one request that matters, so the shrunk input need not be printed too.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(TestError::Abort(reason)) => panic!("aborted: {reason}"),
    }
}

#[test]
fn native_agrees_with_the_oracle() {
    compare_random(vec![Box::new(Native::default())], Wire::Any, 4_000, 50);
}

#[test]
fn case_files_hold_for_the_oracle_and_natively() {
    let files = cases::all().unwrap();
    assert!(files.len() >= 14, "only {} case files found", files.len());
    for file in &files {
        let cases: Vec<&Case> = file.cases.iter().collect();
        check_file(&mut Oracle::default(), file, &cases);
        check_file(&mut Native::default(), file, &cases);
    }
}

#[track_caller]
fn check_file(engine: &mut dyn Engine, file: &cases::File, cases: &[&Case]) {
    let place = format!("{} in {}", engine.name(), file.path.display());
    engine.load(file.given()).unwrap_or_else(|error| panic!("{place}: {error:#}"));
    let requests: Vec<Request> = cases.iter().map(|case| case.request.clone()).collect();
    let decisions = engine.decide(&requests).unwrap_or_else(|error| panic!("{place}: {error:#}"));
    for (case, mut decision) in cases.iter().zip(decisions) {
        // A server counts revisions itself; that the decision has one is compared in the random runs.
        decision.revision = REVISION;
        assert_eq!(decision, case.expected, "{place}: {}", case.note);
    }
}
