//! `/v1/user` and `/v1/role`: M1 to M10, the envelope, and who may.

use axum::http::Method;
use serde_json::{Value, json};

use crate::dialects::padlock::Settings;
use crate::tests::client::{Answer, TestApp};
use crate::tests::padlock::Padlock;

impl Padlock {
    async fn create(&self, body: &Value) -> Answer {
        self.admin.post("/v1/user").json(body).send().await
    }

    async fn put(&self, path: &str, body: &Value) -> Answer {
        self.admin.request(Method::PUT, path).json(body).send().await
    }

    async fn user(&self, id: &str) -> Value {
        self.admin.get(&format!("/v1/user/{id}")).send().await.expect_envelope(200).json()["user"].clone()
    }
}

#[tokio::test]
async fn a_user_is_stored_with_its_roles() {
    let padlock = Padlock::new(Settings::default()).await;
    let user = json!({"user_id": "z5", "username": "zed", "email": "Z5@example.org", "first_name": "Zoë", "last_name": "O'Neil"});
    // M1: an unknown key, and a role twice.
    let body = json!({"user": user, "roles": ["reader", "admin", "reader"], "x": 1});
    padlock.create(&body).await.expect_envelope(200);
    let expected = json!({
        "user_id": "z5", "username": "zed", "email": "Z5@example.org", "first_name": "Zoë", "last_name": "O'Neil",
        "created_at": "2023-11-14T22:13:20Z", "updated_at": "2023-11-14T22:13:20Z",
        "roles": ["admin", "reader"], "associatedPermission": ["purge", "read", "write"],
    });
    assert_eq!(padlock.user("z5").await, expected);
    padlock.create(&json!({"user": {"user_id": "z6", "username": "zed"}})).await.expect_envelope(200);
}

