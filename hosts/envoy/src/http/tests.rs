use std::rc::Rc;
use std::time::Duration;

use portcullis_compiler::Options;
use portcullis_core::Policy;
use serde_json::{Value, json};

use super::{Edge, Flow, Stream, on_request_unconfigured};
use crate::fake::{FakeHost, bundle, bundle_with, config, filter_metadata, headers, metadata};
use crate::host::CallId;
use crate::revocations::Revocations;

const NOW: Duration = Duration::from_secs(1_700_000_000);

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

/// An edge whose tenants have that policy, confirmed just now.
pub(super) fn edge_with(keys: Value, bundle: Vec<u8>) -> Edge {
    let mut edge = Edge::new(config(keys));
    let policy = Rc::new(Policy::open(bundle).unwrap());
    for tenant in &mut edge.tenants {
        tenant.policy = Some(Rc::clone(&policy));
        tenant.revocations = Some(revoked(&[]));
        (tenant.policy_confirmed, tenant.revocations_confirmed) = (NOW, NOW);
    }
    edge
}

fn edge(keys: Value) -> Edge {
    edge_with(keys, bundle(POLICY, 7))
}

fn revoked(entries: &[(&str, u64)]) -> Revocations {
    let entries = entries.iter().map(|&(subject, not_before)| (subject.to_owned(), not_before)).collect();
    Revocations::encode(1, &entries).unwrap()
}

/// The whole life of a request without callouts.
fn on_request(host: &FakeHost, edge: &mut Edge) -> Flow {
    super::on_request(host, edge, &mut Stream::default(), true)
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
    let mut edge = edge_with(json!({}), bundle_with(POLICY, options));
    check_allowed(&host, &mut edge, "public");
    host.advance(Duration::from_secs(1));
    check_refused(&host, &mut edge, 503, "policy_unavailable");
}

#[test]
fn a_policy_is_good_for_max_stale_after_it_was_confirmed() {
    let mut edge = edge(json!({"max_stale": 10}));
    let host = get("/health", Value::Null);
    host.advance(Duration::from_secs(10));
    check_allowed(&host, &mut edge, "public");
    host.advance(Duration::from_secs(1));
    check_refused(&host, &mut edge, 503, "policy_unavailable");
    let host = get("/health", Value::Null);
    edge.tenants[0].revocations = None;
    check_refused(&host, &mut edge, 503, "policy_unavailable");
}

