//! What an instance does wrong is a deny and the end of that instance; a new bundle never disturbs a decision.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use portcullis_artifacts::FAULTY_COMPONENT;
use portcullis_runtime::{
    Decision, Effect, EncodedDecision, EncodedRequests, Limits, PolicySlot, PrepareError, Reason, Request, Runtime,
    ValidateError, ValidateOptions, Verdict, encode,
};

use crate::engines::bundle;

fn request(action: &str) -> Request {
    Request::from_json(&format!(r#"{{"action": "{action}", "path": "/orders/7", "subject": {{"id": "u1"}}}}"#)).unwrap()
}

fn faulty(instances: usize) -> PolicySlot {
    let limits =
        Limits { instances, memory_bytes: 64 << 20, call_deadline: Duration::from_millis(50), ..Limits::default() };
    let slot = PolicySlot::new(&Runtime::with_component(FAULTY_COMPONENT, limits).unwrap());
    slot.install(slot.prepare(b"good".to_vec()).unwrap());
    slot
}

#[track_caller]
fn check_unavailable(decision: &Decision) {
    assert_eq!((decision.effect, decision.reason, decision.status), (Effect::Deny, Reason::PolicyUnavailable, 503));
}

#[test]
fn a_trap_an_endless_loop_and_exhausted_memory_deny_and_the_next_request_is_served() {
    let slot = faulty(1);
    for action in ["TRAP", "LOOP", "GROW", "TRAP", "TRAP"] {
        assert!(slot.decide(&request("GET")).is_allow(), "before {action}");
        check_unavailable(&slot.decide(&request(action)));
        check_unavailable(&slot.explain(&request(action)).decision);
        let batch = slot.decide_batch(&[request("GET"), request(action)]);
        batch.iter().for_each(check_unavailable);
        assert_eq!(batch.len(), 2);
    }
    assert!(slot.decide(&request("GET")).is_allow());
}

#[test]
fn an_instance_that_fails_gives_no_report_and_the_next_document_is_checked() {
    let (slot, options) = (faulty(1), ValidateOptions::default());
    for schema in ["TRAP", "LOOP", "GROW", "TRAP"] {
        assert_eq!(slot.validate(schema, b"1", &options), Err(ValidateError::Unavailable));
        assert!(slot.validate("any", b"1", &options).is_ok_and(|report| report.verdict == Verdict::Valid));
    }
    let empty = PolicySlot::new(&Runtime::with_component(FAULTY_COMPONENT, Limits::default()).unwrap());
    assert_eq!(empty.validate("any", b"1", &options), Err(ValidateError::Unavailable));
}

#[test]
fn callers_that_meet_a_faulty_instance_do_not_harm_the_others() {
    let slot = faulty(2);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..20 {
                    check_unavailable(&slot.decide(&request("TRAP")));
                    assert!(slot.decide(&request("GET")).is_allow());
                }
            });
        }
    });
}

#[test]
fn a_bundle_that_cannot_be_opened_changes_nothing() {
    let slot = faulty(2);
    assert!(matches!(slot.prepare(b"x".to_vec()), Err(PrepareError::Refused(why)) if why == "starts with x"));
    assert!(matches!(slot.prepare(b"t".to_vec()), Err(PrepareError::Failed(_))));
    assert!(slot.decide(&request("GET")).is_allow());

    let slot = PolicySlot::new(&Runtime::new(Limits::default()).unwrap());
    slot.install(slot.prepare(policy(1)).unwrap());
    let mut broken = policy(2);
    broken.truncate(broken.len() - 1);
    assert!(matches!(slot.prepare(broken), Err(PrepareError::Refused(_))));
    assert_eq!(slot.revision(), Some(1));
}

#[test]
fn without_a_policy_everything_is_denied() {
    let slot = PolicySlot::new(&Runtime::new(Limits::default()).unwrap());
    check_unavailable(&slot.decide(&request("GET")));
    check_unavailable(&slot.explain(&request("GET")).decision);
    assert_eq!(slot.decide_batch(&[request("GET")]).len(), 1);
    assert_eq!(slot.revision(), None);
}

