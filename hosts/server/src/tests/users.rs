//! `/directory/users`.

use serde_json::{Value, json};

use crate::tests::client::TestApp;

#[tokio::test]
async fn a_user_is_created_shown_changed_and_deleted() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let body = json!({"id": "Ünï@x", "roles": ["b", "a", "a"]});
    let created = admin.post("/directory/users").json(&body).send().await.expect_status(201).json();
    let expected = json!({"id": "Ünï@x", "state": "active", "roles": ["a", "b"],
        "created_at": 1_700_000_000, "updated_at": 1_700_000_000, "revision": 1});
    assert_eq!(created, expected);
    let path = "/directory/users/%C3%9Cn%C3%AF@x";
    assert_eq!(admin.get(path).send().await.expect_status(200).json(), expected);

    let changed = admin.patch(path).json(&json!({"state": "banned"})).send().await.expect_status(200).json();
    assert_eq!((&changed["state"], &changed["roles"]), (&json!("banned"), &json!(["a", "b"])));
    let changed = admin.patch(path).json(&json!({"roles": []})).send().await.expect_status(200).json();
    assert_eq!((&changed["state"], &changed["roles"], &changed["revision"]), (&json!("banned"), &json!([]), &json!(3)));

    assert!(admin.delete(path).send().await.expect_status(204).body.is_empty());
    for draft in [admin.get(path), admin.delete(path), admin.patch(path).json(&json!({"state": "x"}))] {
        draft.send().await.expect_detail(404, "not_found", "there is no user of this id");
    }
}

#[tokio::test]
async fn a_user_of_an_existing_id_conflicts() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let create = || admin.post("/directory/users").json(&json!({"id": "bob"})).send();
    create().await.expect_status(201);
    create().await.expect_problem(409, "conflict");
}