#[tokio::test]
async fn what_is_wrong_stores_nothing() {
    let padlock = Padlock::new(Settings::default()).await;
    // M2 is a 500 there.
    padlock.create(&json!({"user": {"user_id": "z7"}, "roles": ["ghost"]})).await.expect_envelope(422);
    // M3, M5 and their like.
    for body in [
        json!({"user": {"user_id": "z7"}, "roles": ["a b"]}),
        json!({"user": {"user_id": "z7", "username": ""}}),
        json!({"user": {"user_id": "z7", "email": "not-an-email"}}),
        json!({"user": {"user_id": "z7", "first_name": "a\u{0}b"}}),
        json!({"user": {"user_id": "z7", "last_name": "x".repeat(256)}}),
        json!({"user": {"user_id": "z7"}, "roles": "reader"}),
        json!({"user": {"user_id": "a.b"}}),
        json!({"user": {"user_id": 7}}),
        json!({"user": {}}),
        json!({}),
        json!([]),
    ] {
        padlock.create(&body).await.expect_envelope(400);
    }
    for text in ["", "{", r#"{"user": {"user_id": "z7"}, "user": {"user_id": "z7"}}"#] {
        padlock.admin.post("/v1/user").json_text(text).send().await.expect_envelope(400);
    }
    let no_type = padlock.admin.post("/v1/user").body(r#"{"user": {"user_id": "z7"}}"#);
    no_type.send().await.expect_envelope(415);
    assert!(!padlock.knows("z7").await);
    // M4 is a 500 there; the address is unique here.
    padlock.create(&json!({"user": {"user_id": "rui"}})).await.expect_envelope(409);
    padlock.create(&json!({"user": {"user_id": "e1", "email": "a@b.example"}})).await.expect_envelope(200);
    padlock.create(&json!({"user": {"user_id": "e2", "email": "A@b.example"}})).await.expect_envelope(409);
}

#[tokio::test]
async fn a_user_is_replaced_and_keeps_its_roles() {
    let padlock = Padlock::new(Settings::default()).await;
    padlock.create(&json!({"user": {"user_id": "z5", "first_name": "Zed"}, "roles": ["reader"]})).await;
    padlock.put("/v1/user/z5", &json!({"user_id": "z5", "last_name": "Zett"})).await.expect_envelope(200);
    let user = padlock.user("z5").await;
    assert_eq!((user.get("first_name"), &user["last_name"]), (None, &json!("Zett")));
    assert_eq!(user["roles"], json!(["reader"]));
    padlock.put("/v1/user/z5", &json!({"user_id": "rui"})).await.expect_envelope(400);
    padlock.put("/v1/user/z5", &json!({"last_name": "x"})).await.expect_envelope(400);
    padlock.put("/v1/user/nobody", &json!({"user_id": "nobody"})).await.expect_envelope(404);
}

#[tokio::test]
async fn roles_are_replaced_as_a_set() {
    let padlock = Padlock::new(Settings::default()).await;
    padlock.put("/v1/user/rui/roles", &json!({"roles": ["writer", "writer"]})).await.expect_envelope(200);
    assert_eq!(padlock.user("rui").await["roles"], json!(["writer"]));
    // M6
    for none in [json!({}), json!({"roles": null}), json!({"roles": []})] {
        padlock.put("/v1/user/bo/roles", &none).await.expect_envelope(200);
        assert_eq!(padlock.user("bo").await["roles"], json!([]));
    }
    // M7 is a 500 there.
    padlock.put("/v1/user/nobody/roles", &json!({})).await.expect_envelope(404);
    padlock.put("/v1/user/rui/roles", &json!({"roles": ["ghost"]})).await.expect_envelope(422);
    assert_eq!(padlock.user("rui").await["roles"], json!(["writer"]));
}

#[tokio::test]
async fn a_user_is_deleted_once() {
    let padlock = Padlock::new(Settings::default()).await;
    // M9: 500 there the second time.
    padlock.admin.delete("/v1/user/rui").send().await.expect_envelope(200);
    padlock.admin.delete("/v1/user/rui").send().await.expect_envelope(404);
    // M8
    padlock.admin.get("/v1/user/a.b").send().await.expect_envelope(400);
}

#[tokio::test]
async fn roles_are_those_of_the_document() {
    let padlock = Padlock::new(Settings::default()).await;
    let roles = padlock.admin.get("/v1/role").send().await.expect_envelope(200).json()["roles"].clone();
    let permissions = |names: &[&str]| json!({ "permissions": names });
    let expected = json!({
        "admin": permissions(&["purge", "read", "write"]), "operator": permissions(&["ops"]),
        "reader": permissions(&["read"]), "writer": permissions(&["write"]),
    });
    assert_eq!(roles, expected);
    let role = padlock.admin.get("/v1/role/writer").send().await.expect_envelope(200).json();
    assert_eq!(role["role"], permissions(&["write"]));
    let assigned = role["assigned_users"].as_array().unwrap();
    assert_eq!(assigned.iter().map(|user| &user["user_id"]).collect::<Vec<_>>(), ["bo", "wen"]);
    padlock.admin.get("/v1/role/ghost").send().await.expect_envelope(404);
    padlock.admin.get("/v1/role/a.b").send().await.expect_envelope(400);
    // M10: 405 with an empty body there.
    let answer = padlock.admin.post("/v1/role").send().await.expect_envelope(405);
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn a_role_has_what_it_inherits() {
    let padlock = Padlock::new(Settings::default()).await;
    let document = "version: 1\nroles:\n  a: {permissions: [one]}\n  b: {inherits: [a], permissions: [two]}\n  c: {inherits: [b]}\n";
    padlock.admin.publish(document).await;
    let roles = padlock.admin.get("/v1/role").send().await.expect_envelope(200).json();
    assert_eq!(roles["roles"]["c"], json!({"permissions": ["one", "two"]}));
    padlock.create(&json!({"user": {"user_id": "z"}, "roles": ["c"]})).await.expect_envelope(200);
    assert_eq!(padlock.user("z").await["associatedPermission"], json!(["one", "two"]));
}

#[tokio::test]
async fn lists_are_complete_or_pages() {
    let padlock = Padlock::new(Settings::default()).await;
    for at in 0..205 {
        padlock.create(&json!({"user": {"user_id": format!("u{at:03}")}})).await.expect_envelope(200);
    }
    let ids = async |query: &str| {
        let answer = padlock.admin.get(&format!("/v1/user{query}")).send().await.expect_envelope(200).json();
        let ids = answer["users"].as_array().unwrap().iter().map(|user| user["user_id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    // With the six of the examples and the administrator.
    assert_eq!(ids("").await.len(), 212);
    assert_eq!(ids("?after=u202&limit=2").await, ["u203", "u204"]);
    assert_eq!(ids("?limit=2").await, ["ada", "admin"]);
    padlock.admin.get("/v1/user?limit=0").send().await.expect_envelope(400);
}

#[tokio::test]
async fn every_answer_has_an_id() {
    let padlock = Padlock::new(Settings::default()).await;
    let given = padlock.admin.get("/v1/role").header("padlock-request-id", "abc-1").send().await.expect_envelope(200);
    assert_eq!(given.header("padlock-request-id"), "abc-1");
    for strange in ["", "a b", &"x".repeat(129)] {
        let answer = padlock.admin.get("/v1/role").header("padlock-request-id", strange).send().await;
        let id = answer.expect_envelope(200).header("padlock-request-id").to_owned();
        assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
    }
    padlock.admin.get("/v1/user/a/b/c").send().await.expect_envelope(404);
    for path in ["/v1/alive", "/v1/ready", "/liveness/alive", "/liveness/ready"] {
        padlock.app.anonymous().get(path).send().await.expect_envelope(200);
    }
}

#[tokio::test]
async fn who_manages_needs_a_token_unless_it_is_open() {
    let closed = Padlock::new(Settings::default()).await;
    let open = Padlock::new(Settings { open: true, ..Settings::default() }).await;
    for (method, path) in [
        (Method::GET, "/v1/user"),
        (Method::GET, "/v1/user/rui"),
        (Method::GET, "/v1/role"),
        (Method::GET, "/v1/role/reader"),
        (Method::DELETE, "/v1/user/rui"),
    ] {
        closed.app.anonymous().request(method.clone(), path).send().await.expect_envelope(401);
        open.app.anonymous().request(method, path).send().await.expect_envelope(200);
    }
    let user = json!({"user": {"user_id": "z5"}});
    open.app.anonymous().post("/v1/user").json(&user).send().await.expect_envelope(200);
    // Nothing else is open, and a wrong token is wrong.
    open.app.anonymous().get("/directory/users").send().await.expect_denied(401, "unauthenticated");
    open.app.holder_of("x").get("/v1/user").send().await.expect_envelope(401);
}

#[tokio::test]
async fn an_operator_reads() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let operator = app.user(&admin, "operator").await;
    operator.get("/v1/user").send().await.expect_envelope(200);
    operator.get("/v1/role").send().await.expect_envelope(200);
    operator.delete("/v1/user/admin").send().await.expect_envelope(403);
    operator.post("/v1/user").json(&json!({"user": {"user_id": "z"}})).send().await.expect_envelope(403);
    let pep = app.user(&admin, "pep").await;
    pep.get("/v1/user").send().await.expect_envelope(403);
}
