//! `/metrics`: counts of what happened, under names and labels that are ours.

use axum::http::Method;
use serde_json::json;

use crate::tests::client::{Actor, NOW, POLICY, TestApp};

async fn metrics(actor: &Actor) -> String {
    let answer = actor.get("/metrics").send().await.expect_status(200);
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    answer.text()
}

/// The value of a sample, by its name with labels.
#[track_caller]
fn value(metrics: &str, sample: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in\n{metrics}")).parse().unwrap()
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status_class() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for id in ["a", "b"] {
        admin.get(&format!("/directory/users/{id}?secret=x")).send().await.expect_status(404);
    }
    app.anonymous().get("/directory/users/a").send().await.expect_status(401);
    admin.get("/no/such/path").send().await.expect_status(404);
    admin.request(Method::from_bytes(b"BREW").unwrap(), "/edges").send().await.expect_status(405);
    admin.get("/healthz").send().await.expect_status(200);
    let text = metrics(&admin).await;
    let answered = |labels: &str| value(&text, &format!("portcullis_http_requests_total{{{labels}}}"));
    assert_eq!(answered(r#"route="/directory/users/{id}",method="GET",status="4xx""#), 3.0);
    assert_eq!(answered(r#"route="none",method="GET",status="4xx""#), 1.0);
    assert_eq!(answered(r#"route="/edges",method="other",status="4xx""#), 1.0);
    assert_eq!(answered(r#"route="/healthz",method="GET",status="2xx""#), 1.0);
    let duration = "portcullis_http_request_duration_seconds";
    assert_eq!(value(&text, &format!(r#"{duration}_count{{route="/directory/users/{{id}}"}}"#)), 3.0);
    assert_eq!(value(&text, &format!(r#"{duration}_bucket{{le="+Inf",route="/directory/users/{{id}}"}}"#)), 3.0);
    for leak in ["secret", "users/a", "/no/such", "BREW", "ptc_"] {
        assert!(!text.contains(leak), "{leak}");
    }
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(text.matches("# EOF").count(), 1);
}

#[tokio::test]
async fn decisions_are_counted_by_effect_and_reason() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let pep = app.user(&admin, "pep").await;
    let ask = json!({"action": "GET", "path": "/staff/x", "subject": {"id": "s", "roles": ["staff"]}});
    for _ in 0..2 {
        pep.post("/policy/decide").json(&ask).send().await.expect_status(200);
    }
    pep.post("/policy/decide").json(&json!({"action": "GET", "path": "/x"})).send().await.expect_status(200);
    pep.get("/edges").send().await.expect_status(403);
    let text = metrics(&admin).await;
    let decided = |labels: &str| value(&text, &format!("portcullis_decisions_total{{{labels}}}"));
    assert_eq!(decided(r#"policy="tenant",effect="allow",reason="rule""#), 2.0);
    assert_eq!(decided(r#"policy="tenant",effect="deny",reason="unauthenticated""#), 1.0);
    assert_eq!(decided(r#"policy="management",effect="deny",reason="no_match""#), 1.0);
}

#[tokio::test]
async fn figures_are_those_of_the_moment() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let before = metrics(&admin).await;
    assert_eq!(value(&before, r#"portcullis_policy_revision{tenant="default"}"#), 0.0);
    assert_eq!(value(&before, "process_start_time_seconds"), NOW.0 as f64);
    assert_eq!(value(&before, r#"portcullis_logins_total{result="refused"}"#), 0.0);

    admin.publish(POLICY).await;
    let edge = app.edge(&admin, "one").await;
    let record = json!({"time": 1, "kind": "decision", "request_id": "r", "method": "GET", "host": "a", "path": "/",
        "effect": "allow", "status": 200, "reason": "rule", "rules": [], "revision": 1});
    let batch = json!({"worker": "w", "first": 4, "dropped": 0, "records": [record]});
    edge.post("/policy/decision-logs").json(&batch).send().await.expect_status(200);
    admin.post("/directory/users/somebody/revoke").send().await.expect_status(200);
    let login = json!({"email": "nobody@example.org", "password": "x"});
    app.anonymous().post("/api/v2/barong/identity/sessions").json(&login).send().await.expect_status(401);
    app.clock.advance_ms(90_000);

    let after = metrics(&admin).await;
    for (sample, expected) in [
        (r#"portcullis_policy_revision{tenant="default"}"#, 1.0),
        (r#"portcullis_policy_age_seconds{tenant="default"}"#, 90.0),
        (r#"portcullis_policy_usable{tenant="default"}"#, 1.0),
        (r#"portcullis_revoked_subjects{tenant="default"}"#, 1.0),
        (r#"portcullis_revocation_number{tenant="default"}"#, 1.0),
        ("portcullis_decision_records_stored_total", 1.0),
        ("portcullis_decision_records_missing", 3.0),
        ("portcullis_database_up", 1.0),
        ("portcullis_database_connections_limit", 1.0),
        ("portcullis_sessions", 0.0),
        (r#"portcullis_long_polls{endpoint="bundle"}"#, 0.0),
        (r#"portcullis_logins_total{result="refused"}"#, 1.0),
        ("portcullis_trace_spans_dropped_total", 0.0),
    ] {
        assert_eq!(value(&after, sample), expected, "{sample}");
    }
}

#[tokio::test]
async fn a_long_poll_is_counted_while_it_waits() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let polling = tokio::spawn(admin.get("/policy/revocations?since=0&wait=60").send());
    // It waits once it holds a receiver of numbers.
    while app.app.default_tenant().unwrap().revocations.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let waiting = r#"portcullis_long_polls{endpoint="revocations"}"#;
    while value(&metrics(&admin).await, waiting) != 1.0 {
        tokio::task::yield_now().await;
    }
    polling.abort();
    assert!(polling.await.unwrap_err().is_cancelled());
    assert_eq!(value(&metrics(&admin).await, waiting), 0.0);
}

#[tokio::test]
async fn who_may_read_them_is_a_role() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    metrics(&app.user(&admin, "metrics").await).await;
    metrics(&app.user(&admin, "operator").await).await;
    app.anonymous().get("/metrics").send().await.expect_denied(401, "unauthenticated");
    app.user(&admin, "auditor").await.get("/metrics").send().await.expect_denied(403, "no_match");
}

#[tokio::test]
async fn a_database_that_is_gone_is_a_figure_too() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let text = metrics(&admin).await;
    assert_eq!(value(&text, "portcullis_database_up"), 1.0);
    let figures = crate::observe::metrics::Figures {
        tenants: Vec::new(),
        backlog: None,
        connections: Default::default(),
        dropped_spans: 0,
    };
    let text = app.app.metrics.write(&figures).unwrap();
    assert_eq!(value(&text, "portcullis_database_up"), 0.0);
    assert!(!text.contains("portcullis_sessions"));
}
