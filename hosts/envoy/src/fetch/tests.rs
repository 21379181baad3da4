use std::time::Duration;

use portcullis_compiler::{Options, SigningKey};
use serde_json::json;

use crate::fake::{FakeHost, bundle, bundle_with, headers, public_key};
use crate::host::{CallId, Level};
use crate::root::Root;

const POLICY: &str = "{version: 1, public: [{path: {exact: /a}}]}";
const OTHER_POLICY: &str = "{version: 1, public: [{path: {exact: /b}}]}";

/// A configured filter whose first call is on its way.
struct Case {
    host: FakeHost,
    root: Root,
}

impl Case {
    fn start() -> Self {
        let mut case = Self { host: FakeHost::new(), root: Root::default() };
        case.configure();
        case.tick();
        assert_eq!(case.calls(), 1);
        case
    }

    fn tick(&mut self) {
        let delay = self.host.0.borrow().tick_after.expect("the timer is set");
        self.host.advance(delay);
        self.root.on_tick(&self.host);
    }

    fn answer(&mut self, status: &str, etag: Option<&str>, body: &[u8]) {
        let mut answer = vec![(":status", status)];
        answer.extend(etag.map(|etag| ("etag", etag)));
        self.host.0.borrow_mut().answer = (headers(&answer), body.to_vec());
        self.answer_to(self.last_id(), answer.len(), body.len());
    }

    fn answer_to(&mut self, call: CallId, headers: usize, body_bytes: usize) {
        self.root.on_answer(&self.host, call, headers, body_bytes);
    }

    /// The call in flight fails without headers.
    fn reset(&mut self) {
        self.answer_to(self.last_id(), 0, 0);
    }

    fn last_id(&self) -> CallId {
        CallId(u32::try_from(self.calls()).unwrap())
    }

    fn configure(&mut self) {
        let config = json!({"cluster": "server", "token": "ptc_secret", "public_key": public_key()}).to_string();
        assert!(self.root.on_configure(&self.host, config.as_bytes()));
    }

    /// Answers with a bundle, after the server held the call for a while.
    fn answer_with(&mut self, bundle: &[u8]) {
        self.host.advance(Duration::from_secs(1));
        self.answer("200", Some("\"e1\""), bundle);
    }

    fn calls(&self) -> usize {
        self.host.0.borrow().calls.len()
    }

    fn last_call(&self, header: &str) -> Option<String> {
        self.host.0.borrow().calls.last().unwrap().get(header).cloned()
    }

    fn revision(&self) -> Option<u64> {
        self.root.edge().unwrap().borrow().policy.as_ref().map(|policy| policy.revision())
    }

    fn failures(&self) -> u64 {
        self.host.metric("portcullis_fetch_failures_total.tenant.default")
    }

    fn warnings(&self) -> usize {
        self.host.0.borrow().logs.iter().filter(|(level, _)| *level == Level::Warn).count()
    }

    fn next_call_in(&self) -> Duration {
        self.host.0.borrow().tick_after.expect("the timer is set")
    }
}

#[test]
fn asks_for_the_bundle_of_the_tenant() {
    let case = Case::start();
    assert_eq!(case.last_call("cluster").as_deref(), Some("server"));
    assert_eq!(case.last_call(":path").as_deref(), Some("/policy/bundle?tenant=default&wait=25"));
    assert_eq!(case.last_call("authorization").as_deref(), Some("Bearer ptc_secret"));
    assert_eq!(case.last_call("if-none-match"), None);
    assert_eq!(case.revision(), None);
}