#[test]
fn without_a_clock_nothing_passes() {
    let host = get("/health", Value::Null);
    host.0.borrow_mut().broken.insert("now");
    check_refused(&host, &mut edge(json!({})), 503, "policy_unavailable");
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
    for call in [
        "request_headers",
        "source_address",
        "metadata",
        "route_metadata",
        "remove_request_header",
        "set_request_header",
    ] {
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
    for call in ["counter", "add", "set_filter_state"] {
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

// === revocations ===

#[test]
fn a_token_from_before_the_revocation_is_refused_where_the_contract_says() {
    let mut edge = edge(json!({}));
    edge.tenants[0].revocations = Some(revoked(&[("u1", 100)]));
    let token = |issued_at: Value| json!({"sub": "u1", "roles": ["clerk"], "iat": issued_at});
    check_refused(&get("/orders/1", token(json!(99))), &mut edge, 401, "token_revoked");
    check_refused(&get("/orders/1", json!({"sub": "u1", "roles": ["clerk"]})), &mut edge, 401, "token_revoked");
    check_refused(&get("/elsewhere", token(json!(99))), &mut edge, 401, "token_revoked");
    check_allowed(&get("/orders/1", token(json!(100))), &mut edge, "rule");
    check_allowed(&get("/orders/1", clerk_named("u2")), &mut edge, "rule");
    // Earlier stages stand.
    check_allowed(&get("/health", token(json!(99))), &mut edge, "public");
    let banned = json!({"sub": "u1", "state": "banned", "iat": 99});
    check_refused(&get("/orders/1", banned), &mut edge, 403, "subject_inactive");
    let host = get("/elsewhere", token(json!(99)));
    check_refused(&host, &mut edge, 401, "token_revoked");
    assert_eq!(host.metric("portcullis_obligations_total.tenant.default.kind.denied"), 0);
}

fn clerk_named(id: &str) -> Value {
    json!({"sub": id, "roles": ["clerk"]})
}

// === who it is ===

#[test]
fn a_bearer_token_that_is_invalid_is_refused_on_public_paths_too() {
    let issuers = json!([{"issuer": "i", "audience": "a", "keys": [
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}]);
    for authorization in ["Bearer x", "bEARER  a.b.c", "Bearer "] {
        let host = get("/health", Value::Null);
        host.0.borrow_mut().headers.extend(headers(&[("authorization", authorization)]));
        check_refused(&host, &mut edge(json!({"issuers": issuers})), 401, "unauthenticated");
    }
    // Other schemes are not for the filter.
    let host = get("/health", Value::Null);
    host.0.borrow_mut().headers.extend(headers(&[("authorization", "Basic abc")]));
    check_allowed(&host, &mut edge(json!({"issuers": issuers})), "public");
    // Who verifies here does not read what others left.
    check_refused(&get("/orders/1", clerk()), &mut edge(json!({"issuers": issuers})), 401, "unauthenticated");
}

/// E10: a name is compared to its end, whatever stands in it.
#[test]
fn a_certificate_speaks_for_a_service_where_no_token_does() {
    let keys = json!({"services": [
        {"san": "spiffe://shop/billing", "id": "billing", "roles": ["clerk"]},
        {"san": "mail.shop.example", "id": "mail"},
    ]});
    let with = |uri: Option<&str>, dns: Option<&str>, claims: Value| {
        let host = get("/orders/1", claims);
        host.0.borrow_mut().peer = [uri, dns].map(|san| san.map(|san| san.as_bytes().to_vec()));
        host
    };
    let host = with(Some("spiffe://shop/billing"), Some("mail.shop.example"), Value::Null);
    check_allowed(&host, &mut edge(keys.clone()), "rule");
    assert_eq!(host.header("x-portcullis-subject").as_deref(), Some("billing"));
    check_refused(&with(None, Some("mail.shop.example"), Value::Null), &mut edge(keys.clone()), 404, "no_match");
    for (uri, dns) in [
        (Some("spiffe://shop/billing/x"), Some("mail.shop.example")),
        (Some("spiffe://shop/billing\0/x"), None),
        (None, Some("mail.shop.example\0.evil.example")),
        (None, Some("spiffe")),
        (None, None),
    ] {
        check_refused(&with(uri, dns, Value::Null), &mut edge(keys.clone()), 401, "unauthenticated");
    }
    let host = with(Some("spiffe://shop/billing"), None, clerk());
    check_allowed(&host, &mut edge(keys.clone()), "rule");
    assert_eq!(host.header("x-portcullis-subject").as_deref(), Some("u1"));
    let mut revoking = edge(keys.clone());
    revoking.tenants[0].revocations = Some(revoked(&[("billing", 1)]));
    check_refused(&with(Some("spiffe://shop/billing"), None, Value::Null), &mut revoking, 401, "token_revoked");
    let host = with(Some("spiffe://shop/billing"), None, Value::Null);
    host.0.borrow_mut().broken.insert("peer");
    check_refused(&host, &mut edge(keys), 503, "policy_unavailable");
}

// === the gateway ===

fn gateway() -> Value {
    json!({"gateway": {"cookie": "sid"}})
}

/// A GET of `path` with a session.
fn with_session(path: &str) -> FakeHost {
    let host = get(path, Value::Null);
    host.0.borrow_mut().headers.extend(headers(&[("cookie", "sid=s1")]));
    host
}

/// What becomes of a request that asks, when the server answers so.
fn ask(host: &FakeHost, edge: &mut Edge, status: &str, body: &str) -> Flow {
    let mut stream = Stream::default();
    assert_eq!(super::on_request(host, edge, &mut stream, true), Flow::Wait);
    assert_eq!(host.0.borrow().reply, None);
    host.0.borrow_mut().answer = (headers(&[(":status", status)]), body.as_bytes().to_vec());
    let call = CallId(u32::try_from(host.0.borrow().calls.len()).unwrap());
    super::on_answer(host, edge, &mut stream, call, 1, body.len())
}

pub(super) fn known(issued_at: u64, expires: u64) -> String {
    let subject = json!({"id": "u9", "roles": ["clerk"]});
    json!({"subject": subject, "credential": "session", "issued_at": issued_at, "expires": expires}).to_string()
}

#[test]
fn a_session_is_asked_about_once_for_its_life() {
    let mut edge = edge(gateway());
    let host = with_session("/orders/1");
    assert_eq!(ask(&host, &mut edge, "200", &known(1, NOW.as_secs() + 60)), Flow::Continue);
    assert!(host.0.borrow().resumed);
    assert_eq!(host.header("x-portcullis-subject").as_deref(), Some("u9"));

    let host = with_session("/orders/2");
    check_allowed(&host, &mut edge, "rule");
    assert!(host.0.borrow().calls.is_empty() && !host.0.borrow().resumed);
    let host = with_session("/orders/2");
    host.advance(Duration::from_secs(60));
    assert_eq!(super::on_request(&host, &mut edge, &mut Stream::default(), true), Flow::Wait);
}

#[test]
fn a_session_of_a_revoked_subject_is_asked_about_again() {
    let mut edge = edge(gateway());
    assert_eq!(ask(&with_session("/orders/1"), &mut edge, "200", &known(1, NOW.as_secs() + 60)), Flow::Continue);
    edge.tenants[0].revocations = Some(revoked(&[("u9", 50)]));
    let host = with_session("/orders/1");
    assert_eq!(ask(&host, &mut edge, "200", &known(1, NOW.as_secs() + 60)), Flow::Stop);
    assert!(host.0.borrow().reply.as_ref().unwrap().body.contains("token_revoked"));
    assert_eq!(ask(&with_session("/orders/1"), &mut edge, "200", &known(50, NOW.as_secs() + 60)), Flow::Continue);
}

#[test]
fn each_answer_of_the_gateway_has_its_outcome() {
    for (path, status, body, refused) in [
        ("/orders/1", "204", "", Some((401, "unauthenticated"))),
        ("/health", "204", "", None),
        ("/health", "401", "", Some((401, "unauthenticated"))),
        ("/health", "500", "", Some((503, "policy_unavailable"))),
        ("/health", "503", "", Some((503, "policy_unavailable"))),
        ("/health", "200", "garbage", Some((503, "policy_unavailable"))),
        ("/elsewhere", "200", &known(1, NOW.as_secs() + 60), Some((404, "no_match"))),
    ] {
        let host = with_session(path);
        let flow = ask(&host, &mut edge(gateway()), status, body);
        let state = host.0.borrow();
        let reply = state.reply.as_ref().map(|reply| (reply.status, reply.body.clone()));
        let expected = refused.map(|(status, reason)| (status, format!(r#"{{"reason":"{reason}"}}"#)));
        assert_eq!((reply, state.resumed), (expected.clone(), expected.is_none()), "{path} {status} {body}");
        assert_eq!(flow, if refused.is_none() { Flow::Continue } else { Flow::Stop });
    }
}

#[test]
fn a_gateway_that_cannot_be_asked_is_503_and_never_anonymous() {
    let host = with_session("/health");
    host.0.borrow_mut().broken.insert("call");
    check_refused(&host, &mut edge(gateway()), 503, "policy_unavailable");
    assert_eq!(host.metric("portcullis_identity_failures_total.tenant.default"), 1);
    // A reset, a request that cannot be resumed, and a policy that went while it waited.
    let mut stream = Stream::default();
    let (host, mut edge) = (with_session("/health"), edge(gateway()));
    super::on_request(&host, &mut edge, &mut stream, true);
    assert_eq!(super::on_answer(&host, &mut edge, &mut stream, CallId(1), 0, 0), Flow::Stop);
    assert_eq!(host.0.borrow().reply.as_ref().unwrap().status, 503);
    let host = with_session("/health");
    host.0.borrow_mut().broken.insert("resume");
    assert_eq!(ask(&host, &mut edge, "204", ""), Flow::Stop);
    assert_eq!(host.0.borrow().reply.as_ref().unwrap().status, 503);
    let (host, mut stream) = (with_session("/health"), Stream::default());
    super::on_request(&host, &mut edge, &mut stream, true);
    edge.tenants[0].policy = None;
    host.0.borrow_mut().answer.0 = headers(&[(":status", "204")]);
    assert_eq!(super::on_answer(&host, &mut edge, &mut stream, CallId(1), 1, 0), Flow::Stop);
    assert_eq!(host.0.borrow().reply.as_ref().unwrap().status, 503);
}

#[test]
fn an_answer_to_another_call_changes_nothing() {
    let (host, mut edge, mut stream) = (with_session("/health"), edge(gateway()), Stream::default());
    super::on_request(&host, &mut edge, &mut stream, true);
    assert_eq!(super::on_answer(&host, &mut edge, &mut stream, CallId(77), 0, 0), Flow::Wait);
    assert!(host.0.borrow().reply.is_none() && !host.0.borrow().resumed);
}

#[test]
fn a_foreign_bearer_token_goes_to_the_gateway() {
    let issuers = json!([{"issuer": "i", "audience": "a", "keys": [
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}]);
    let host = get("/orders/1", Value::Null);
    host.0.borrow_mut().headers.extend(headers(&[("authorization", "Bearer ptc_api_token")]));
    let mut edge = edge(json!({"issuers": issuers, "gateway": {}}));
    assert_eq!(ask(&host, &mut edge, "200", &known(1, NOW.as_secs() + 60)), Flow::Continue);
    assert_eq!(host.0.borrow().calls[0]["x-portcullis-forwarded-authorization"], "Bearer ptc_api_token");
}

#[test]
fn credentials_that_are_not_clear_are_malformed() {
    let host = with_session("/health");
    host.0.borrow_mut().headers.extend(headers(&[("cookie", "sid=s2")]));
    check_refused(&host, &mut edge(gateway()), 422, "malformed_request");
}

// === headers ===

#[test]
fn the_revision_is_told_on_request() {
    let told = |keys: Value, path: &str| {
        let (host, mut edge, mut stream) = (get(path, Value::Null), edge(keys), Stream::default());
        super::on_request(&host, &mut edge, &mut stream, true);
        super::on_response(&host, &edge, &stream);
        let state = host.0.borrow();
        let replied =
            state.reply.as_ref().map(|reply| reply.headers.iter().any(|(name, _)| name == "x-portcullis-revision"));
        (state.response_headers.get("x-portcullis-revision").cloned(), replied)
    };
    let keys = json!({"revision_header": true});
    assert_eq!(told(keys.clone(), "/health"), (Some("7".to_owned()), None));
    assert_eq!(told(keys, "/orders/1"), (None, Some(true)));
    assert_eq!(told(json!({}), "/health"), (None, None));
    assert_eq!(told(json!({}), "/orders/1"), (None, Some(false)));
}

// === routes ===

fn on_route(path: &str, settings: &Value) -> FakeHost {
    let host = get(path, Value::Null);
    host.0.borrow_mut().route_metadata = Some(filter_metadata("portcullis", settings));
    host
}

#[test]
fn a_route_may_switch_the_filter_off_but_not_what_it_removes() {
    let host = on_route("/other", &json!({"disabled": true}));
    host.0.borrow_mut().headers.extend(headers(&[("x_portcullis_subject", "root")]));
    assert_eq!(on_request(&host, &mut edge(json!({}))), Flow::Continue);
    assert_eq!(host.header("x_portcullis_subject"), None);
    assert_eq!(host.metric("portcullis_disabled_total.tenant.default"), 1);
    // The route is that of `/off/`, and an upstream that cleans the path would serve another one.
    for path in ["/off/../other", "/off//x", "/off/%2e%2e/other", "/off%2Fx", "*"] {
        let host = on_route(path, &json!({"disabled": true}));
        assert_eq!(on_request(&host, &mut edge(json!({}))), Flow::Stop, "{path}");
    }
    let host = on_route("/health", &json!({"disabled": true}));
    host.0.borrow_mut().headers.extend(headers(&[("x_portcullis_subject", "root")]));
    host.0.borrow_mut().broken.insert("remove_request_header");
    assert_eq!(on_request(&host, &mut edge(json!({}))), Flow::Stop);
}

#[test]
fn a_route_may_choose_another_tenant() {
    let mut edge = edge(json!({"tenants": [{"tenant": "acme", "token": "t"}]}));
    let none = "{version: 1}";
    edge.tenants[1].policy = Some(Rc::new(Policy::open(bundle(none, 9)).unwrap()));
    let host = on_route("/health", &json!({"tenant": "acme"}));
    assert_eq!(on_request(&host, &mut edge), Flow::Stop);
    assert_eq!(host.metric("portcullis_decisions_total.tenant.acme.decision.deny.reason.unauthenticated"), 1);
    check_allowed(&on_route("/health", &json!({})), &mut edge, "public");
}

#[test]
fn a_route_that_is_not_understood_is_refused() {
    for settings in [json!({"require_validation": 1}), json!({"tenant": "globex"}), json!({"disabled": 1})] {
        check_refused(&on_route("/health", &settings), &mut edge(json!({})), 503, "policy_unavailable");
    }
}

// === records ===

fn records(edge: &mut Edge) -> Vec<Value> {
    let host = get("/", Value::Null);
    host.advance(Duration::from_secs(5));
    let super::Edge { config, tenants, .. } = edge;
    let now = host.0.borrow().now;
    tenants[0].logs.as_mut().unwrap().tick(&host, config, &config.tenants[0], "w", now);
    let bodies = host.0.borrow().bodies.clone();
    let body: Value = bodies.first().map_or(json!({"records": []}), |body| serde_json::from_str(body).unwrap());
    body["records"].as_array().unwrap().clone()
}

#[test]
fn every_decision_becomes_a_record_and_every_audit_one_more() {
    let mut edge = edge(json!({"decision_logs": {}}));
    check_allowed(&get("/orders/1?x=1", clerk()), &mut edge, "rule");
    check_refused(&get("/elsewhere", clerk()), &mut edge, 404, "no_match");
    check_refused(&get("//", Value::Null), &mut edge, 422, "malformed_request");
    let records = records(&mut edge);
    let brief: Vec<_> = records
        .iter()
        .map(|record| {
            json!([record["kind"], record["path"], record["subject"], record["ip"], record["reason"], record["topic"]])
        })
        .collect();
    assert_eq!(
        brief,
        [
            json!(["decision", "/orders/1", "u1", "203.0.113.9", "rule", null]),
            json!(["audit", "/orders/1", "u1", "203.0.113.9", "rule", "orders"]),
            json!(["decision", "/elsewhere", "u1", "203.0.113.9", "no_match", null]),
            json!(["decision", "//", null, null, "malformed_request", null]),
        ]
    );
    assert_eq!((&records[0]["rules"], &records[0]["revision"]), (&json!(["orders"]), &json!(7)));
}

#[test]
fn where_records_are_required_a_full_buffer_refuses() {
    let keys = |mode: &str| json!({"decision_logs": {"mode": mode, "buffer": 1}});
    let mut required = edge(keys("required"));
    check_allowed(&get("/health", Value::Null), &mut required, "public");
    check_refused(&get("/health", Value::Null), &mut required, 503, "policy_unavailable");

    let mut best_effort = edge(keys("best_effort"));
    check_allowed(&get("/health", Value::Null), &mut best_effort, "public");
    let host = get("/health", Value::Null);
    check_allowed(&host, &mut best_effort, "public");
    assert_eq!(host.metric("portcullis_log_records_dropped_total.tenant.default"), 1);
    // An obligation that cannot be kept is a deny all the same.
    check_refused(&get("/orders/1", clerk()), &mut best_effort, 503, "policy_unavailable");
}

// === the candidate ===

#[test]
fn the_candidate_is_compared_and_never_enforced() {
    let mut edge = edge(json!({"shadow": true, "decision_logs": {}}));
    let candidate = "{version: 1, public: [{path: {exact: /elsewhere}}, {path: {exact: /health}}]}";
    edge.tenants[0].candidate = Some(Rc::new(Policy::open(bundle(candidate, 1)).unwrap()));
    let count = |host: &FakeHost| {
        ["same", "different"]
            .map(|kind| host.metric(&format!("portcullis_shadow_decisions_total.tenant.default.kind.{kind}")))
    };
    let host = get("/elsewhere", clerk());
    check_refused(&host, &mut edge, 404, "no_match");
    assert_eq!(count(&host), [0, 1]);
    let host = get("/orders/1", clerk());
    check_allowed(&host, &mut edge, "rule");
    assert_eq!(count(&host), [0, 1]);
    let host = get("/health", Value::Null);
    check_allowed(&host, &mut edge, "public");
    assert_eq!(count(&host), [1, 0]);
    let records = records(&mut edge);
    assert_eq!(records[0]["shadow"], json!({"effect": "allow", "reason": "public"}));
    assert_eq!(records[1]["shadow"], json!({"effect": "deny", "reason": "no_match"}));
    assert_eq!(records.last().unwrap().get("shadow"), None);
}
