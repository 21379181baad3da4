//! The filter in a real Envoy: what a client and the upstream see, and what happens when things fail.

use std::time::Duration;

use portcullis_bundle::SigningKey;
use portcullis_rig::process::poll;
use portcullis_rig::upstream::Seen;
use portcullis_rig::{Request, Response, token};
use serde_json::json;

use crate::stage::Stage;

mod bodies;
mod certificates;
mod failures;
mod lessons;
mod printed;
mod restarts;
mod routes;
mod server;
mod shadow;
mod traps;

const TIMEOUT: Duration = Duration::from_secs(30);

const POLICY: &str = "
version: 1
rules:
  - {id: staff, effect: allow, who: {roles: [staff]}, target: {path: {under: /}}}
  - {id: no-secrets, effect: deny, who: {anyone: true}, target: {path: {under: /secrets}}}
public: [{path: {exact: /public}}]
";

/// The same without `/public`.
const STRICTER: &str = "
version: 1
rules:
  - {id: staff, effect: allow, who: {roles: [staff]}, target: {path: {under: /}}}
";

fn staff() -> String {
    token::mint(json!({ "sub": "u1", "roles": ["staff", "night"] }))
}

#[track_caller]
fn check_denied(response: &Response, status: u16, reason: &str) {
    assert_eq!((response.status, response.json().unwrap()), (status, json!({ "reason": reason })));
    assert_eq!(response.header("content-type"), Some("application/json"));
}

/// Puts a policy and waits until both workers decide by it.
fn publish(stage: &Stage, policy: &str, probe: &Request, is_new: impl Fn(&Response) -> bool) {
    stage.server.put_policy(policy).unwrap();
    stage.envoy.wait_until_all("both workers to decide by the new policy", probe, TIMEOUT, is_new).unwrap();
}

#[test]
fn denies_all_in_envoy_until_there_is_a_policy_and_then_follows_it() {
    let stage = Stage::start(|setup| setup.workers = 2).unwrap();
    for request in [Request::get("/public"), Request::get("/a").bearer(&staff())] {
        let response = stage.envoy.send(&request).unwrap();
        check_denied(&response, 503, "policy_unavailable");
        assert_eq!(response.header("retry-after"), Some("1"));
    }
    assert_eq!(stage.upstream.requests(), 0);

    let public = Request::get("/public");
    publish(&stage, POLICY, &public, |response| response.status == 200);
    check_denied(&stage.envoy.send(&Request::get("/a")).unwrap(), 401, "unauthenticated");
    let refused = stage.envoy.send(&Request::get("/secrets/1").bearer(&staff())).unwrap();
    check_denied(&refused, 403, "rule");

    publish(&stage, STRICTER, &public, |response| response.status == 401);
    // A document that is refused changes nothing.
    assert!(stage.server.put_policy("version: 1\nruls: []\n").is_err());
    assert_eq!(stage.envoy.send(&Request::get("/a").bearer(&staff())).unwrap().status, 200);

    let metrics = stage.envoy.filter_metrics().unwrap();
    let counted = |reason: &str, decision: &str| {
        let labels = [format!("reason=\"{reason}\""), format!("decision=\"{decision}\"")];
        metrics.iter().any(|line| {
            line.starts_with("portcullis_decisions_total{") && labels.iter().all(|label| line.contains(label))
        })
    };
    for (reason, decision) in
        [("policy_unavailable", "deny"), ("public", "allow"), ("unauthenticated", "deny"), ("rule", "deny")]
    {
        assert!(counted(reason, decision), "{reason} is not in {metrics:#?}");
    }
}

#[test]
fn keeps_the_last_good_policy_in_envoy_while_the_server_is_down() {
    let mut stage = Stage::start(|setup| setup.workers = 2).unwrap();
    let public = Request::get("/public");
    publish(&stage, POLICY, &public, |response| response.status == 200);
    stage.server.stop().unwrap();
    poll("the filter to notice", TIMEOUT, || {
        let metrics = stage.envoy.filter_metrics()?;
        Ok(metrics.iter().any(|line| line.starts_with("portcullis_fetch_failures_total")).then_some(()))
    })
    .unwrap();
    for _ in 0..20 {
        assert_eq!(stage.envoy.send(&public).unwrap().status, 200);
        check_denied(&stage.envoy.send(&Request::get("/a")).unwrap(), 401, "unauthenticated");
    }
    stage.server.start_again().unwrap();
    publish(&stage, STRICTER, &public, |response| response.status == 401);
}

