//! Conditions from text to outcome, through a bundle that was sealed and opened.

mod conformance;
mod differential;
mod generate;
mod hostile;
mod limits;

use portcullis_bundle::Policy;
use portcullis_core::{Credential, Outcome, Request, Subject, Target, condition_outcome};

use crate::conditions::Conditions;
use crate::model::Model;
use crate::{Options, document, emit, tree};

/// A policy whose only content are conditions, numbered as given; or what is wrong with the first that is refused.
fn policy(texts: &[&str]) -> Result<Policy, String> {
    let mut conditions = Conditions::default();
    for text in texts {
        conditions.compile(text).map_err(|error| format!("{}: {error}", error.offset))?;
    }
    policy_of(conditions)
}

fn policy_of(conditions: Conditions) -> Result<Policy, String> {
    let tree = tree::parse("version: 1").expect("a document");
    let model = Model { conditions, ..document::read(tree.root(), &mut Vec::new()) };
    let bundle = emit::emit(&model, &Options::default()).map_err(|error| error.to_string())?;
    Policy::open(bundle).map_err(|error| error.to_string())
}

/// What a condition says about a request, in one word; or why it is refused.
fn outcome(text: &str, request: &Request<'_>) -> String {
    let policy = match policy(&[text]) {
        Ok(policy) => policy,
        Err(error) => return error,
    };
    match condition_outcome(&policy, 0, request) {
        Some(Outcome::True) => "true".to_owned(),
        Some(Outcome::False) => "false".to_owned(),
        Some(Outcome::Failed) => "failed".to_owned(),
        None => "malformed".to_owned(),
    }
}

const PROPERTIES: &str = r#"{"department": "audit", "limits": {"daily": 100, "rate": 0.5}, "tags": ["a", "b", "c"],
    "none": null, "big": 18446744073709551615, "escaped": "a\n\u00e9", "flags": {"vip": true}, "empty": {}}"#;

/// A request that has every fact of an HTTP request.
fn http() -> Request<'static> {
    Request {
        action: "GET",
        target: Target::Http { host: Some("API.Example.com:443"), path: "/a//b/%7ec?q=1" },
        source_ip: Some("::ffff:203.0.113.9".parse().expect("an address")),
        country: Some("ua"),
        continent: Some("Eu"),
        subject: Some(Subject {
            id: "u1",
            kind: Some("user"),
            state: "active",
            roles: (&["admin", "editor"][..]).into(),
            permission_groups: (&["ops"][..]).into(),
            level: Some(3),
            otp: true,
            issued_at: Some(1_700_000_000),
            properties: Some(PROPERTIES),
        }),
        credential: Credential::Token,
        context: Some(r#"{"purpose": "review", "attempts": [1, 2, 3], "a": {"b": {"c": 1}}}"#),
        now: Some(1_700_003_600),
    }
}

/// A request for a resource with the same subject.
fn resource() -> Request<'static> {
    let properties = Some(r#"{"owner": "u1", "size": 10}"#);
    Request { action: "record.read", target: Target::Resource { kind: "record", id: Some("r1"), properties }, ..http() }
}

/// A request that has as few facts as possible.
fn anonymous() -> Request<'static> {
    Request {
        action: "GET",
        target: Target::Http { host: None, path: "/" },
        source_ip: None,
        country: None,
        continent: None,
        subject: None,
        credential: Credential::None,
        context: None,
        now: None,
    }
}
