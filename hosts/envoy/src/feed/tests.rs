use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::Signer as _;
use portcullis_compiler::{Options, SigningKey, compile};
use serde_json::{Value, json};

use crate::fake::{FakeHost, bundle, bundle_with, config_json, headers};
use crate::host::{CallId, Level};
use crate::root::Root;

const POLICY: &str = "{version: 1, public: [{path: {exact: /a}}]}";
const OTHER_POLICY: &str = "{version: 1, public: [{path: {exact: /b}}]}";
const BUNDLE: &str = "/policy/bundle?tenant=default&wait=25";
const CANDIDATE: &str = "/policy/bundle?tenant=default&candidate=true&wait=25";

/// Workers of one Envoy: they share its data, and each has its own policy.
struct Workers {
    host: FakeHost,
    roots: Vec<Root>,
    answered: BTreeSet<usize>,
}

impl Workers {
    /// Configured, and the leader has asked for everything.
    fn start(count: usize, keys: Value) -> Self {
        let mut workers = Self { host: FakeHost::new(), roots: Vec::new(), answered: BTreeSet::new() };
        (0..count).for_each(|_| workers.add(&keys));
        workers.tick();
        workers
    }

    /// One worker that asks for bundles only.
    fn one() -> Self {
        Self::start(1, json!({"revocations": false}))
    }

    fn add(&mut self, keys: &Value) {
        let mut root = Root::default();
        assert!(root.on_configure(&self.host, config_json(keys.clone()).as_bytes()));
        self.roots.push(root);
    }

    fn tick(&mut self) {
        self.host.advance(Duration::from_millis(100));
        self.roots.iter_mut().for_each(|root| root.on_tick(&self.host));
    }

    fn run(&mut self, time: Duration) {
        let end = self.host.0.borrow().now + time;
        while self.host.0.borrow().now < end {
            self.tick();
        }
    }

    /// The calls in flight whose path begins like this.
    fn asked(&self, path: &str) -> Vec<usize> {
        let state = self.host.0.borrow();
        let calls = state.calls.iter().enumerate().filter(|(index, _)| !self.answered.contains(index));
        calls.filter(|(_, call)| call[":path"].starts_with(path)).map(|(index, _)| index).collect()
    }

    fn call(&self, index: usize) -> BTreeMap<String, String> {
        self.host.0.borrow().calls[index].clone()
    }

    /// Answers the one call to `path`.
    #[track_caller]
    fn answer(&mut self, path: &str, answer: &[(&str, &str)], body: &[u8]) {
        let asked = self.asked(path);
        assert_eq!(asked.len(), 1, "{path}: {:?}", self.host.0.borrow().calls);
        self.answered.insert(asked[0]);
        self.host.0.borrow_mut().answer = (headers(answer), body.to_vec());
        let call = CallId(u32::try_from(asked[0] + 1).unwrap());
        self.roots.iter_mut().for_each(|root| root.on_answer(&self.host, call, answer.len(), body.len()));
    }

    fn answer_bundle(&mut self, bundle: &[u8]) {
        self.answer(BUNDLE, &[(":status", "200"), ("etag", "\"e1\"")], bundle);
    }

    fn answer_revocations(&mut self, body: &Value) {
        let body = body.to_string();
        self.answer(
            "/policy/revocations",
            &[(":status", "200"), ("portcullis-signature", &sign(&body))],
            body.as_bytes(),
        );
    }

    fn revisions(&self) -> Vec<Option<u64>> {
        let revision =
            |root: &Root| root.edge().unwrap().borrow().tenants[0].policy.as_ref().map(|policy| policy.revision());
        self.roots.iter().map(revision).collect()
    }

    fn candidates(&self) -> Vec<Option<u64>> {
        let revision =
            |root: &Root| root.edge().unwrap().borrow().tenants[0].candidate.as_ref().map(|policy| policy.revision());
        self.roots.iter().map(revision).collect()
    }

    fn not_before(&self, subject: &str) -> Vec<Option<u64>> {
        let of = |root: &Root| root.edge().unwrap().borrow().tenants[0].revocations.as_ref()?.not_before(subject);
        self.roots.iter().map(of).collect()
    }

    /// Whether each worker may decide now.
    fn usable(&self) -> Vec<bool> {
        let now = Some(self.host.0.borrow().now);
        let usable = |root: &Root| {
            let edge = root.edge().unwrap();
            let edge = edge.borrow();
            edge.tenants[0].usable_policy(&edge.config, now).is_some()
        };
        self.roots.iter().map(usable).collect()
    }

