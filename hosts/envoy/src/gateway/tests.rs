use portcullis_core::Credential;
use serde_json::{Value, json};

use super::{Answer, Question};
use crate::config::Gateway;
use crate::extract::Malformed;
use crate::fake::{FakeHost, config, headers, packed};
use crate::identity::Unreadable;

const NOW: u64 = 1_700_000_000;

fn question(pairs: &[(&str, &str)], authorization: Option<&str>) -> Result<Option<Question>, Malformed> {
    let gateway = Gateway { cookie: Some("sid".to_owned()), timeout_ms: 1 };
    Question::read(&packed(&headers(pairs)), &gateway, authorization)
}

/// What the server is asked about these headers, without what every call has.
fn asked(pairs: &[(&str, &str)], authorization: Option<&str>) -> Vec<(String, String)> {
    let config = config(json!({"gateway": {"cookie": "sid"}}));
    let host = FakeHost::new();
    let question = question(pairs, authorization).unwrap().unwrap();
    question.ask(&host, &config, config.gateway.as_ref().unwrap(), &config.tenants[0]).unwrap();
    let call = host.0.borrow().calls[0].clone();
    assert_eq!((&*call[":path"], &*call["authorization"]), ("/gateway/identity?tenant=default", "Bearer ptc_secret"));
    call.into_iter().filter(|(name, _)| name.starts_with("x-")).collect()
}

#[test]
fn forwards_the_credentials_and_nothing_else() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let cookies = [("cookie", "a=1; sid=s3cret; b=2"), ("cookie", "sidx=2"), ("x-other", "y")];
    assert_eq!(asked(&cookies, None), [pair("x-portcullis-forwarded-cookie", "sid=s3cret")]);
    assert_eq!(asked(&[("x-api-key", "k")], None), [pair("x-portcullis-forwarded-api-key", "k")]);
    assert_eq!(asked(&[], Some("Basic abc")), [pair("x-portcullis-forwarded-authorization", "Basic abc")]);
}

#[test]
fn without_credentials_nothing_is_asked() {
    assert_eq!(question(&[("cookie", "a=1; xsid=2; sid"), ("x-key", "k")], None), Ok(None));
    let none = Gateway { cookie: None, timeout_ms: 1 };
    assert_eq!(Question::read(&packed(&headers(&[("cookie", "sid=1")])), &none, None), Ok(None));
}

#[test]
fn credentials_that_are_not_clear_are_malformed() {
    for pairs in [
        &[("cookie", "sid=1; sid=1")][..],
        &[("cookie", "sid=1"), ("cookie", "sid=2")],
        &[("cookie", "sid=\u{e9}")],
        &[("x-api-key", "a"), ("x-api-key", "a")],
        &[("x-api-key", "\u{e9}")],
    ] {
        assert_eq!(question(pairs, None), Err(Malformed), "{pairs:?}");
    }
}

/// T9: whatever changes the answer is part of the key.
#[test]
fn answers_are_remembered_by_every_part_of_the_question() {
    let config = config(json!({"tenants": [{"tenant": "acme", "token": "t"}]}));
    let key = |pairs: &[(&str, &str)], authorization, tenant: usize| {
        question(pairs, authorization).unwrap().unwrap().key(&config.tenants[tenant])
    };
    let keys = [
        key(&[("cookie", "sid=1")], None, 0),
        key(&[("cookie", "sid=1")], None, 1),
        key(&[("x-api-key", "sid=1")], None, 0),
        key(&[], Some("sid=1"), 0),
        key(&[("cookie", "sid=1"), ("x-api-key", "")], None, 0),
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{index}");
    }
    assert_eq!(key(&[("cookie", "sid=1; z=3")], None, 0), keys[0]);
}

fn read(status: &str, body: &str) -> Result<Answer, Unreadable> {
    let host = FakeHost::with(|state| state.answer = (headers(&[(":status", status)]), body.as_bytes().to_vec()));
    Answer::read(&host, 1, body.len(), NOW)
}

fn known() -> Value {
    json!({"subject": {"id": "u1", "type": "user", "state": "active", "roles": ["a"], "permission_groups": [], "level": 3,
        "otp": true, "properties": {"team": [1.5]}}, "credential": "session", "issued_at": 7, "expires": NOW + 1})
}

#[test]
fn reads_the_subject_with_all_its_facts() {
    let Ok(Answer::Known(identity)) = read("200", &known().to_string()) else { panic!() };
    assert_eq!((&*identity.id, identity.kind.as_deref(), identity.level), ("u1", Some("user"), Some(3)));
    assert_eq!((identity.otp, identity.issued_at, identity.expires), (true, Some(7), Some(NOW + 1)));
    assert_eq!(identity.properties.as_deref(), Some(r#"{"team":[1.5]}"#));
    for (name, credential) in
        [("session", Credential::Session), ("api_key", Credential::ApiKey), ("jwt", Credential::Token)]
    {
        let mut answer = known();
        answer["credential"] = json!(name);
        let Ok(Answer::Known(identity)) = read("200", &answer.to_string()) else { panic!() };
        assert_eq!(identity.credential, credential);
    }
    let small = json!({"subject": {"id": "u1", "type": null, "properties": null}, "credential": "jwt", "issued_at": 1,
        "expires": NOW + 1});
    let Ok(Answer::Known(identity)) = read("200", &small.to_string()) else { panic!() };
    assert_eq!((&*identity.state, &identity.kind, &identity.properties), ("active", &None, &None));
}

#[test]
fn anonymous_and_wrong_are_not_the_same() {
    assert_eq!(read("204", ""), Ok(Answer::Nobody));
    assert_eq!(read("401", "{}"), Ok(Answer::Wrong));
}

#[test]
fn everything_else_is_an_error() {
    for status in ["200", "403", "404", "429", "500", "503", "504", "302"] {
        assert_eq!(read(status, ""), Err(Unreadable), "{status}");
    }
    let changed = |key: &str, value: Value| {
        let mut answer = known();
        answer[key] = value;
        answer.to_string()
    };
    for body in [
        "x".to_owned(),
        "[]".to_owned(),
        changed("subject", json!(null)),
        changed("subject", json!({"id": ""})),
        changed("subject", json!({"id": "u1", "roles": "a"})),
        changed("credential", json!("none")),
        changed("credential", json!(null)),
        changed("issued_at", json!(null)),
        changed("expires", json!(NOW)),
        changed("expires", json!(null)),
        changed("expires", json!("never")),
    ] {
        assert_eq!(read("200", &body), Err(Unreadable), "{body}");
    }
    assert_eq!(Answer::read(&FakeHost::new(), 0, 0, NOW), Err(Unreadable));
    for call in ["answer_headers", "answer_body"] {
        let body = known().to_string();
        let host = FakeHost::with(|state| {
            state.answer = (headers(&[(":status", "200")]), body.clone().into_bytes());
            state.broken.insert(call);
        });
        assert_eq!(Answer::read(&host, 1, body.len(), NOW), Err(Unreadable), "{call}");
    }
}
