//! Encoded requests decide as what they encode, one by one and in a batch; what is none is malformed.

use portcullis_core::wire::{WIRE_VERSION, decide_batch_encoded, decide_encoded};
use portcullis_core::{Policy, Scratch};
use portcullis_runtime::{
    Decision, EncodedDecision, EncodedDecisions, EncodedRequests, NativePolicy, Reason, Request, encode,
};
use proptest::collection::vec;
use proptest::prelude::*;

use super::properties::check;
use crate::engines::bundle;
use crate::generate::{Wire, document, request};

fn policy(document: &str) -> Policy {
    Policy::open(bundle(document, 1).unwrap()).unwrap()
}

fn decide(policy: &Policy, encoded: &[u8]) -> Decision {
    let mut answer = Vec::new();
    decide_encoded(policy, encoded, &mut Scratch::default(), &mut answer);
    Decision::from_encoded(&EncodedDecision::read(&answer).unwrap())
}

#[test]
fn encoded_requests_decide_as_what_they_encode_one_by_one_and_in_a_batch() {
    check(500, &(document(), vec(request(Wire::Any), 30)), |(document, requests)| {
        let policy = policy(&serde_json::to_string(&document).unwrap());
        let native = NativePolicy::open(policy.bytes().to_vec()).unwrap();
        let expected: Vec<Decision> = requests.iter().map(|request| native.decide(request)).collect();

        let (mut bytes, mut batch, mut answers) = (Vec::new(), EncodedRequests::default(), Vec::new());
        for (request, expected) in requests.iter().zip(&expected) {
            prop_assert!(encode(&request.into(), &mut bytes) && batch.push(&request.into()));
            prop_assert_eq!(&decide(&policy, &bytes), expected, "{:?}", request);
        }
        decide_batch_encoded(&policy, batch.bytes(), &mut Scratch::default(), &mut answers);
        let answers = EncodedDecisions::new(answers, requests.len()).unwrap();
        prop_assert!(answers.iter().map(|decision| Decision::from_encoded(&decision)).eq(expected));
        Ok(())
    });
}

/// Every fact there is.
const REQUEST: &str = r#"{"action": "GET", "path": "/a", "host": "a.test", "source_ip": "2001:db8::1", "country": "UA",
    "continent": "EU", "credential": "token", "context": {"a": 1}, "now": 7,
    "subject": {"id": "u1", "type": "user", "state": "active", "roles": ["a", "b"], "permission_groups": ["c"],
                "level": 2, "otp": true, "issued_at": 5, "properties": {"b": 2}}}"#;

#[test]
fn what_is_no_encoded_request_is_malformed() {
    let policy = policy(r#"{"version": 1, "public": [{}]}"#);
    let mut bytes = Vec::new();
    assert!(encode(&(&Request::from_json(REQUEST).unwrap()).into(), &mut bytes));
    assert_eq!(decide(&policy, &bytes).reason, Reason::Public);
    for length in 0..bytes.len() {
        assert_eq!(decide(&policy, &bytes[..length]).reason, Reason::MalformedRequest, "{length} bytes");
    }
    for at in 0..bytes.len() {
        for mask in 1..=u8::MAX {
            let mut altered = bytes.clone();
            altered[at] ^= mask;
            // Another request, or none.
            assert_ne!(decide(&policy, &altered).reason, Reason::PolicyUnavailable, "byte {at} ^ {mask}");
        }
    }
    bytes[0] = WIRE_VERSION + 1;
    assert_eq!(decide(&policy, &bytes).reason, Reason::MalformedRequest);
}

#[test]
fn more_names_than_a_request_may_have_are_not_encoded() {
    let mut request = Request::from_json(REQUEST).unwrap();
    let (mut bytes, mut batch) = (Vec::new(), EncodedRequests::default());
    assert!(batch.push(&(&request).into()));
    let before = batch.clone();
    request.subject.as_mut().unwrap().roles = vec!["a".to_owned(); 1 << 16];
    assert!(!encode(&(&request).into(), &mut bytes) && !batch.push(&(&request).into()));
    assert_eq!((batch.len(), batch.bytes()), (1, before.bytes()));
}

#[test]
fn what_is_no_answer_to_a_batch_is_none() {
    let policy = policy(r#"{"version": 1, "rules": [{"effect": "allow", "who": {"anyone": true}, "target": {}}]}"#);
    let mut batch = EncodedRequests::default();
    for _ in 0..2 {
        assert!(batch.push(&(&Request::from_json(REQUEST).unwrap()).into()));
    }
    let mut answers = Vec::new();
    decide_batch_encoded(&policy, batch.bytes(), &mut Scratch::default(), &mut answers);
    assert!(EncodedDecisions::new(answers.clone(), 2).is_some());
    assert!(EncodedDecisions::new(answers.clone(), 1).is_none() && EncodedDecisions::new(answers.clone(), 3).is_none());
    for length in 0..answers.len() {
        assert!(EncodedDecisions::new(answers[..length].to_vec(), 2).is_none(), "{length} bytes");
    }
}