    fn failures(&self) -> u64 {
        self.host.metric("portcullis_fetch_failures_total.tenant.default")
    }

    fn warnings(&self) -> usize {
        self.host.0.borrow().logs.iter().filter(|(level, _)| *level == Level::Warn).count()
    }
}

fn sign(body: &str) -> String {
    let text = ["portcullis revocations 1\n", body].concat();
    let signature = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).sign(text.as_bytes());
    Base64::encode_string(&signature.to_bytes())
}

fn revocations(since: u64, revision: u64, full: bool, entries: &[(&str, u64)]) -> Value {
    let entries: Vec<_> =
        entries.iter().map(|(subject, not_before)| json!({"subject": subject, "not_before": not_before})).collect();
    json!({"tenant": "default", "since": since, "revision": revision, "full": full, "revocations": entries})
}

// === one worker and the server ===

#[test]
fn asks_for_the_bundle_of_the_tenant() {
    let workers = Workers::one();
    let call = workers.call(workers.asked(BUNDLE)[0]);
    assert_eq!((&*call["cluster"], &*call["authorization"]), ("server", "Bearer ptc_secret"));
    assert_eq!(call.get("if-none-match"), None);
    assert_eq!((workers.revisions(), workers.usable()), (vec![None], vec![false]));
}

#[test]
fn a_bad_configuration_is_refused_and_named() {
    let (host, mut root) = (FakeHost::new(), Root::default());
    assert!(!root.on_configure(&host, br#"{"cluster": "server", "fail_open": true}"#));
    assert!(!host.0.borrow().logs[0].1.is_empty() && root.edge().is_none());
}

#[test]
fn takes_a_new_bundle_and_asks_again_at_once() {
    let mut workers = Workers::one();
    workers.answer_bundle(&bundle(POLICY, 3));
    assert_eq!((workers.revisions(), workers.usable()), (vec![Some(3)], vec![true]));
    assert_eq!(workers.host.metric("portcullis_policy_revision.tenant.default"), 3);
    let next = workers.call(workers.asked(BUNDLE)[0]);
    assert_eq!(next["if-none-match"], "\"e1\"");
    workers.answer_bundle(&bundle(OTHER_POLICY, 4));
    assert_eq!((workers.revisions(), workers.failures()), (vec![Some(4)], 0));
}

#[test]
fn a_server_that_does_not_wait_is_not_hammered() {
    let mut workers = Workers::one();
    workers.answer_bundle(&bundle(POLICY, 3));
    for round in 0..4 {
        if round % 2 == 0 {
            workers.answer(BUNDLE, &[(":status", "304")], b"");
        } else {
            workers.answer_bundle(&bundle(POLICY, 3));
        }
        assert!(workers.asked(BUNDLE).is_empty(), "{round}");
        workers.run(Duration::from_millis(300));
        assert_eq!(workers.asked(BUNDLE).len(), 1, "{round}");
    }
    assert_eq!(workers.failures(), 0);
}

#[test]
fn whatever_goes_wrong_the_last_good_policy_stays() {
    let mut altered = bundle(OTHER_POLICY, 9);
    *altered.last_mut().unwrap() ^= 1;
    let stranger = Options { revision: 9, sign: Some(SigningKey::from_seed(&[8; 32])), ..Options::default() };
    let other_tenant = Options { revision: 9, tenant: "other".parse().unwrap(), ..Options::default() };
    let expired = Options { revision: 9, expires: Some(1_700_000_000), ..Options::default() };
    let unsigned = compile(OTHER_POLICY, &Options { revision: 9, ..Options::default() }).unwrap().bundle;
    let newer = bundle(OTHER_POLICY, 9);
    let answers = [
        ("an older revision", "200", bundle(OTHER_POLICY, 2)),
        ("a candidate", "200", bundle(OTHER_POLICY, 0)),
        ("another tenant", "200", bundle_with(OTHER_POLICY, other_tenant)),
        ("another signer", "200", bundle_with(OTHER_POLICY, stranger)),
        ("no signer", "200", unsigned),
        ("expired", "200", bundle_with(OTHER_POLICY, expired)),
        ("altered", "200", altered),
        ("cut off", "200", newer[..100].to_vec()),
        ("not a bundle", "200", b"<html>".to_vec()),
        ("empty", "200", Vec::new()),
        ("unavailable", "503", newer.clone()),
        ("timeout", "504", newer.clone()),
        ("forbidden", "401", newer.clone()),
        ("no policy any more", "404", newer.clone()),
        ("a part", "206", newer),
    ];
    for (what, status, body) in answers {
        let mut workers = Workers::start(2, json!({"revocations": false}));
        workers.answer_bundle(&bundle(POLICY, 3));
        workers.answer(BUNDLE, &[(":status", status), ("etag", "\"e2\"")], &body);
        workers.run(Duration::from_secs(2));
        assert_eq!((workers.revisions(), workers.usable()), (vec![Some(3); 2], vec![true; 2]), "{what}");
        assert_eq!((workers.failures(), workers.warnings()), (1, 1), "{what}");
        assert_eq!(workers.call(workers.asked(BUNDLE)[0])["if-none-match"], "\"e1\"", "{what}");
    }
}

#[test]
fn a_candidate_is_never_the_first_policy() {
    let mut workers = Workers::one();
    workers.answer(BUNDLE, &[(":status", "200"), ("etag", "\"e1\"")], &bundle(POLICY, 0));
    workers.run(Duration::from_secs(2));
    assert_eq!((workers.revisions(), workers.usable(), workers.failures()), (vec![None], vec![false], 1));
}

#[test]
fn a_reset_or_a_failing_host_keeps_the_last_good_policy() {
    let mut workers = Workers::one();
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.answer(BUNDLE, &[], b"");
    assert_eq!((workers.revisions(), workers.failures()), (vec![Some(3)], 1));
    for call in ["answer_headers", "answer_body"] {
        let mut workers = Workers::one();
        workers.host.0.borrow_mut().broken.insert(call);
        workers.answer_bundle(&bundle(POLICY, 3));
        assert_eq!((workers.revisions(), workers.failures()), (vec![None], 1), "{call}");
    }
}

#[test]
fn not_modified_without_a_policy_is_a_failure() {
    let mut workers = Workers::one();
    workers.answer(BUNDLE, &[(":status", "304")], b"");
    assert_eq!((workers.revisions(), workers.failures()), (vec![None], 1));
}

#[test]
fn backs_off_and_recovers() {
    let mut workers = Workers::one();
    workers.host.0.borrow_mut().broken.insert("call");
    workers.answer(BUNDLE, &[], b"");
    workers.run(Duration::from_secs(60));
    let failures = workers.failures();
    assert!((16..40).contains(&failures), "{failures} failures in a minute");
    assert_eq!(workers.warnings(), 2, "one warning for each kind of trouble");
    workers.host.0.borrow_mut().broken.remove("call");
    workers.run(Duration::from_secs(5));
    workers.answer_bundle(&bundle(POLICY, 3));
    assert_eq!(workers.revisions(), [Some(3)]);
    workers.answer(BUNDLE, &[], b"");
    workers.run(Duration::from_millis(300));
    assert_eq!(workers.asked(BUNDLE).len(), 1, "a success starts the back-off anew");
}

#[test]
fn a_call_that_is_never_answered_is_given_up() {
    let mut workers = Workers::one();
    workers.run(Duration::from_secs(39));
    assert_eq!(workers.asked(BUNDLE).len(), 1);
    workers.run(Duration::from_secs(3));
    assert_eq!(workers.asked(BUNDLE).len(), 2);
}

#[test]
fn a_clock_that_goes_back_stops_nothing() {
    let mut workers = Workers::one();
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.answer(BUNDLE, &[(":status", "304")], b"");
    workers.host.0.borrow_mut().now -= Duration::from_secs(3600);
    workers.run(Duration::from_secs(2));
    assert_eq!(workers.asked(BUNDLE).len(), 1);
    assert_eq!(workers.usable(), [false], "what was confirmed in the future is not fresh");
    workers.answer(BUNDLE, &[(":status", "304")], b"");
    assert_eq!(workers.usable(), [true]);
}

#[test]
fn without_a_clock_nothing_is_decided() {
    let mut workers = Workers::one();
    workers.answer_bundle(&bundle(POLICY, 3));
    let edge = workers.roots[0].edge().unwrap();
    let edge = edge.borrow();
    assert!(edge.tenants[0].usable_policy(&edge.config, None).is_none());
}

/// Found in the demo: for its first second a policy was as old as the epoch.
#[test]
fn a_policy_has_no_age_before_the_revocations_are_known() {
    let mut workers = Workers::start(1, json!({}));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.run(Duration::from_secs(3));
    let is_age = |name: &String| name.starts_with("portcullis_policy_age_seconds");
    assert_eq!(workers.revisions(), [Some(3)]);
    assert!(!workers.host.0.borrow().metrics.keys().any(is_age));
}

#[test]
fn a_policy_that_is_not_confirmed_is_too_old_after_max_stale() {
    let mut workers = Workers::start(2, json!({"revocations": false, "max_stale": 60}));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.tick();
    workers.answer(BUNDLE, &[(":status", "503")], b"");
    workers.host.0.borrow_mut().broken.insert("call");
    workers.run(Duration::from_secs(59));
    assert_eq!(workers.usable(), [true; 2]);
    let age = workers.host.metric("portcullis_policy_age_seconds.tenant.default");
    assert!((57..=60).contains(&age), "{age}");
    workers.run(Duration::from_secs(2));
    assert_eq!((workers.usable(), workers.revisions()), (vec![false; 2], vec![Some(3); 2]));

    workers.host.0.borrow_mut().broken.remove("call");
    workers.run(Duration::from_secs(6));
    workers.answer(BUNDLE, &[(":status", "304")], b"");
    workers.tick();
    assert_eq!(workers.usable(), [true; 2], "one answer is enough");
}

#[test]
fn the_wait_fits_into_max_stale() {
    for (max_stale, wait) in [(2, 1), (3, 1), (10, 5), (50, 25), (86_400, 25)] {
        let workers = Workers::start(1, json!({"max_stale": max_stale, "revocations": false}));
        let path = workers.call(0)[":path"].clone();
        assert_eq!(path, format!("/policy/bundle?tenant=default&wait={wait}"));
    }
}

// === several workers ===

#[test]
fn one_worker_asks_and_all_have_the_policy_within_a_tick() {
    let mut workers = Workers::start(4, json!({}));
    assert_eq!((workers.asked("/policy/bundle").len(), workers.asked("/policy/revocations").len()), (1, 1));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.answer_revocations(&revocations(0, 0, true, &[]));
    workers.tick();
    assert_eq!((workers.revisions(), workers.usable()), (vec![Some(3); 4], vec![true; 4]));
    workers.answer_bundle(&bundle(OTHER_POLICY, 4));
    workers.tick();
    assert_eq!(workers.revisions(), [Some(4); 4]);
    workers.run(Duration::from_secs(20));
    assert_eq!((workers.asked("/policy/bundle").len(), workers.failures()), (1, 0));
}

#[test]
fn another_takes_over_about_a_second_after_the_leader_died() {
    let mut workers = Workers::start(3, json!({"revocations": false}));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.tick();
    // The first that found the lease free leads.
    workers.roots.remove(0);
    let abandoned = workers.asked(BUNDLE);
    workers.run(Duration::from_millis(500));
    assert_eq!(workers.asked(BUNDLE), abandoned);
    workers.run(Duration::from_millis(700));
    assert_eq!(workers.asked(BUNDLE).len(), 2);
    workers.answered.extend(abandoned);
    let call = workers.call(workers.asked(BUNDLE)[0]);
    assert_eq!(call["if-none-match"], "\"e1\"", "what was shared is not fetched again");
    workers.answer_bundle(&bundle(OTHER_POLICY, 4));
    workers.tick();
    assert_eq!(workers.revisions(), [Some(4); 2]);
}

#[test]
fn a_new_worker_has_the_policy_with_its_configuration() {
    let mut workers = Workers::start(1, json!({}));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.answer_revocations(&revocations(0, 5, true, &[("u7", 9)]));
    workers.add(&json!({}));
    assert_eq!((workers.revisions(), workers.usable()), (vec![Some(3); 2], vec![true; 2]));
    assert_eq!(workers.not_before("u7"), [Some(9); 2]);
    // Other settings share it, another source does not.
    workers.add(&json!({"path_mode": "rewrite"}));
    for source in [json!({"token": "other"}), json!({"cluster": "other"}), json!({"tenant": "other"})] {
        workers.add(&source);
    }
    assert_eq!(workers.usable(), [true, true, true, false, false, false]);
}

#[test]
fn shared_bytes_that_are_not_the_ones_of_the_record_are_not_used() {
    let stranger = Options { revision: 3, sign: Some(SigningKey::from_seed(&[8; 32])), ..Options::default() };
    for other in [bundle_with(OTHER_POLICY, stranger), bundle(OTHER_POLICY, 3), b"garbage".to_vec(), Vec::new()] {
        let mut workers = Workers::start(1, json!({"revocations": false}));
        workers.answer_bundle(&bundle(POLICY, 3));
        let key = workers.host.0.borrow().shared.keys().find(|key| key.contains("/bundle/")).unwrap().clone();
        workers.host.0.borrow_mut().shared.get_mut(&key).unwrap().0 = other;
        workers.add(&json!({"revocations": false}));
        workers.tick();
        assert_eq!((workers.revisions(), workers.usable()), (vec![Some(3), None], vec![true, false]));
    }
}

#[test]
fn what_is_shared_and_cannot_be_read_is_shared_anew() {
    for item in ["/record", "/revocations/"] {
        let mut workers = Workers::start(1, json!({}));
        workers.answer_bundle(&bundle(POLICY, 3));
        workers.answer_revocations(&revocations(0, 5, true, &[("u7", 9)]));
        let key = workers.host.0.borrow().shared.keys().find(|key| key.contains(item)).unwrap().clone();
        workers.host.0.borrow_mut().shared.get_mut(&key).unwrap().0 = b"garbage".to_vec();
        workers.add(&json!({}));
        workers.tick();
        assert!(!workers.usable()[1], "{item}");
        workers.answer_bundle(&bundle(POLICY, 3));
        workers.answer_revocations(&revocations(5, 6, false, &[("u8", 9)]));
        workers.tick();
        assert_eq!((workers.usable(), workers.not_before("u7")), (vec![true; 2], vec![Some(9); 2]), "{item}");
    }
}

#[test]
fn a_late_leader_never_brings_back_an_older_policy() {
    let mut workers = Workers::start(2, json!({"revocations": false}));
    // The leader hangs in the middle of a call, the other takes over and has a newer policy.
    let late = workers.roots.remove(0);
    let call = workers.asked(BUNDLE)[0];
    workers.answered.insert(call);
    workers.run(Duration::from_millis(1500));
    workers.answer_bundle(&bundle(OTHER_POLICY, 4));
    workers.roots.push(late);
    workers.answered.remove(&call);
    let asked = workers.asked(BUNDLE);
    workers.answered.extend(asked.into_iter().filter(|asked| *asked != call));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.tick();
    assert_eq!(workers.revisions(), [Some(4); 2]);
    assert_eq!(workers.failures(), 1);
}

#[test]
fn without_shared_data_nothing_is_ever_allowed() {
    for call in ["shared", "set_shared"] {
        let host = FakeHost::with(|state| _ = state.broken.insert(call));
        let mut root = Root::default();
        assert!(root.on_configure(&host, config_json(json!({})).as_bytes()));
        (0..30).for_each(|_| {
            host.advance(Duration::from_millis(100));
            root.on_tick(&host);
        });
        assert!(
            host.0.borrow().calls.is_empty() && root.edge().unwrap().borrow().tenants[0].policy.is_none(),
            "{call}"
        );
    }
}

#[test]
fn the_same_configuration_again_keeps_the_policy() {
    let mut workers = Workers::one();
    workers.answer_bundle(&bundle(POLICY, 3));
    let before = workers.asked(BUNDLE);
    let json = config_json(json!({"revocations": false}));
    assert!(workers.roots[0].on_configure(&workers.host, json.as_bytes()));
    assert_eq!(workers.revisions(), [Some(3)]);
    workers.tick();
    // The answer that the last configuration waited for changes nothing.
    workers.answered.extend(workers.asked(BUNDLE).into_iter().filter(|call| !before.contains(call)));
    workers.answer_bundle(&bundle(OTHER_POLICY, 4));
    assert_eq!((workers.revisions(), workers.failures()), (vec![Some(3)], 0));
}

// === revocations ===

#[test]
fn nothing_is_decided_before_the_revocations_are_known() {
    let mut workers = Workers::start(2, json!({}));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.tick();
    assert_eq!((workers.revisions(), workers.usable()), (vec![Some(3); 2], vec![false; 2]));
    let call = workers.call(workers.asked("/policy/revocations")[0]);
    assert_eq!(call[":path"], "/policy/revocations?tenant=default&since=0&wait=0");
    workers.answer_revocations(&revocations(0, 0, true, &[]));
    workers.tick();
    assert_eq!(workers.usable(), [true; 2]);
}

#[test]
fn changes_add_up_and_reach_every_worker_within_a_tick() {
    let mut workers = Workers::start(2, json!({}));
    workers.answer_revocations(&revocations(0, 2, true, &[("u1", 10), ("u2", 20)]));
    workers.tick();
    assert_eq!(
        workers.call(workers.asked("/policy/revocations")[0])[":path"].split_once("since=").unwrap().1,
        "2&wait=25"
    );
    workers.answer_revocations(&revocations(2, 4, false, &[("u3", 30), ("u1", 11), ("u2", 5)]));
    workers.tick();
    let found: Vec<_> = ["u1", "u2", "u3", "u4"].into_iter().map(|subject| workers.not_before(subject)).collect();
    assert_eq!(found, [[Some(11); 2], [Some(20); 2], [Some(30); 2], [None; 2]], "the later time wins");
    // The server lost its data: what it says now is all there is.
    workers.answer_revocations(&revocations(4, 1, true, &[("u4", 40)]));
    workers.tick();
    assert_eq!((workers.not_before("u1"), workers.not_before("u4")), (vec![None; 2], vec![Some(40); 2]));
}

#[test]
fn a_long_answer_comes_in_pages_and_counts_when_it_is_whole() {
    let names: Vec<String> = (0..10_000).map(|index| format!("s{index}")).collect();
    let page: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let mut workers = Workers::start(1, json!({}));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.answer_revocations(&revocations(0, 10_000, true, &page));
    assert_eq!((workers.not_before("s1"), workers.usable()), (vec![None], vec![false]));
    workers.answer_revocations(&revocations(10_000, 10_001, false, &[("u7", 7)]));
    assert_eq!((workers.not_before("s1"), workers.not_before("u7")), (vec![Some(1)], vec![Some(7)]));
    assert_eq!(workers.usable(), [true]);
}

#[test]
fn a_late_leader_never_takes_away_revocations() {
    let mut workers = Workers::start(2, json!({}));
    workers.answer_revocations(&revocations(0, 2, true, &[("u1", 10), ("u2", 20)]));
    // The leader hangs in the middle of a call, the other takes over, asks for all, and has one more.
    let late = workers.roots.remove(0);
    let call = workers.asked("/policy/revocations")[0];
    workers.answered.insert(call);
    workers.run(Duration::from_millis(1500));
    workers.answer_revocations(&revocations(0, 3, true, &[("u1", 10), ("u2", 20), ("u3", 30)]));
    workers.roots.push(late);
    workers.tick();
    workers.answered.remove(&call);
    let asked = workers.asked("/policy/revocations");
    workers.answered.extend(asked.into_iter().filter(|asked| *asked != call));
    workers.answer_revocations(&revocations(2, 3, false, &[("u3", 30)]));
    workers.tick();
    let found: Vec<_> = ["u1", "u2", "u3"].into_iter().map(|subject| workers.not_before(subject)).collect();
    assert_eq!(found, [[Some(10); 2], [Some(20); 2], [Some(30); 2]]);
}

#[test]
fn revocations_that_are_wrong_are_refused() {
    let good = revocations(0, 1, true, &[("u1", 10)]);
    let changed = |key: &str, value: Value| {
        let mut changed = good.clone();
        changed[key] = value;
        changed.to_string()
    };
    let body = good.to_string();
    let ok = sign(&body);
    let bundle_signature = {
        let signature = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).sign(body.as_bytes());
        Base64::encode_string(&signature.to_bytes())
    };
    let refused = [
        ("200", body.clone(), String::new()),
        ("200", body.clone(), "AAAA".to_owned()),
        ("200", body.clone(), sign("other")),
        ("200", body.clone(), bundle_signature),
        ("200", changed("tenant", json!("other")), sign(&changed("tenant", json!("other")))),
        ("200", changed("since", json!(1)), sign(&changed("since", json!(1)))),
        ("200", changed("revision", json!("1")), sign(&changed("revision", json!("1")))),
        ("200", changed("full", json!(null)), sign(&changed("full", json!(null)))),
        (
            "200",
            changed("revocations", json!([{"subject": "u1"}])),
            sign(&changed("revocations", json!([{"subject": "u1"}]))),
        ),
        ("200", "[]".to_owned(), sign("[]")),
        ("200", "x".to_owned(), sign("x")),
        ("404", body.clone(), ok.clone()),
        ("500", body.clone(), ok),
    ];
    for (status, body, signature) in refused {
        let mut workers = Workers::start(1, json!({}));
        let answer = [(":status", status), ("portcullis-signature", &*signature)];
        workers.answer("/policy/revocations", &answer, body.as_bytes());
        assert_eq!((workers.failures(), workers.not_before("u1")), (1, vec![None]), "{status} {body}");
    }
    let mut workers = Workers::start(1, json!({}));
    workers.answer_revocations(&revocations(0, 5, true, &[("u1", 10)]));
    workers.answer_revocations(&revocations(5, 4, false, &[("u1", 99)]));
    assert_eq!((workers.failures(), workers.not_before("u1")), (1, vec![Some(10)]), "an older revision");
}

#[test]
fn revocations_that_are_not_confirmed_make_the_policy_too_old() {
    let mut workers = Workers::start(1, json!({"max_stale": 60}));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.answer_revocations(&revocations(0, 0, true, &[]));
    for _ in 0..4 {
        workers.run(Duration::from_secs(20));
        workers.answer(BUNDLE, &[(":status", "304")], b"");
        workers.tick();
    }
    assert_eq!(workers.usable(), [false]);
}

#[test]
fn the_whole_set_is_asked_for_again_after_hours() {
    let mut workers = Workers::start(1, json!({}));
    workers.answer_revocations(&revocations(0, 5, true, &[("u1", 10)]));
    workers.answered.extend(workers.asked("/"));
    workers.host.advance(Duration::from_secs(7 * 3600));
    workers.tick();
    assert!(workers.call(workers.asked("/policy/revocations")[0])[":path"].contains("since=0&"));
    workers.answer_revocations(&revocations(0, 5, true, &[]));
    assert_eq!(workers.not_before("u1"), [None]);
}

// === the candidate ===

#[test]
fn a_candidate_comes_and_goes_beside_the_policy() {
    let mut workers = Workers::start(2, json!({"revocations": false, "shadow": true}));
    workers.answer_bundle(&bundle(POLICY, 3));
    workers.answer(CANDIDATE, &[(":status", "404")], b"");
    workers.run(Duration::from_secs(6));
    assert_eq!((workers.candidates(), workers.failures()), (vec![None; 2], 0));
    workers.answer(CANDIDATE, &[(":status", "200"), ("etag", "\"c\"")], &bundle(OTHER_POLICY, 1));
    workers.tick();
    assert_eq!((workers.candidates(), workers.revisions()), (vec![Some(1); 2], vec![Some(3); 2]));
    assert_eq!(workers.call(workers.asked(CANDIDATE)[0])["if-none-match"], "\"c\"");
    workers.answer(CANDIDATE, &[(":status", "200")], b"garbage");
    workers.run(Duration::from_secs(1));
    assert_eq!((workers.candidates(), workers.usable()), (vec![Some(1); 2], vec![true; 2]));
    workers.answer(CANDIDATE, &[(":status", "404")], b"");
    workers.tick();
    assert_eq!((workers.candidates(), workers.usable()), (vec![None; 2], vec![true; 2]));
}

#[test]
fn nobody_asks_for_a_candidate_unless_told() {
    let workers = Workers::start(1, json!({}));
    assert!(workers.asked(CANDIDATE).is_empty());
}

// === several tenants ===

#[test]
fn each_tenant_has_its_own_policy_and_token() {
    let mut workers = Workers::start(1, json!({"revocations": false, "tenants": [{"tenant": "acme", "token": "t2"}]}));
    let path = "/policy/bundle?tenant=acme&wait=25";
    assert_eq!(workers.call(workers.asked(path)[0])["authorization"], "Bearer t2");
    let acme = Options { revision: 7, tenant: "acme".parse().unwrap(), ..Options::default() };
    workers.answer(path, &[(":status", "200")], &bundle_with(OTHER_POLICY, acme));
    workers.answer_bundle(&bundle(POLICY, 3));
    let edge = workers.roots[0].edge().unwrap();
    let revisions: Vec<_> =
        edge.borrow().tenants.iter().map(|tenant| tenant.policy.as_ref().unwrap().revision()).collect();
    assert_eq!(revisions, [3, 7]);
}
