//! The filter as wasm, under the test host: no bytes of a client, a token or a server are a trap.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::properties::check;
use crate::engines::filter::{Filter, pairs};
use crate::engines::{Engine, Given};
use crate::oracle::Document;
use crate::proxy_wasm::{Answer, Exchange, Pairs, Request};

fn load(filter: &mut Filter, text: &str, revision: u64) {
    let document: Document = serde_json::from_str(text).unwrap();
    filter.load(Given { document: &document, text, revocations: &[], revision }).unwrap();
}

/// Everybody may do everything.
const OPEN: &str = r#"{"version": 1, "rules": [{"effect": "allow", "who": {"anyone": true}, "target": {}}]}"#;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    const TEXTS: [&str; 10] =
        ["", "/", "/a?b", "GET", "a.example", "ua", "Bearer a", "forged", "10.0.0.1:80", "[::1]:443"];
    prop_oneof![2 => select(&TEXTS[..]).prop_map(|text| text.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..12)]
}

/// Often those that a request must have, and often more of them than it may have.
fn headers() -> impl Strategy<Value = Pairs> {
    const NAMES: [&str; 7] =
        [":method", ":path", ":authority", "host", "authorization", "x-client-country", "x_portcullis_subject"];
    let more = vec((select(&NAMES[..]).prop_map(str::to_owned), bytes()), 0..3);
    (any::<bool>(), more).prop_map(|(has_all, more)| {
        let base = pairs(&[(":method", "GET"), (":path", "/"), ("x-portcullis-roles", "forged")]);
        if has_all { [base, more].concat() } else { more }
    })
}

#[test]
fn no_bytes_of_a_request_trap_the_filter_or_get_around_it() {
    let filter = std::cell::RefCell::new(Filter::start().unwrap());
    load(&mut filter.borrow_mut(), OPEN, 1);
    let claims = json!({"sub": "u1", "roles": ["a"], "level": 1, "iat": 7, "otp": true});
    let metadata = Filter::metadata(&claims);
    // A byte changed, all of them, and no token.
    let metadata = prop_oneof![
        (any::<proptest::sample::Index>(), any::<u8>()).prop_map(move |(at, byte)| {
            let mut altered = metadata.clone();
            altered[at.index(metadata.len())] = byte;
            altered
        }),
        vec(any::<u8>(), 0..20),
        Just(Vec::new()),
    ];
    let passed = std::cell::Cell::new(0);
    check(3_000, &(headers(), bytes(), metadata), |(headers, address, metadata)| {
        let properties = [("source.address".to_owned(), address), ("metadata".to_owned(), metadata)].into();
        let request = Request { headers, properties, now: Duration::from_secs(1) };
        let exchange = filter.borrow_mut().proxy.request(request);
        let exchange = exchange.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        let Exchange { passed: has_passed, headers, reply, .. } = exchange;
        prop_assert_eq!(has_passed, reply.is_none());
        prop_assert!(reply.is_none_or(|reply| matches!(reply.status, 400 | 401)));
        let is_forged = |(name, value): &(String, Vec<u8>)| name.contains("portcullis") && value == b"forged";
        prop_assert!(!has_passed || !headers.iter().any(is_forged), "{headers:?}");
        passed.set(passed.get() + usize::from(has_passed));
        Ok(())
    });
    assert!(passed.get() > 300, "only {} of 3,000 requests passed", passed.get());
}

#[test]
fn no_answer_of_the_server_traps_the_filter_or_takes_its_policy() {
    let mut filter = Filter::start().unwrap();
    load(&mut filter, OPEN, 7);
    let filter = std::cell::RefCell::new(filter);
    // After a failure the filter waits, so that time passes from one answer to the next.
    let seconds = std::cell::Cell::new(1_900_000_000);
    let status = prop_oneof![1 => Just(Vec::new()), 4 => select(&["200", "304", "404", "503", "2\u{e9}"][..])
        .prop_map(|status| pairs(&[(":status", status), ("etag", status)]))];
    let body = prop_oneof![Just(Vec::new()), vec(any::<u8>(), 1..300), Just(b"portcullis".to_vec())];
    check(500, &(status, body), |(headers, body)| {
        let proxy = &mut filter.borrow_mut().proxy;
        seconds.set(seconds.get() + 10);
        let now = Duration::from_secs(seconds.get());
        proxy.tick_at(now).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        proxy.answer(Answer { headers, body }).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        let headers = pairs(&[(":method", "GET"), (":path", "/")]);
        let request = Request { headers, now, ..Request::default() };
        let exchange = proxy.request(request).map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        prop_assert!(exchange.passed && proxy.metric("portcullis_policy_revision.tenant.default") == Some(7));
        Ok(())
    });
    let failures = filter.borrow().proxy.metric("portcullis_fetch_failures_total.tenant.default");
    assert!(failures.is_some_and(|failures| failures > 300), "{failures:?} failures counted");
}

#[test]
fn without_a_policy_the_filter_refuses_with_503() {
    let mut filter = Filter::start().unwrap();
    let request = Request { headers: pairs(&[(":method", "GET"), (":path", "/")]), ..Request::default() };
    let exchange = filter.proxy.request(request).unwrap();
    let reply = exchange.reply.unwrap();
    assert_eq!((exchange.passed, reply.status), (false, 503));
    assert_eq!(reply.body, br#"{"reason":"policy_unavailable"}"#);
}
