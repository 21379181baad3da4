//! Limits of a request: at the bound it is decided on, one past it is malformed.

use portcullis_runtime::{Credential, Reason, Request, Subject, Target};

use crate::engines::{Engine, Given, Native, Oracle};
use crate::oracle::Document;

const POLICY: &str = r#"{"version": 1, "rules": [
    {"effect": "allow", "who": {"anyone": true}, "target": {}},
    {"effect": "allow", "who": {"anyone": true}, "resource": {"types": ["*"], "actions": ["*"]}}
]}"#;

fn http(path: String) -> Request {
    let subject = Subject {
        id: "u1".to_owned(),
        kind: None,
        state: "active".to_owned(),
        roles: Vec::new(),
        permission_groups: Vec::new(),
        level: None,
        otp: false,
        issued_at: None,
        properties: None,
    };
    Request {
        action: "GET".to_owned(),
        target: Target::Http { host: None, path },
        source_ip: None,
        country: None,
        continent: None,
        subject: Some(subject),
        credential: Credential::Token,
        context: None,
        now: None,
    }
}

fn with_subject(change: impl FnMut(&mut Subject)) -> Request {
    let mut request = http("/".to_owned());
    request.subject.iter_mut().for_each(change);
    request
}

fn with_resource(properties: String) -> Request {
    let target = Target::Resource { kind: "record".to_owned(), id: None, properties: Some(properties) };
    Request { target, ..http(String::new()) }
}

fn with_id(id: String) -> Request {
    let target = Target::Resource { kind: "record".to_owned(), id: Some(id), properties: None };
    Request { target, ..http(String::new()) }
}

fn with_context(context: String) -> Request {
    Request { context: Some(context), ..http("/".to_owned()) }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("n{at}")).collect()
}

/// An object of so many bytes.
fn object(bytes: usize) -> String {
    format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8))
}

/// Objects and lists inside each other.
fn nested(depth: usize) -> String {
    format!(r#"{{"a":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1))
}

/// What a limit is about, a request for a number, and the largest number that is allowed.
type Limit = (&'static str, fn(usize) -> Request, usize);

const LIMITS: [Limit; 11] = [
    ("roles", |count| with_subject(|subject| subject.roles = names(count)), 256),
    ("permission groups", |count| with_subject(|subject| subject.permission_groups = names(count)), 256),
    ("bytes of a path", |bytes| http(format!("/{}", "a".repeat(bytes - 1))), 8 << 10),
    ("bytes of a path before its query", |bytes| http(format!("/{}?{0}", "a".repeat(bytes - 1))), 8 << 10),
    // A space becomes three bytes.
    ("spaces of a canonical path", |spaces| http(format!("/a{}", " ".repeat(spaces))), 2730),
    ("bytes of the subject's properties", |bytes| with_subject(|one| one.properties = Some(object(bytes))), 16 << 10),
    ("bytes of the resource's properties", |bytes| with_resource(object(bytes)), 16 << 10),
    ("bytes of context", |bytes| with_context(object(bytes)), 16 << 10),
    ("bytes of a resource's id", |bytes| with_id("r".repeat(bytes)), 8 << 10),
    ("nesting of properties", |depth| with_resource(nested(depth)), 32),
    ("nesting of context", |depth| with_context(nested(depth)), 32),
];

#[track_caller]
fn check(engine: &mut dyn Engine) {
    let document: Document = serde_json::from_str(POLICY).unwrap();
    engine.load(Given { document: &document, text: POLICY, revocations: &[], revision: 1 }).unwrap();
    for (what, request, limit) in LIMITS {
        for (number, expected) in
            [(limit / 2, Reason::Rule), (limit, Reason::Rule), (limit + 1, Reason::MalformedRequest)]
        {
            let decision = engine.decide(&[request(number)]).unwrap().remove(0);
            assert_eq!(decision.reason, expected, "{}: {number} {what}", engine.name());
        }
    }
}

#[test]
fn limits_of_a_request_hold_for_the_oracle() {
    check(&mut Oracle::default());
}

#[test]
fn limits_of_a_request_hold_natively() {
    check(&mut Native::default());
}

#[cfg(feature = "hosts")]
#[test]
fn limits_of_a_request_hold_in_the_component() {
    check(&mut crate::engines::Component::new().unwrap());
}
