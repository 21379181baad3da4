use std::rc::Rc;
use std::time::Duration;

use portcullis_compiler::Options;
use portcullis_core::Policy;
use serde_json::{Value, json};

use super::{Edge, Flow, on_request, on_request_unconfigured};
use crate::fake::{FakeHost, bundle, bundle_with, config, headers, metadata};

const POLICY: &str = "
version: 1
roles:
  admin: {}
  clerk: {}
rules:
  - {id: orders, effect: allow, who: {roles: [clerk, admin]}, target: {path: {under: /orders}}}
  - {id: no-delete, effect: deny, who: {roles: [clerk]}, target: {methods: [DELETE], path: {under: /orders}}}
  - {id: watch, effect: audit, topic: orders, who: {authenticated: true}, target: {path: {under: /orders}}}
public:
  - {path: {exact: /health}}
restrictions:
  - {id: bad-net, category: blacklist, scope: ip_subnet, value: 198.51.100.0/24}
statuses:
  malformed_request: 422
  no_match: 404
";

fn edge(keys: Value) -> Edge {
    let mut edge = Edge::new(config(keys));
    edge.policy = Some(Rc::new(Policy::open(bundle(POLICY, 7)).unwrap()));
    edge
}

/// A GET of `path` with the token of `claims`.
fn get(path: &str, claims: Value) -> FakeHost {
    FakeHost::with(|state| {
        state.headers = headers(&[(":method", "GET"), (":authority", "shop.example"), (":path", path)]);
        state.metadata = (!claims.is_null()).then(|| metadata("jwt_payload", &claims));
        state.source_address = Some(b"203.0.113.9:1".to_vec());
    })
}

fn clerk() -> Value {
    json!({"sub": "u1", "roles": ["clerk", "unknown"]})
}

#[track_caller]
fn check_allowed(host: &FakeHost, edge: &mut Edge, reason: &str) {
    assert_eq!(on_request(host, edge), Flow::Continue);
    assert_eq!(host.0.borrow().reply, None);
    let counter = format!("portcullis_decisions_total.tenant.default.decision.allow.reason.{reason}");
    assert_eq!(host.metric(&counter), 1, "{:?}", host.0.borrow().metrics);
}

