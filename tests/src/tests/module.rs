//! The core module under a host that gives it anything: it answers that there is nothing, and goes on.

use portcullis_runtime::{Decision, Effect, Reason, Request, encode};

use crate::engines::{Module, bundle};

const ANYONE: &str = r#"{"version": 1, "rules": [{"effect": "allow", "who": {"anyone": true}, "target": {}}]}"#;
const NOBODY: &str = r#"{"version": 1}"#;
/// What `portcullis_open` answers instead of a handle.
const NO_BUFFER: i32 = -1;
const REFUSED: i32 = -2;

/// A module, an encoded request in it, and where that lies.
fn start() -> (Module, u32, u32) {
    let mut bytes = Vec::new();
    assert!(encode(&(&Request::from_json(r#"{"action": "GET", "path": "/"}"#).unwrap()).into(), &mut bytes));
    let mut module = Module::start().unwrap();
    let start = module.put(&bytes).unwrap();
    (module, start, bytes.len() as u32)
}

fn open(module: &mut Module, document: &str, revision: u64) -> i32 {
    open_bytes(module, &bundle(document, revision).unwrap())
}

fn open_bytes(module: &mut Module, bundle: &[u8]) -> i32 {
    let start = module.put(bundle).unwrap();
    module.open(start, bundle.len() as u32).unwrap()
}

#[track_caller]
fn check(decision: Option<Decision>, effect: Effect, reason: Reason, revision: u64) {
    let decision = decision.unwrap();
    assert_eq!((decision.effect, decision.reason, decision.revision), (effect, reason, revision));
}

#[test]
fn each_handle_has_its_own_policy_until_it_is_closed_and_is_never_given_again() {
    let (mut module, at, length) = start();
    let (anyone, nobody) = (open(&mut module, ANYONE, 3), open(&mut module, NOBODY, 4));
    check(module.decide(anyone, at, length).unwrap(), Effect::Allow, Reason::Rule, 3);
    check(module.decide(nobody, at, length).unwrap(), Effect::Deny, Reason::Unauthenticated, 4);
    for handle in [nobody, nobody, 7, -1, i32::MIN, i32::MAX] {
        module.close(handle).unwrap();
    }
    assert_eq!(module.decide(nobody, at, length).unwrap(), None);
    let again = open(&mut module, ANYONE, 5);
    assert!(again != anyone && again != nobody, "handle {again} a second time");
    assert_eq!(module.decide(nobody, at, length).unwrap(), None);
    check(module.decide(anyone, at, length).unwrap(), Effect::Allow, Reason::Rule, 3);
    check(module.decide(again, at, length).unwrap(), Effect::Allow, Reason::Rule, 5);
}

#[test]
fn only_the_start_of_a_buffer_is_read_and_no_more_than_the_buffer() {
    let (mut module, at, length) = start();
    let policy = open(&mut module, ANYONE, 3);
    for (start, length) in
        [(0, length), (at + 1, 1), (at - 1, 1), (u32::MAX, 1), (at, length + 1), (at, u32::MAX), (1, 0)]
    {
        assert_eq!(module.decide(policy, start, length).unwrap(), None, "{length} bytes at {start}");
        if start != at {
            assert_eq!(module.open(start, length).unwrap(), NO_BUFFER, "{length} bytes at {start}");
            module.free(start).unwrap();
        }
    }
    check(module.decide(policy, at, length).unwrap(), Effect::Allow, Reason::Rule, 3);
    module.free(at).unwrap();
    module.free(at).unwrap();
    assert_eq!(module.decide(policy, at, length).unwrap(), None);
}

#[test]
fn what_is_no_request_is_malformed_and_denied() {
    let (mut module, at, length) = start();
    let policy = open(&mut module, ANYONE, 3);
    for length in [0, 1, length - 1] {
        check(module.decide(policy, at, length).unwrap(), Effect::Deny, Reason::MalformedRequest, 3);
    }
    let empty = module.put(b"").unwrap();
    check(module.decide(policy, empty, 0).unwrap(), Effect::Deny, Reason::MalformedRequest, 3);
}

#[test]
fn a_refused_bundle_has_a_reason_and_takes_its_buffer() {
    let (mut module, at, length) = start();
    let policy = open(&mut module, ANYONE, 3);
    let whole = bundle(NOBODY, 4).unwrap();
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    for (bytes, why) in
        [(&b"PK"[..], "not a bundle"), (&altered, "digest does not match"), (&whole[..whole.len() - 1], "header says")]
    {
        assert_eq!(open_bytes(&mut module, bytes), REFUSED, "{why}");
        let refusal = module.refusal().unwrap();
        assert!(refusal.contains(why), "`{refusal}` instead of {why}");
    }
    let start = module.put(&altered).unwrap();
    assert_eq!(module.open(start, altered.len() as u32).unwrap(), REFUSED);
    assert_eq!(module.open(start, altered.len() as u32).unwrap(), NO_BUFFER);
    let start = module.put(&whole).unwrap();
    assert_eq!(module.open(start, whole.len() as u32 + 1).unwrap(), NO_BUFFER);
    check(module.decide(policy, at, length).unwrap(), Effect::Allow, Reason::Rule, 3);
}

#[test]
fn a_buffer_that_no_memory_is_left_for_is_null() {
    let (mut module, at, length) = start();
    let policy = open(&mut module, ANYONE, 3);
    for bytes in [u32::MAX, 1 << 31, (1 << 31) - 1, 64 << 20] {
        assert_eq!(module.alloc(bytes).unwrap(), 0, "{bytes} bytes");
    }
    assert!(module.alloc(8 << 20).unwrap() > 0);
    check(module.decide(policy, at, length).unwrap(), Effect::Allow, Reason::Rule, 3);
}
