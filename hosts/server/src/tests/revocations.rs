//! `GET /policy/revocations` and what writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, SigningKey};
use serde_json::{Value, json};

use crate::tests::client::{Actor, Answer, NOW, POLICY, TestApp};

/// The answer, its signature checked.
async fn revocations(actor: &Actor, query: &str) -> Value {
    let answer = actor.get(&format!("/policy/revocations{query}")).send().await.expect_status(200);
    check_signature(&answer);
    answer.json()
}

#[track_caller]
fn check_signature(answer: &Answer) {
    let signature = STANDARD.decode(answer.header("portcullis-signature")).unwrap();
    let signed = [b"portcullis revocations 1\n", &answer.body[..]].concat();
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    key.verify_strict(&signed, &Signature::from_slice(&signature).unwrap()).unwrap();
    assert_eq!(answer.header("content-type"), "application/json");
}

fn expected(since: u64, revision: u64, full: bool, entries: &[(&str, u64)]) -> Value {
    let entry = |(subject, later): &(&str, u64)| json!({"subject": subject, "not_before": NOW.0 + later});
    let entries: Vec<Value> = entries.iter().map(entry).collect();
    json!({"tenant": "default", "since": since, "revision": revision, "full": full, "revocations": entries})
}

async fn revoke(admin: &Actor, id: &str) {
    admin.post(&format!("/directory/users/{id}/revoke")).send().await.expect_status(200);
}

#[tokio::test]
async fn each_answer_is_what_changed_since_the_one_before() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.edge(&admin, "one").await;
    assert_eq!(revocations(&edge, "").await, expected(0, 0, true, &[]));
    let answer = admin.post("/directory/users/u7/revoke").send().await.expect_status(200);
    assert_eq!(answer.json(), json!({"subject": "u7", "not_before": NOW.0 + 1}));
    revoke(&admin, "u8").await;
    let both = [("u7", 1), ("u8", 1)];
    assert_eq!(revocations(&edge, "?since=0").await, expected(0, 2, true, &both));
    assert_eq!(revocations(&edge, "?since=1").await, expected(1, 2, false, &both[1..]));
    assert_eq!(revocations(&edge, "?tenant=default&since=2").await, expected(2, 2, false, &[]));
    assert_eq!(revocations(&edge, "?since=9").await, expected(9, 2, true, &both), "nobody ever said 9");
    revoke(&admin, "u7").await;
    assert_eq!(revocations(&edge, "?since=2").await, expected(2, 2, false, &[]), "nothing changed");
    for query in ["?since=-1", "?since=x", "?wait=61", "?since=1&since=1", "?after=1"] {
        let answer = edge.get(&format!("/policy/revocations{query}")).send().await;
        answer.expect_problem(400, "malformed_request");
    }
}

#[tokio::test]
async fn who_waits_is_told_by_the_write() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.edge(&admin, "one").await;
    app.user(&admin, "pep").await;
    let numbers = &app.app.default_tenant().unwrap().revocations;
    for (since, write) in [
        (0, admin.patch("/directory/users/pep").json(&json!({"state": "banned"}))),
        (1, admin.post("/directory/users/u1/revoke")),
        (2, admin.post("/directory/users/u2/revoke")),
    ] {
        let poll = tokio::spawn(edge.get(&format!("/policy/revocations?since={since}&wait=60")).send());
        while numbers.waiting() == 0 {
            assert!(!poll.is_finished(), "it did not wait");
            tokio::task::yield_now().await;
        }
        write.send().await.expect_status(200);
        let answer = poll.await.unwrap().expect_status(200);
        check_signature(&answer);
        assert_eq!(answer.json()["revision"], since + 1);
    }
}

#[tokio::test]
async fn a_poll_without_news_ends_in_time_or_with_the_server() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    revoke(&admin, "u7").await;
    assert_eq!(revocations(&admin, "?since=1&wait=1").await, expected(1, 1, false, &[]));
    app.app.stop();
    assert_eq!(revocations(&admin, "?since=1&wait=60").await, expected(1, 1, false, &[]));
}

#[tokio::test]
async fn bans_deletions_and_other_roles_are_revocations() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for id in ["a", "b", "c", "d"] {
        app.user(&admin, id).await;
    }
    let patch = |id: &str, body: Value| admin.patch(&format!("/directory/users/{id}")).json(&body).send();
    patch("a", json!({"state": "banned"})).await.expect_status(200);
    patch("b", json!({"roles": []})).await.expect_status(200);
    patch("b", json!({"roles": [], "state": "active"})).await.expect_status(200);
    admin.delete("/directory/users/c").send().await.expect_status(204);
    admin.delete("/directory/users/d/tokens").send().await.expect_status(204);
    let all = [("a", 1), ("b", 1), ("c", 1), ("d", 1)];
    assert_eq!(revocations(&admin, "").await, expected(0, 4, true, &all));
}

#[tokio::test]
async fn a_revoked_token_is_refused_by_the_server_too() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let ask = async |path: &str, issued_at: Value| {
        let subject = json!({"id": "u7", "roles": ["staff"], "issued_at": issued_at});
        let request = json!({"action": "GET", "path": path, "subject": subject});
        let decision = admin.post("/policy/decide").json(&request).send().await.expect_status(200).json();
        let explained = admin.post("/policy/explain").json(&request).send().await.expect_status(200).json();
        assert_eq!(decision["reason"], explained["reason"]);
        (decision["status"].as_u64().unwrap(), decision["reason"].as_str().unwrap().to_owned(), explained)
    };
    assert_eq!(ask("/staff/1", json!(NOW.0)).await.0, 200);
    revoke(&admin, "u7").await;
    for (path, issued_at) in [("/staff/1", json!(NOW.0)), ("/staff/1", json!(null)), ("/other", json!(1))] {
        let (status, reason, explained) = ask(path, issued_at).await;
        assert_eq!((status, reason.as_str()), (401, "token_revoked"), "{path}");
        let outcome = |at: usize| explained["explanation"]["stages"][at]["outcome"].as_str().unwrap().to_owned();
        assert_eq!([outcome(5), outcome(6), outcome(7)], ["passed", "decided", "not_reached"]);
    }
    assert_eq!(ask("/staff/1", json!(NOW.0 + 1)).await.0, 200);
    assert_eq!(ask("/staff/..", json!(NOW.0)).await.1, "token_revoked");
    assert_eq!(ask("/%00", json!(NOW.0)).await.1, "malformed_request", "an earlier stage decides first");
}

#[tokio::test]
async fn revocations_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::in_folder(folder.path()).await;
    let admin = app.admin().await;
    revoke(&admin, "u7").await;
    app.app.close().await.unwrap();
    let app = TestApp::in_folder(folder.path()).await;
    let admin = app.holder_of(admin.token.as_ref().unwrap());
    assert_eq!(revocations(&admin, "?since=0&wait=60").await, expected(0, 1, true, &[("u7", 1)]));
}