#[track_caller]
fn check_refused(host: &FakeHost, edge: &mut Edge, status: u16, reason: &str) {
    assert_eq!(on_request(host, edge), Flow::Stop);
    let state = host.0.borrow();
    let reply = state.reply.as_ref().unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (status, format!(r#"{{"reason":"{reason}"}}"#).as_str()));
    drop(state);
    let counter = format!("portcullis_decisions_total.tenant.default.decision.deny.reason.{reason}");
    assert_eq!(host.metric(&counter), 1, "{:?}", host.0.borrow().metrics);
}

#[test]
fn without_a_policy_nothing_passes() {
    let mut edge = Edge::new(config(json!({})));
    let host = get("/health", Value::Null);
    check_refused(&host, &mut edge, 503, "policy_unavailable");
    let reply = host.0.borrow_mut().reply.take().unwrap();
    assert!(reply.headers.contains(&("retry-after".to_owned(), "1".to_owned())), "{reply:?}");
}

#[test]
fn without_a_configuration_nothing_passes() {
    let host = get("/health", Value::Null);
    assert_eq!(on_request_unconfigured(&host), Flow::Stop);
    assert_eq!(host.0.borrow().reply.as_ref().unwrap().status, 503);
}

#[test]
fn a_policy_expires() {
    let host = get("/health", Value::Null);
    let expires = host.0.borrow().now.as_secs() + 1;
    let options = Options { revision: 7, expires: Some(expires), ..Options::default() };
    let mut edge = Edge::new(config(json!({})));
    edge.policy = Some(Rc::new(Policy::open(bundle_with(POLICY, options)).unwrap()));
    check_allowed(&host, &mut edge, "public");
    host.advance(Duration::from_secs(1));
    check_refused(&host, &mut edge, 503, "policy_unavailable");
    let host = get("/health", Value::Null);
    host.0.borrow_mut().broken.insert("now");
    check_refused(
        &host,
        &mut Edge { policy: edge.policy.clone(), ..Edge::new(config(json!({}))) },
        503,
        "policy_unavailable",
    );
}

#[test]
fn an_allowed_request_tells_the_upstream_who_it_is() {
    let host = get("/orders/1?full=1", clerk());
    check_allowed(&host, &mut edge(json!({})), "rule");
    assert_eq!(host.header("x-portcullis-subject").as_deref(), Some("u1"));
    assert_eq!(host.header("x-portcullis-roles").as_deref(), Some("clerk,unknown"));
    assert_eq!(host.header(":path").as_deref(), Some("/orders/1?full=1"));
}

#[test]
fn an_anonymous_request_tells_nothing() {
    let host = get("/health", Value::Null);
    check_allowed(&host, &mut edge(json!({})), "public");
    assert_eq!(host.header("x-portcullis-subject"), None);
    assert_eq!(host.header("x-portcullis-roles"), None);
}

#[test]
fn forged_identity_never_reaches_the_upstream() {
    for claims in [Value::Null, clerk()] {
        let host = get("/health", claims.clone());
        let forged =
            [("x-portcullis-roles", "admin"), ("x_portcullis_roles", "admin"), ("x-portcullis_subject", "root")];
        host.0.borrow_mut().headers.extend(headers(&forged));
        check_allowed(&host, &mut edge(json!({})), "public");
        let expected = (!claims.is_null()).then_some("clerk,unknown");
        assert_eq!(host.header("x-portcullis-roles").as_deref(), expected);
        assert_eq!(host.header("x_portcullis_roles"), None);
        assert_eq!(host.header("x-portcullis_subject"), None);
    }
}

#[test]
fn forged_roles_grant_nothing() {
    let host = get("/orders/1", json!({"sub": "u2"}));
    host.0.borrow_mut().headers.extend(headers(&[("x-portcullis-roles", "admin")]));
    check_refused(&host, &mut edge(json!({})), 404, "no_match");
}

#[test]
fn each_refusal_has_its_status_and_reason() {
    check_refused(&get("/orders/1", Value::Null), &mut edge(json!({})), 401, "unauthenticated");
    check_refused(
        &get("/orders/1", json!({"sub": "u1", "roles": "clerk"})),
        &mut edge(json!({})),
        401,
        "unauthenticated",
    );
    check_refused(
        &get("/orders/1", json!({"sub": "u1", "state": "banned"})),
        &mut edge(json!({})),
        403,
        "subject_inactive",
    );
    check_refused(&get("/elsewhere", clerk()), &mut edge(json!({})), 404, "no_match");
    check_refused(&get("/orders//1", clerk()), &mut edge(json!({})), 422, "malformed_request");
    check_refused(&get("/..", clerk()), &mut edge(json!({})), 422, "malformed_request");
    let host = get("/health", Value::Null);
    host.0.borrow_mut().source_address = Some(b"198.51.100.7:1".to_vec());
    check_refused(&host, &mut edge(json!({})), 403, "restricted_blacklist");
    let host = get("/orders/1", clerk());
    host.0.borrow_mut().headers[0].1 = b"DELETE".to_vec();
    check_refused(&host, &mut edge(json!({})), 403, "rule");
}

#[test]
fn an_unauthenticated_client_is_told_how_to_authenticate() {
    let host = get("/orders/1", Value::Null);
    check_refused(&host, &mut edge(json!({})), 401, "unauthenticated");
    let reply = host.0.borrow_mut().reply.take().unwrap();
    assert!(reply.headers.contains(&("www-authenticate".to_owned(), "Bearer".to_owned())), "{reply:?}");
}

#[test]
fn rewrite_replaces_the_path_before_the_upstream_sees_it() {
    let host = get("/x/..//%6frders/1?a=//b", clerk());
    check_allowed(&host, &mut edge(json!({"path_mode": "rewrite"})), "rule");
    assert_eq!(host.header(":path").as_deref(), Some("/orders/1?a=//b"));
}

#[test]
fn a_failing_host_lets_nothing_through() {
    for call in ["request_headers", "source_address", "metadata", "remove_request_header", "set_request_header"] {
        let host = get("/orders/1", clerk());
        host.0.borrow_mut().headers.extend(headers(&[("x-portcullis-roles", "admin")]));
        host.0.borrow_mut().broken.insert(call);
        check_refused(&host, &mut edge(json!({})), 503, "policy_unavailable");
    }
    let host = get("/elsewhere", clerk());
    host.0.borrow_mut().broken.insert("reply");
    assert_eq!(on_request(&host, &mut edge(json!({}))), Flow::Stop);
}

#[test]
fn failing_metrics_and_logs_change_nothing() {
    for call in ["counter", "increment", "set_filter_state", "now"] {
        let host = get("/orders/1", clerk());
        host.0.borrow_mut().broken.insert(call);
        assert_eq!(on_request(&host, &mut edge(json!({"decision_state": true}))), Flow::Continue, "{call}");
    }
}

#[test]
fn an_identity_that_does_not_fit_into_a_header_is_refused() {
    for claims in [json!({"sub": "u1", "roles": ["clerk", "a,b"]}), json!({"sub": "u\n1", "roles": ["clerk"]})] {
        let host = get("/orders/1", claims);
        check_refused(&host, &mut edge(json!({})), 401, "unauthenticated");
        assert_eq!(host.metric("portcullis_obligations_total.tenant.default.kind.audit"), 0);
    }
}

#[test]
fn obligations_are_counted_and_logged() {
    let host = get("/orders/1", clerk());
    check_allowed(&host, &mut edge(json!({})), "rule");
    assert_eq!(host.metric("portcullis_obligations_total.tenant.default.kind.audit"), 1);
    let host = get("/elsewhere", clerk());
    check_refused(&host, &mut edge(json!({})), 404, "no_match");
    assert_eq!(host.metric("portcullis_obligations_total.tenant.default.kind.denied"), 1);
    let logs = &host.0.borrow().logs;
    assert_eq!(logs.len(), 1);
    assert!(logs[0].1.contains("u1") && !logs[0].1.contains("clerk"), "ids only: {}", logs[0].1);
}

#[test]
fn the_decision_is_written_for_access_logs_on_demand() {
    let host = get("/orders/1", clerk());
    check_allowed(&host, &mut edge(json!({})), "rule");
    assert!(host.0.borrow().filter_state.is_empty());

    let decisions = |path: &str, claims: Value| -> Value {
        let host = get(path, claims);
        on_request(&host, &mut edge(json!({"decision_state": true})));
        serde_json::from_str(&host.0.borrow().filter_state["portcullis.decision"]).unwrap()
    };
    assert_eq!(
        decisions("/orders/1", clerk()),
        json!({"decision": "allow", "status": 200, "reason": "rule", "rules": ["orders"], "restriction": null,
            "obligations": [{"audit": "orders"}], "errors": [], "revision": 7})
    );
    assert_eq!(
        decisions("/elsewhere", clerk()),
        json!({"decision": "deny", "status": 404, "reason": "no_match", "rules": [], "restriction": null,
            "obligations": ["denied"], "errors": [], "revision": 7})
    );
    assert_eq!(
        decisions("//", Value::Null),
        json!({"decision": "deny", "status": 422, "reason": "malformed_request", "rules": [], "restriction": null,
            "obligations": [], "errors": [], "revision": 7})
    );
}
