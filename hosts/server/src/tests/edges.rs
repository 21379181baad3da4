//! `/edges`, and what an edge may do.

use serde_json::json;

use crate::tests::client::{NOW, POLICY, TestApp};

#[tokio::test]
async fn an_edge_does_what_edges_do_and_nothing_else() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let edge = app.edge(&admin, "one").await;
    assert!(edge.token.as_ref().unwrap().starts_with("pte_"));
    edge.get("/policy/bundle").send().await.expect_status(200);
    edge.get("/policy/bundle?tenant=default").send().await.expect_status(200);
    edge.get("/policy/revocations").send().await.expect_status(200);
    edge.get("/gateway/identity").send().await.expect_status(204);
    edge.post("/policy/decide").json(&json!({"action": "GET", "path": "/"})).send().await.expect_status(200);
    for path in ["/policy/document", "/directory/users", "/edges", "/policy/decision-logs", "/policy/revisions"] {
        edge.get(path).send().await.expect_denied(403, "no_match");
    }
    edge.post("/edges").json(&json!({"name": "two"})).send().await.expect_denied(403, "no_match");
}

#[tokio::test]
async fn an_edge_sees_no_other_tenant() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.edge(&admin, "one").await;
    for path in ["/policy/bundle", "/policy/revocations", "/gateway/identity", "/healthz"] {
        let other = edge.get(&format!("{path}?tenant=acme")).send().await;
        if path == "/healthz" {
            other.expect_status(200);
        } else {
            other.expect_denied(403, "rule");
        }
    }
    // `%74enant` is `tenant` to whoever reads the query.
    edge.get("/policy/bundle?%74enant=acme").send().await.expect_denied(403, "rule");
    edge.get("/policy/bundle?tenant=default&tenant=acme").send().await.expect_problem(400, "malformed_request");
    admin.get("/policy/bundle?tenant=acme").send().await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn tokens_are_rotated_without_a_break() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let first = app.edge(&admin, "one").await;
    let rotate = async |body: serde_json::Value| {
        let answer = admin.post("/edges/one/tokens").json(&body).send().await.expect_status(201);
        assert_eq!(answer.header("cache-control"), "no-store");
        (app.holder_of(answer.json()["token"].as_str().unwrap()), answer.json()["old_until"].as_u64().unwrap())
    };
    let (second, old_until) = rotate(json!({})).await;
    assert_eq!(old_until, NOW.0 + 3600);
    for edge in [&first, &second] {
        edge.get("/policy/revocations").send().await.expect_status(200);
    }
    let listed = admin.get("/edges").send().await.expect_status(200).json();
    assert_eq!((&listed["edges"][0]["name"], &listed["next"]), (&json!("one"), &json!(null)));
    assert_eq!(listed["edges"][0]["tokens"].as_array().unwrap().len(), 2);

    let (third, _) = rotate(json!({"old_lives_s": 0})).await;
    for old in [first, second] {
        old.get("/policy/revocations").send().await.expect_problem(401, "bad_token");
    }
    third.get("/policy/revocations").send().await.expect_status(200);
    admin.delete("/edges/one").send().await.expect_status(204);
    third.get("/policy/revocations").send().await.expect_problem(401, "bad_token");

    let post = |path: &str, body: serde_json::Value| admin.post(path).json(&body).send();
    post("/edges/one/tokens", json!({})).await.expect_detail(404, "not_found", "there is no edge of this name");
    admin.delete("/edges/a%20b").send().await.expect_problem(404, "not_found");
    post("/edges", json!({"name": "a b"})).await.expect_problem(422, "invalid");
    post("/edges", json!({"name": "x"})).await.expect_status(201);
    post("/edges", json!({"name": "x"})).await.expect_problem(409, "conflict");
    post("/edges?tenant=acme", json!({"name": "x"})).await.expect_problem(404, "not_found");
    post("/edges/x/tokens", json!({"old_lives_s": 604_801})).await.expect_problem(422, "invalid");
    for number in ["1e400", "-1", "1.5"] {
        let rotation = admin.post("/edges/x/tokens").json_text(&format!("{{\"old_lives_s\": {number}}}"));
        let problem = rotation.send().await.expect_status(422);
        assert!(problem.text().contains("\"pointer\":\"/old_lives_s\""), "{}", problem.text());
    }
    let unknown = post("/edges?tennant=acme", json!({"name": "y"})).await.expect_problem(422, "invalid").json();
    assert_eq!(unknown["violations"][0]["params"], json!({"property": "tennant"}));
}