#[test]
fn trusts_in_envoy_no_bundle_of_another_signer_and_no_other_tenant() {
    let other = SigningKey::from_seed(&[9; 32]).public_key().to_string();
    for (key, tenant) in [(Some(other), "default"), (None, "acme")] {
        let stage = Stage::start(|setup| {
            setup.public_key = key.clone().unwrap_or(setup.public_key.clone());
            setup.tenant = tenant.to_owned();
        })
        .unwrap();
        stage.server.put_policy(POLICY).unwrap();
        poll("the filter to refuse the bundle", TIMEOUT, || {
            let metrics = stage.envoy.filter_metrics()?;
            Ok(metrics.iter().any(|line| line.starts_with("portcullis_fetch_failures_total")).then_some(()))
        })
        .unwrap();
        check_denied(&stage.envoy.send(&Request::get("/public")).unwrap(), 503, "policy_unavailable");
    }
}

#[test]
fn only_verified_identity_passes_envoy() {
    let stage = Stage::start(|setup| setup.workers = 1).unwrap();
    publish(&stage, POLICY, &Request::get("/public"), |response| response.status == 200);
    let forge = |request: Request| {
        let names = ["x-portcullis-subject", "X-Portcullis-Roles", "x_portcullis_roles", "X-PORTCULLIS_anything"];
        names.into_iter().fold(request, |request, name| request.header(name, "staff"))
    };

    // Forged headers neither help nor reach the upstream.
    check_denied(&stage.envoy.send(&forge(Request::get("/a"))).unwrap(), 401, "unauthenticated");
    let anonymous = stage.envoy.send(&forge(Request::get("/public"))).unwrap();
    let seen = Seen::in_response(&anonymous).unwrap();
    for name in ["x-portcullis-subject", "x-portcullis-roles", "x_portcullis_roles", "x-portcullis_anything"] {
        assert_eq!(seen.headers(name), [""; 0], "{name}");
    }
    let known = stage.envoy.send(&forge(Request::get("/a?b=1").bearer(&staff()))).unwrap();
    let seen = Seen::in_response(&known).unwrap();
    assert_eq!(seen.path(), "/a?b=1");
    assert_eq!(seen.headers("x-portcullis-subject"), ["u1"]);
    assert_eq!(seen.headers("x-portcullis-roles"), ["staff,night"]);
    assert_eq!(seen.headers("x_portcullis_roles"), [""; 0]);

    // An invalid token is 401, also on a public path; so is one whose claims cannot be read.
    let invalid = format!("{}x", staff());
    assert_eq!(stage.envoy.send(&Request::get("/public").bearer(&invalid)).unwrap().status, 401);
    for claims in [json!({ "sub": "u1", "roles": "staff" }), json!({ "roles": ["staff"] })] {
        let response = stage.envoy.send(&Request::get("/public").bearer(&token::mint(claims))).unwrap();
        check_denied(&response, 401, "unauthenticated");
    }
    let banned = token::mint(json!({ "sub": "u1", "roles": ["staff"], "state": "banned" }));
    check_denied(&stage.envoy.send(&Request::get("/a").bearer(&banned)).unwrap(), 403, "subject_inactive");
}

#[test]
fn the_upstream_behind_envoy_sees_the_path_that_was_decided_on() {
    for rewrite in [false, true] {
        let stage = Stage::start(|setup| setup.rewrite_paths = rewrite).unwrap();
        publish(&stage, POLICY, &Request::get("/public"), |response| response.status == 200);
        let staff = staff();
        for (raw, canonical) in
            [("/%61//b/../c?d=%2F..", "/a/c?d=%2F.."), ("/x/../public", "/public"), ("/caf%c3%a9", "/caf%C3%A9")]
        {
            let response = stage.envoy.send(&Request::get(raw).bearer(&staff)).unwrap();
            if rewrite {
                assert_eq!(Seen::in_response(&response).unwrap().path(), canonical);
            } else {
                check_denied(&response, 400, "malformed_request");
            }
        }
        for raw in ["//secrets/1", "/a/../secrets/1", "/%73ecrets/1"] {
            let response = stage.envoy.send(&Request::get(raw).bearer(&staff)).unwrap();
            let (status, reason) = if rewrite { (403, "rule") } else { (400, "malformed_request") };
            check_denied(&response, status, reason);
        }
        for raw in ["/a%2Fb", "/a;b", "/a/../../b", "/%00"] {
            let response = stage.envoy.send(&Request::get(raw).bearer(&staff)).unwrap();
            assert_eq!(response.status, 400, "{raw}: {}", response.text());
        }
        let plain = stage.envoy.send(&Request::get("/a/b?c=/../d").bearer(&staff)).unwrap();
        assert_eq!(Seen::in_response(&plain).unwrap().path(), "/a/b?c=/../d");
    }
}
