//! A server that fails in each way it can, in front of a real Envoy: never a wrong allow, and the last good policy stays.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_artifacts::ENVOY_FILTER_PATH;
use portcullis_bundle::SigningKey;
use portcullis_compiler::{Options, compile};
use portcullis_rig::envoy::shown_decision;
use portcullis_rig::process::poll;
use portcullis_rig::{Answer, Envoy, EnvoyBinary, EnvoySetup, Origin, Request, Upstream};
use serde_json::json;
use tempfile::TempDir;

use super::{TIMEOUT, check_denied};

/// An Envoy with two workers, whose server is an `Origin`.
pub(super) struct Edge {
    pub(super) envoy: Envoy,
    pub(super) origin: Origin,
    pub(super) upstream: Upstream,
    pub(super) folder: TempDir,
}

/// What is compiled.
pub(super) struct Published {
    pub(super) document: String,
    pub(super) revision: u64,
    pub(super) expires: Option<u64>,
    pub(super) tenant: &'static str,
    pub(super) seed: u8,
}

pub(super) const OPEN: &str = "{\"version\": 1, \"public\": [{\"path\": {\"exact\": \"/public\"}}]}";
const CLOSED: &str = "{\"version\": 1, \"public\": [{\"path\": {\"exact\": \"/other\"}}]}";

impl Edge {
    pub(super) fn start(answer: Answer, change: impl FnOnce(&mut EnvoySetup)) -> Self {
        let folder = TempDir::new().unwrap();
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
        let (origin, upstream) = (Origin::start(answer).unwrap(), Upstream::start().unwrap());
        let key = SigningKey::from_seed(&[1; 32]).public_key().to_string();
        let filter = Path::new(ENVOY_FILTER_PATH);
        let mut setup = EnvoySetup::new(filter, upstream.address(), origin.address(), "token", &key);
        setup.workers = 2;
        setup.show_decisions = true;
        setup.more = json!({"revocations": false});
        change(&mut setup);
        let envoy = Envoy::start(&EnvoyBinary::find_or_install(&tools).unwrap(), &setup, folder.path()).unwrap();
        Self { envoy, origin, upstream, folder }
    }

    /// Waits until both workers decide by this revision.
    pub(super) fn wait_for(&self, revision: u64) {
        let is_it = |response: &_| shown_decision(response).is_ok_and(|decision| decision["revision"] == revision);
        self.envoy.wait_until_all("both workers to have the policy", &probe(), TIMEOUT, is_it).unwrap();
    }

    fn wait_for_none(&self) {
        let is_none = |response: &portcullis_rig::Response| response.status == 503;
        self.envoy.wait_until_all("both workers to have no policy", &probe(), TIMEOUT, is_none).unwrap();
    }

    fn failures(&self) -> u64 {
        let metrics = self.envoy.filter_metrics().unwrap();
        let counts = metrics.iter().filter(|line| line.starts_with("portcullis_fetch_failures_total"));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }
}

pub(super) fn probe() -> Request {
    Request::get("/public")
}

impl Published {
    pub(super) fn new(document: &str, revision: u64) -> Self {
        Self { document: document.to_owned(), revision, expires: None, tenant: "default", seed: 1 }
    }