#[test]
fn a_bundle_larger_than_the_memory_of_an_instance_is_refused() {
    let limits = Limits { memory_bytes: 2 << 20, ..Limits::default() };
    let slot = PolicySlot::new(&Runtime::new(limits).unwrap());
    assert!(matches!(slot.prepare(vec![0; 4 << 20]), Err(PrepareError::Failed(_))));
}

/// Odd revisions allow the request, even ones deny it, so a decision under the wrong policy would show.
fn policy(revision: u64) -> Vec<u8> {
    let effect = if revision % 2 == 1 { "allow" } else { "deny" };
    let rule = format!("{{id: r{revision}, effect: {effect}, who: {{anyone: true}}, target: {{}}}}");
    bundle(&format!("{{version: 1, rules: [{rule}]}}"), revision).unwrap()
}

#[test]
fn hot_swaps_under_load_never_give_a_wrong_or_failed_decision() {
    const SWAPS: u64 = 300;
    let slot = PolicySlot::new(&Runtime::new(Limits { instances: 3, ..Limits::default() }).unwrap());
    slot.install(slot.prepare(policy(1)).unwrap());
    let (installed, done, asked) = (AtomicU64::new(1), AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let request = request("GET");
                let mut last = 0;
                while !done.load(Ordering::SeqCst) {
                    let before = installed.load(Ordering::SeqCst);
                    let decision = slot.decide(&request);
                    let revision = decision.revision;
                    assert_eq!(decision.reason, Reason::Rule, "{decision:?}");
                    assert_eq!(decision.is_allow(), revision % 2 == 1, "{decision:?}");
                    assert_eq!(decision.rules, [format!("r{revision}")]);
                    assert!(revision >= before, "revision {revision} after {before} was installed");
                    assert!(revision >= last, "revision {revision} after {last} had decided");
                    last = revision;
                    asked.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for revision in 2..=SWAPS {
            let decided = asked.load(Ordering::SeqCst);
            slot.install(slot.prepare(policy(revision)).unwrap());
            installed.store(revision, Ordering::SeqCst);
            // The next swap comes when this one was used, so that the load does meet each policy.
            while asked.load(Ordering::SeqCst) < decided + 8 {
                thread::yield_now();
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(slot.revision(), Some(SWAPS));
}

#[test]
fn what_is_no_encoded_request_is_malformed_and_what_is_no_encoded_decision_is_no_answer() {
    let slot = PolicySlot::new(&Runtime::new(Limits { instances: 1, ..Limits::default() }).unwrap());
    let mut bytes = Vec::new();
    assert!(encode(&(&request("GET")).into(), &mut bytes));
    assert!(slot.decide_encoded(&bytes).is_none(), "there is no policy yet");
    check_unavailable(&slot.decide_as_bytes(&request("GET")));

    slot.install(slot.prepare(bundle("version: 1\npublic: [{}]\n", 1).unwrap()).unwrap());
    let reason = |bytes: &[u8]| EncodedDecision::read(&slot.decide_encoded(bytes).unwrap()).unwrap().reason;
    assert_eq!(reason(&bytes), Reason::Public);
    for length in 0..bytes.len() {
        assert!(matches!(reason(&bytes[..length]), Reason::MalformedRequest | Reason::Public), "{length} bytes");
    }
    for (at, other) in [(0, 2), (1, 9), (44, 0xFF), (48, 0xFF), (bytes.len() - 1, 0xFF)] {
        let mut altered = bytes.clone();
        altered[at] = other;
        assert_eq!(reason(&altered), Reason::MalformedRequest, "byte {at}");
    }

    let slot = faulty(1);
    assert!(slot.decide_encoded(&bytes).is_none(), "the bytes of a request are no decision");
    check_unavailable(&slot.decide_as_bytes(&request("GET")));
    let mut batch = EncodedRequests::default();
    assert!(batch.push(&(&request("GET")).into()));
    assert!(slot.decide_batch_encoded(&batch).is_none());
}
