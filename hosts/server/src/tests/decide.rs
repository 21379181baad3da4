//! `POST /policy/decide` and `/policy/explain`.

use serde_json::json;

use crate::tests::client::{POLICY, TestApp};

#[tokio::test]
async fn without_a_policy_every_decision_is_deny() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let pep = app.user(&admin, "pep").await;
    let decision =
        pep.post("/policy/decide").json(&json!({"action": "GET", "path": "/"})).send().await.expect_status(200);
    let expected = json!({"decision": "deny", "status": 503, "reason": "policy_unavailable", "rules": [],
        "restriction": null, "obligations": [], "errors": [], "revision": 0});
    assert_eq!(decision.json(), expected);
    let explained = admin.post("/policy/explain").json(&json!({"action": "GET", "path": "/"})).send().await;
    assert_eq!(explained.expect_status(200).json()["reason"], "policy_unavailable");
}

#[tokio::test]
async fn a_new_policy_decides_from_its_answer_on() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let pep = app.user(&admin, "pep").await;
    let request = json!({"action": "GET", "path": "/staff/1", "subject": {"id": "a", "roles": ["staff"]}});
    let decide = || pep.post("/policy/decide").json(&request).send();
    admin.publish(POLICY).await;
    let allow = json!({"decision": "allow", "status": 200, "reason": "rule", "rules": ["staff"],
        "restriction": null, "obligations": [], "errors": [], "revision": 1});
    assert_eq!(decide().await.expect_status(200).json(), allow);
    admin.publish("version: 1\nblocked: [{path: {under: /staff}}]").await;
    let decision = decide().await.expect_status(200).json();
    assert_eq!((&decision["decision"], &decision["reason"]), (&json!("deny"), &json!("blocked")));
    assert_eq!((&decision["status"], &decision["revision"]), (&json!(403), &json!(2)));
}

#[tokio::test]
async fn an_explanation_comes_with_its_decision() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let request = json!({"action": "GET", "path": "/staff", "subject": {"id": "a"}});
    let explained = admin.post("/policy/explain").json(&request).send().await.expect_status(200).json();
    assert_eq!((&explained["decision"], &explained["reason"]), (&json!("deny"), &json!("no_match")));
    assert_eq!(explained["explanation"]["nearest"], json!([{"rule": "staff", "failed": ["who"]}]));
}

#[tokio::test]
async fn what_is_not_a_request_is_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    for path in ["/policy/decide", "/policy/explain"] {
        for body in [
            "",
            "{}",
            "[]",
            r#"[{"action": "GET", "path": "/"}]"#,
            r#"["GET", null, "/", null, null, null, null, null, null, null, null]"#,
            r#"{"action": "GET"}"#,
            r#"{"action": "GET", "path": "/", "pth": "/"}"#,
            r#"{"action": "GET", "path": "/", "path": "/"}"#,
            r#"{"action": "GET", "path": "/", "subject": {"id": "a", "role": "b"}}"#,
            r#"{"action": "GET", "path": "/", "credential": "magic"}"#,
            r#"{"action": "GET", "path": "/", "source_ip": "localhost"}"#,
            r#"{"action": "GET", "path": "/"} x"#,
        ] {
            admin.post(path).json_text(body).send().await.expect_problem(400, "malformed_request");
        }
        let text = admin.post(path).body(r#"{"action": "GET", "path": "/"}"#);
        text.send().await.expect_problem(415, "unsupported_media_type");
        let long = r#"{"action": "GET", "path": "/"}"#.to_owned() + &" ".repeat(1 << 20);
        admin.post(path).json_text(&long).send().await.expect_problem(413, "too_large");
    }
    admin
        .post("/policy/decide?tenant=acme")
        .json(&json!({"action": "GET", "path": "/"}))
        .send()
        .await
        .expect_problem(404, "not_found");
    // A path that is not canonical is a fact to decide about, not a bad question.
    let odd = admin.post("/policy/decide").json(&json!({"action": "GET", "path": "/a/%2e%2e/%2F"})).send().await;
    assert_eq!(odd.expect_status(200).json()["reason"], "malformed_request");
}