    pub(super) fn bundle(&self) -> Vec<u8> {
        let options = Options {
            revision: self.revision,
            expires: self.expires,
            tenant: self.tenant.parse().unwrap(),
            sign: Some(SigningKey::from_seed(&[self.seed; 32])),
            ..Options::default()
        };
        compile(&self.document, &options).unwrap().bundle
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn whatever_envoy_gets_instead_of_a_newer_policy_the_last_good_one_stays() {
    let edge = Edge::start(Answer::HangUp, |_| {});
    check_denied(&edge.envoy.send(&probe()).unwrap(), 503, "policy_unavailable");
    let mut good = 10;
    edge.origin.answer(Answer::Bundle(Published::new(OPEN, good).bundle()));
    edge.wait_for(good);

    let other = |change: fn(&mut Published)| {
        let mut published = Published::new(CLOSED, 1_000);
        change(&mut published);
        published.bundle()
    };
    let whole = other(|_| {});
    let bad = [
        ("500", Answer::Plain(500, whole.clone())),
        ("404", Answer::Plain(404, Vec::new())),
        ("nothing", Answer::Plain(200, Vec::new())),
        ("garbage", Answer::Plain(200, b"<html>proxy error</html>".repeat(1_000))),
        ("a truncated bundle", Answer::Plain(200, whole[..whole.len() / 2].to_vec())),
        ("a body that ends early", Answer::Half(whole.clone())),
        ("no answer", Answer::HangUp),
        ("silence", Answer::Silence),
        ("another signer", Answer::Plain(200, other(|published| published.seed = 2))),
        ("another tenant", Answer::Plain(200, other(|published| published.tenant = "acme"))),
        ("an older revision", Answer::Plain(200, other(|published| published.revision = 9))),
        ("an expired one", Answer::Plain(200, other(|published| published.expires = Some(1_000)))),
    ];
    for (what, answer) in bad {
        let (before, is_silent) = (edge.failures(), matches!(answer, Answer::Silence));
        edge.origin.answer(answer);
        poll(what, TIMEOUT, || {
            let is_noticed = if is_silent { edge.origin.requests() > 0 } else { edge.failures() > before };
            Ok(is_noticed.then_some(()))
        })
        .unwrap();
        for _ in 0..20 {
            let response = edge.envoy.send(&probe()).unwrap();
            assert_eq!(
                (response.status, shown_decision(&response).unwrap()["revision"].as_u64()),
                (200, Some(good)),
                "{what}"
            );
            check_denied(&edge.envoy.send(&Request::get("/other")).unwrap(), 401, "unauthenticated");
        }
        good += 1;
        edge.origin.answer(Answer::Bundle(Published::new(OPEN, good).bundle()));
        edge.wait_for(good);
    }
}

#[test]
fn envoy_refuses_all_when_its_policy_has_expired() {
    let expires = Some(now() + 4);
    let edge = Edge::start(Answer::Bundle(Published { expires, ..Published::new(OPEN, 1) }.bundle()), |_| {});
    edge.wait_for(1);
    edge.wait_for_none();
    check_denied(&edge.envoy.send(&probe()).unwrap(), 503, "policy_unavailable");
    edge.origin.answer(Answer::Bundle(Published::new(OPEN, 2).bundle()));
    edge.wait_for(2);
}

#[test]
fn envoy_refuses_all_when_nobody_confirms_its_policy_any_more() {
    let edge = Edge::start(Answer::Bundle(Published::new(OPEN, 1).bundle()), |setup| setup.max_stale_s = 2);
    edge.wait_for(1);
    edge.origin.answer(Answer::Silence);
    edge.wait_for_none();
    let response = edge.envoy.send(&probe()).unwrap();
    check_denied(&response, 503, "policy_unavailable");
    assert!(response.header("retry-after").is_some());
    edge.origin.answer(Answer::Bundle(Published::new(OPEN, 2).bundle()));
    edge.wait_for(2);
}

#[test]
fn ten_megabytes_change_in_envoy_fifty_times_and_no_request_fails() {
    // Long segments lie in the bundle as they are.
    let rule = |number: usize| {
        json!({
            "id": format!("r{number}"), "effect": "allow", "who": {"anyone": true},
            "target": {"path": {"exact": format!("/{number:0>900}")}},
        })
    };
    let document = |open: &str| {
        let mut document: serde_json::Value = serde_json::from_str(open).unwrap();
        document["rules"] = (0..11_000).map(rule).collect();
        document.to_string()
    };
    let document = document(OPEN);
    let bundle = |revision| Published { document: document.clone(), ..Published::new(OPEN, revision) }.bundle();
    assert!(bundle(1).len() > 10_000_000);
    let edge = Edge::start(Answer::Bundle(bundle(1)), |_| {});
    edge.wait_for(1);

    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut client = edge.envoy.client();
                while !stop.load(Ordering::Relaxed) {
                    let response = client.send(&probe()).unwrap();
                    assert_eq!(response.status, 200, "{}", response.text());
                    let refused = client.send(&Request::get("/other")).unwrap();
                    assert_eq!(refused.status, 401, "{}", refused.text());
                    sent.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
        for revision in 2..=51 {
            edge.origin.answer(Answer::Bundle(bundle(revision)));
            edge.wait_for(revision);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent > 1_000 && edge.upstream.requests() >= sent / 2, "{sent}");
}