#[tokio::test]
async fn listing_goes_page_by_page() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for id in ["b", "c", "d"] {
        admin.post("/directory/users").json(&json!({"id": id})).send().await.expect_status(201);
    }
    let list = async |query: &str| {
        let page = admin.get(&format!("/directory/users{query}")).send().await.expect_status(200).json();
        let ids: Vec<String> = page["users"].as_array().unwrap().iter().map(|user| user["id"].to_string()).collect();
        (ids.join(" "), page["next"].clone())
    };
    assert_eq!(list("").await, (r#""admin" "b" "c" "d""#.to_owned(), Value::Null));
    assert_eq!(list("?limit=2").await, (r#""admin" "b""#.to_owned(), json!("b")));
    assert_eq!(list("?limit=3&after=b").await, (r#""c" "d""#.to_owned(), Value::Null));
    for query in ["?limit=0", "?limit=201", "?limit=x", "?limit=1&limit=1", "?size=3", "?limit=-1"] {
        admin.get(&format!("/directory/users{query}")).send().await.expect_problem(400, "malformed_request");
    }
}

#[tokio::test]
async fn illegal_values_are_refused_in_the_words_of_the_reader() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for (body, pointer, keyword) in [
        (json!({"id": ""}), "/id", "minLength"),
        (json!({"id": "x".repeat(256)}), "/id", "maxLength"),
        (json!({"id": "a/b"}), "/id", "pattern"),
        (json!({"id": ".."}), "/id", "not"),
        (json!({"id": 1}), "/id", "type"),
        (json!({"roles": []}), "", "required"),
        (json!({"id": "a", "state": ""}), "/state", "minLength"),
        (json!({"id": "a", "state": null}), "/state", "type"),
        (json!({"id": "a", "name": "A"}), "", "additionalProperties"),
        (json!({"id": "a", "roles": ["x", ""]}), "/roles/1", "minLength"),
        (json!({"id": "a", "roles": null}), "/roles", "type"),
        (json!({"id": "a", "roles": "admin"}), "/roles", "type"),
        (json!({"id": "a", "roles": (0..257).map(|at| at.to_string()).collect::<Vec<_>>()}), "/roles", "maxItems"),
        (json!(["a"]), "", "type"),
        (json!(null), "", "type"),
    ] {
        let problem = admin.post("/directory/users").json(&body).send().await.expect_problem(422, "invalid").json();
        let violation = &problem["violations"][0];
        assert!(violation["pointer"].as_str().unwrap().starts_with(pointer), "{body}: {problem}");
        assert_eq!(violation["keyword"], keyword, "{body}: {problem}");
    }
    let both = json!({"id": "a b", "state": ""});
    let problem = admin.post("/directory/users").json(&both).send().await.expect_problem(422, "invalid").json();
    assert_eq!((problem["violations"].as_array().unwrap().len(), &problem["has_more"]), (2, &json!(false)));
    // What a pattern does not say, the domain does.
    let control = admin.post("/directory/users").json(&json!({"id": "a\u{85}"})).send().await;
    control.expect_problem(422, "invalid");
    admin.patch("/directory/users/admin").json(&json!({})).send().await.expect_problem(422, "invalid");
    admin.get("/directory/users/a").send().await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_body_that_readers_read_differently_is_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for body in [
        "",
        "{",
        r#"{"id": "a", "id": "b"}"#,
        r#"{"id": "a", "\u0069d": "b"}"#,
        r#"{"id": "\ud800"}"#,
        r#"{"id": "a"} {}"#,
    ] {
        admin.post("/directory/users").json_text(body).send().await.expect_problem(400, "malformed_request");
    }
    let latin =
        admin.post("/directory/users").header("content-type", "application/json").body(&b"{\"id\": \"\xe9\"}"[..]);
    let problem = latin.send().await.expect_problem(400, "malformed_request").json();
    assert_eq!(problem["violations"][0]["code"], "invalid_utf8");
    assert_eq!(problem["violations"][0]["params"], json!({"offset": 8}));
    assert_eq!(admin.get("/directory/users").send().await.json()["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for content_type in ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
        let draft = admin.post("/directory/users").header("content-type", content_type).body(r#"{"id": "a"}"#);
        draft.send().await.expect_problem(415, "unsupported_media_type");
    }
    admin.post("/directory/users").body(r#"{"id": "a"}"#).send().await.expect_problem(415, "unsupported_media_type");
    let draft = admin.post("/directory/users").header("content-type", "Application/JSON; charset=\"UTF-8\"");
    draft.body(r#"{"id": "a"}"#).send().await.expect_status(201);
}

#[tokio::test]
async fn a_body_has_at_most_1_mib() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let body = |bytes: usize| r#"{"id": "a"}"#.to_owned() + &" ".repeat(bytes - 11);
    let send = |body: String| admin.post("/directory/users").json_text(&body).send();
    send(body((1 << 20) + 1)).await.expect_detail(413, "too_large", "the limit is 1048576 bytes");
    send(body(1 << 20)).await.expect_status(201);
    let announced = admin.post("/directory/users").json_text("{}").header("content-length", "1048577");
    announced.send().await.expect_problem(413, "too_large");
}

#[tokio::test]
async fn tokens_are_issued_with_or_without_a_label() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let path = "/directory/users/admin/tokens";
    let mut tokens = Vec::new();
    for draft in
        [admin.post(path), admin.post(path).json(&json!({})), admin.post(path).json(&json!({"label": "laptop of Ada"}))]
    {
        let answer = draft.send().await.expect_status(201);
        assert_eq!(answer.header("cache-control"), "no-store");
        tokens.push(answer.json()["token"].as_str().unwrap().to_owned());
    }
    for token in &tokens {
        assert!(token.starts_with("ptc_") && token.len() == 47, "{token}");
        app.holder_of(token).get("/directory/users").send().await.expect_status(200);
    }
    admin.post(path).json(&json!({"label": "\n"})).send().await.expect_problem(422, "invalid");
    admin.post(path).json(&json!({"name": "x"})).send().await.expect_problem(422, "invalid");
    admin.post(path).body("x").send().await.expect_problem(415, "unsupported_media_type");
    admin.post("/directory/users/nobody/tokens").send().await.expect_problem(404, "not_found");
    admin.delete("/directory/users/nobody/tokens").send().await.expect_problem(404, "not_found");
}
