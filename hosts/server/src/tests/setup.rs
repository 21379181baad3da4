//! The first start.

use serde_json::json;

use crate::tests::client::TestApp;

#[tokio::test]
async fn the_setup_token_creates_the_first_admin_and_works_once() {
    let app = TestApp::new().await;
    let token = app.app.issue_setup_token().await.unwrap().unwrap();
    let setup = app.holder_of(&token);
    let answer = setup.post("/setup").json(&json!({"id": "root"})).send().await.expect_status(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let created = answer.json();
    assert_eq!((&created["id"], &created["roles"]), (&json!("root"), &json!(["admin"])));
    let admin = app.holder_of(created["token"].as_str().unwrap());
    let user = admin.get("/directory/users/root").send().await.expect_status(200).json();
    assert_eq!(user["state"], "active");

    setup.post("/setup").json(&json!({"id": "other"})).send().await.expect_problem(401, "bad_token");
    admin.get("/directory/users/other").send().await.expect_problem(404, "not_found");
    assert_eq!(app.app.issue_setup_token().await.unwrap(), None);
}

#[tokio::test]
async fn a_newer_setup_token_replaces_the_old_one() {
    let app = TestApp::new().await;
    let old = app.app.issue_setup_token().await.unwrap().unwrap();
    let new = app.app.issue_setup_token().await.unwrap().unwrap();
    let set_up = |token: &str| app.holder_of(token).post("/setup").json(&json!({"id": "root"})).send();
    set_up(&old).await.expect_problem(401, "bad_token");
    set_up(&new).await.expect_status(201);
}

#[tokio::test]
async fn the_setup_token_is_good_for_nothing_else() {
    let app = TestApp::new().await;
    let setup = app.holder_of(&app.app.issue_setup_token().await.unwrap().unwrap());
    setup.get("/directory/users").send().await.expect_denied(403, "no_match");
    setup.put_document("version: 1").send().await.expect_denied(403, "no_match");
}

#[tokio::test]
async fn neither_an_admin_nor_a_role_replaces_the_setup_token() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let impostor = app.user(&admin, "setup").await;
    for actor in [admin, impostor] {
        actor.post("/setup").json(&json!({"id": "x"})).send().await.expect_problem(401, "bad_token");
    }
    app.anonymous().post("/setup").json(&json!({"id": "x"})).send().await.expect_denied(401, "unauthenticated");
}

#[tokio::test]
async fn a_refused_body_leaves_the_setup_token() {
    let app = TestApp::new().await;
    let setup = app.holder_of(&app.app.issue_setup_token().await.unwrap().unwrap());
    setup.post("/setup").json(&json!({})).send().await.expect_problem(422, "invalid");
    setup.post("/setup").json(&json!({"id": "a", "roles": []})).send().await.expect_problem(422, "invalid");
    setup.post("/setup").json(&json!({"id": "a b"})).send().await.expect_problem(422, "invalid");
    setup.post("/setup").json(&json!({"id": "a"})).send().await.expect_status(201);
}

#[tokio::test]
async fn the_first_admin_may_come_as_a_form() {
    let app = TestApp::new().await;
    let setup = app.holder_of(&app.app.issue_setup_token().await.unwrap().unwrap());
    let form = |content_type: &str, body: &str| {
        setup.post("/setup").header("content-type", content_type).body(body.to_owned()).send()
    };
    let type_of_forms = "application/x-www-form-urlencoded";
    form(type_of_forms, "id=a&id=b").await.expect_problem(422, "invalid");
    form(type_of_forms, "id=a+b").await.expect_problem(422, "invalid");
    form(type_of_forms, "id=a&roles=admin").await.expect_problem(422, "invalid");
    form(type_of_forms, "id=%ff").await.expect_problem(400, "malformed_request");
    form("application/x-www-form-urlencoded; charset=latin1", "id=a")
        .await
        .expect_problem(415, "unsupported_media_type");
    form("text/plain", "id=a").await.expect_problem(415, "unsupported_media_type");
    let created = form(type_of_forms, "id=r%6Fot").await.expect_status(201).json();
    assert_eq!(created["id"], "root");
}