#[test]
fn a_bad_configuration_is_refused_and_named() {
    let (host, mut root) = (FakeHost::new(), Root::default());
    assert!(!root.on_configure(&host, br#"{"cluster": "server", "fail_open": true}"#));
    assert!(host.0.borrow().logs[0].1.contains("fail_open"));
    assert!(root.edge().is_none());
}

#[test]
fn takes_a_new_bundle_and_asks_again_at_once() {
    let mut case = Case::start();
    case.answer_with(&bundle(POLICY, 3));
    assert_eq!((case.revision(), case.calls()), (Some(3), 2));
    assert_eq!(case.last_call("if-none-match").as_deref(), Some("\"e1\""));
    assert_eq!(case.host.metric("portcullis_policy_revision.tenant.default"), 3);

    case.answer_with(&bundle(OTHER_POLICY, 4));
    assert_eq!((case.revision(), case.calls(), case.failures()), (Some(4), 3, 0));
}

#[test]
fn asks_again_after_a_wait_that_brought_nothing() {
    let mut case = Case::start();
    case.answer_with(&bundle(POLICY, 3));
    case.host.advance(Duration::from_secs(25));
    case.answer("304", None, b"");
    assert_eq!((case.revision(), case.calls(), case.failures()), (Some(3), 3, 0));
}

#[test]
fn a_server_that_does_not_wait_is_not_hammered() {
    let mut case = Case::start();
    case.answer_with(&bundle(POLICY, 3));
    for status in ["304", "200"] {
        let calls = case.calls();
        case.answer(status, None, if status == "200" { bundle(POLICY, 3) } else { Vec::new() }.as_slice());
        assert_eq!(case.calls(), calls, "{status}");
        assert_eq!(case.next_call_in(), Duration::from_millis(250));
        case.tick();
        assert_eq!(case.calls(), calls + 1);
    }
    assert_eq!(case.failures(), 0);
}

#[test]
fn whatever_goes_wrong_the_last_good_policy_stays() {
    let mut altered = bundle(OTHER_POLICY, 9);
    *altered.last_mut().unwrap() ^= 1;
    let stranger = Options { revision: 9, sign: Some(SigningKey::from_seed(&[8; 32])), ..Options::default() };
    let other_tenant = Options { revision: 9, tenant: "other".parse().unwrap(), ..Options::default() };
    let bodies = [
        ("an older revision", bundle(OTHER_POLICY, 2)),
        ("another tenant", bundle_with(OTHER_POLICY, other_tenant)),
        ("another signer", bundle_with(OTHER_POLICY, stranger)),
        ("altered", altered),
        ("cut off", bundle(OTHER_POLICY, 9)[..100].to_vec()),
        ("not a bundle", b"<html>".to_vec()),
        ("empty", Vec::new()),
    ];
    for (what, body) in bodies {
        let mut case = Case::start();
        case.answer_with(&bundle(POLICY, 3));
        case.answer("200", Some("\"e2\""), &body);
        assert_eq!((case.revision(), case.failures(), case.warnings()), (Some(3), 1, 1), "{what}");
        case.tick();
        assert_eq!(case.last_call("if-none-match").as_deref(), Some("\"e1\""), "{what}");
    }
    for status in ["503", "401", "500", "204", "206", "404"] {
        let mut case = Case::start();
        case.answer_with(&bundle(POLICY, 3));
        case.answer(status, None, &bundle(OTHER_POLICY, 9));
        assert_eq!((case.revision(), case.failures()), (Some(3), 1), "{status}");
    }
}

#[test]
fn an_unsigned_bundle_is_refused() {
    let unsigned = portcullis_compiler::compile(POLICY, &Options { revision: 1, ..Options::default() }).unwrap().bundle;
    let mut case = Case::start();
    case.answer_with(&unsigned);
    assert_eq!((case.revision(), case.failures()), (None, 1));
}

#[test]
fn a_reset_or_a_failing_host_keeps_the_last_good_policy() {
    let mut case = Case::start();
    case.answer_with(&bundle(POLICY, 3));
    case.reset();
    assert_eq!((case.revision(), case.failures()), (Some(3), 1));
    for call in ["answer_headers", "answer_body"] {
        let mut case = Case::start();
        case.host.0.borrow_mut().broken.insert(call);
        case.answer("200", None, &bundle(POLICY, 3));
        assert_eq!((case.revision(), case.failures()), (None, 1), "{call}");
    }
}

#[test]
fn not_modified_without_a_policy_is_a_failure() {
    let mut case = Case::start();
    case.answer("304", None, b"");
    assert_eq!((case.revision(), case.failures()), (None, 1));
}

#[test]
fn backs_off_and_recovers() {
    let mut case = Case::start();
    case.host.0.borrow_mut().broken.insert("call");
    case.reset();
    let mut delays = Vec::new();
    for _ in 0..8 {
        delays.push(case.next_call_in());
        case.tick();
    }
    for (failure, delay) in delays.iter().enumerate() {
        let full = Duration::from_millis(250 << failure).min(Duration::from_secs(5));
        assert!(*delay >= full / 2 && *delay <= full, "failure {failure}: {delay:?}");
    }
    assert_eq!((case.failures(), case.warnings()), (9, 2), "one warning for each kind of trouble");

    case.host.0.borrow_mut().broken.remove("call");
    case.tick();
    case.answer_with(&bundle(POLICY, 3));
    assert_eq!((case.revision(), case.failures()), (Some(3), 9));
    case.host.0.borrow_mut().broken.insert("call");
    case.reset();
    assert!(case.next_call_in() <= Duration::from_millis(250), "a success starts the back-off anew");
}

#[test]
fn a_call_that_the_server_held_for_long_is_repeated_at_once() {
    let mut case = Case::start();
    case.host.advance(Duration::from_secs(25));
    case.answer("404", None, b"");
    assert_eq!((case.calls(), case.failures()), (2, 1));
}

#[test]
fn the_same_configuration_again_starts_afresh() {
    let mut case = Case::start();
    case.answer_with(&bundle(POLICY, 3));
    let before = case.last_id();
    case.configure();
    assert_eq!(case.revision(), None);
    case.tick();
    assert_eq!((case.calls(), case.last_call("if-none-match")), (3, None));

    // The answer that the last configuration waited for changes nothing, whenever it comes.
    case.answer_to(before, 0, 0);
    assert_eq!((case.calls(), case.failures()), (3, 0));
    case.answer_with(&bundle(POLICY, 3));
    assert_eq!((case.revision(), case.calls(), case.failures()), (Some(3), 4, 0));
}

#[test]
fn one_call_at_a_time() {
    let mut case = Case::start();
    case.root.on_tick(&case.host);
    case.root.on_tick(&case.host);
    assert_eq!(case.calls(), 1);
}

#[test]
fn works_without_a_clock() {
    let mut case = Case::start();
    case.host.0.borrow_mut().broken.insert("now");
    case.answer("500", None, b"");
    assert_eq!(case.next_call_in(), Duration::from_millis(125));
    case.tick();
    case.answer("200", None, &bundle(POLICY, 3));
    assert_eq!(case.revision(), Some(3));
}
