//! `/policy/document` and `/policy/revisions`.

use axum::http::Method;
use portcullis_compiler::{Options, SigningKey, compile};
use serde_json::{Value, json};

use crate::tests::client::{Actor, NOW, POLICY, TestApp};

const OTHER: &str = "version: 1\nrules: []\n";

/// Stores with one more header.
async fn put(actor: &Actor, text: &'static str, header: &'static str, value: &str) -> u16 {
    actor.put_document(text).header(header, value).send().await.status
}

async fn stored(actor: &Actor) -> String {
    actor.get("/policy/document").send().await.expect_status(200).text()
}

#[tokio::test]
async fn a_document_is_stored_as_typed_and_comes_back_with_its_revision() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.get("/policy/document").send().await.expect_problem(404, "not_found");

    let first = admin.put_document(POLICY).send().await.expect_status(201);
    assert_eq!(first.header("etag"), "\"1\"");
    let receipt = first.json();
    assert_eq!((&receipt["revision"], &receipt["stored"], &receipt["warnings"]), (&json!(1), &json!(true), &json!([])));
    let answer = admin.get("/policy/document").send().await.expect_status(200);
    assert_eq!((answer.text().as_str(), answer.header("content-type")), (POLICY, "application/yaml"));
    assert_eq!((answer.header("etag"), answer.header("cache-control")), ("\"1\"", "no-cache"));

    let json = r#"{"version": 1, "rules": []}"#;
    let draft = admin.request(Method::PUT, "/policy/document").json_text(json);
    let second = draft.send().await.expect_status(200);
    assert_eq!((second.header("etag"), &second.json()["revision"]), ("\"2\"", &json!(2)));
    let answer = admin.get("/policy/document").send().await.expect_status(200);
    assert_eq!((answer.text().as_str(), answer.header("content-type")), (json, "application/json"));
    assert_eq!(admin.request(Method::HEAD, "/policy/document").send().await.expect_status(200).body.len(), 0);
}

#[tokio::test]
async fn the_bundle_is_what_the_compiler_makes_of_the_document() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(OTHER).await;
    let digest = admin.publish(POLICY).await.json()["digest"].as_str().unwrap().to_owned();
    let options =
        Options { revision: 2, created: NOW.0, sign: Some(SigningKey::from_seed(&[7; 32])), ..Options::default() };
    let bundle = admin.get("/policy/bundle").send().await.expect_status(200);
    assert_eq!(bundle.body, compile(POLICY, &options).unwrap().bundle);
    assert_eq!(bundle.header("etag"), format!("\"{digest}\""));
}

#[tokio::test]
async fn a_broken_document_changes_nothing_and_names_every_error() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let bundle = admin.get("/policy/bundle").send().await;
    let request = json!({"action": "GET", "path": "/staff", "subject": {"id": "a", "roles": ["staff"]}});

    let broken = "version: 1\nrulez: []\nrules:\n  - {effect: perhaps, who: {anyone: true}}\n";
    let answer = admin.put_document(broken).send().await.expect_problem(422, "invalid_document");
    let problem = answer.json();
    let diagnostics = problem["diagnostics"].as_array().unwrap();
    let lines: Vec<&Value> = diagnostics.iter().map(|diagnostic| &diagnostic["line"]).collect();
    assert!(lines.contains(&&json!(2)) && lines.contains(&&json!(4)), "{problem}");
    for diagnostic in diagnostics {
        assert_eq!(diagnostic["severity"], "error");
        assert!(diagnostic["column"].is_u64() && diagnostic["message"].is_string(), "{diagnostic}");
    }

    assert_eq!(stored(&admin).await, POLICY);
    assert_eq!(admin.get("/policy/bundle").send().await.body, bundle.body);
    let decision = admin.post("/policy/decide").json(&request).send().await.json();
    assert_eq!((&decision["decision"], &decision["revision"]), (&json!("allow"), &json!(1)));
    let revisions = admin.get("/policy/revisions").send().await.json();
    assert_eq!(revisions["revisions"].as_array().unwrap().len(), 1);
    assert_eq!(admin.publish(OTHER).await.json()["revision"], 2, "no revision is lost");
}

#[tokio::test]
async fn a_warning_is_told_and_does_not_stop_the_document() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let text = "version: 1\nrules:\n  - {effect: allow, who: {roles: [stuff]}, target: {path: {exact: /}}}\n";
    let receipt = admin.put_document(text).send().await.expect_status(201).json();
    let warnings = receipt["warnings"].as_array().unwrap();
    assert_eq!((warnings.len(), &warnings[0]["severity"], &warnings[0]["line"]), (1, &json!("warning"), &json!(3)));
    assert_eq!(stored(&admin).await, text);
}

#[tokio::test]
async fn a_document_sent_as_json_must_be_json() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let draft = admin.request(Method::PUT, "/policy/document").json_text("{\"version\": 1,\n rules: []}");
    let problem = draft.send().await.expect_problem(422, "invalid_document").json();
    assert_eq!(
        problem["diagnostics"],
        json!([{"severity": "error", "line": 2, "column": 2, "message": "not JSON: key must be a string"}])
    );
}

#[tokio::test]
async fn a_stale_if_match_is_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    assert_eq!(put(&admin, POLICY, "if-match", "\"1\"").await, 412, "there is nothing to match");
    assert_eq!(put(&admin, POLICY, "if-match", "*").await, 412);
    assert_eq!(put(&admin, POLICY, "if-none-match", "*").await, 201);
    assert_eq!(put(&admin, POLICY, "if-none-match", "*").await, 412);
    assert_eq!(put(&admin, POLICY, "if-match", "\"1\"").await, 200);
    let answer = admin.put_document(OTHER).header("if-match", "\"1\"").send().await;
    let answer = answer.expect_detail(412, "precondition_failed", "the current revision is 2");
    assert_eq!(answer.header("etag"), "\"2\"");
    assert_eq!(put(&admin, OTHER, "if-match", "W/\"2\"").await, 412, "a weak tag names nothing");
    assert_eq!(put(&admin, OTHER, "if-match", "\"1\", \"2\"").await, 200);
    assert_eq!(put(&admin, OTHER, "if-match", "*").await, 200);
    assert_eq!(put(&admin, OTHER, "if-none-match", "\"4\"").await, 412);
    assert_eq!(put(&admin, OTHER, "if-none-match", "\"3\"").await, 200);
    assert_eq!(put(&admin, OTHER, "if-match", "5").await, 400);
}

#[tokio::test]
async fn a_reader_that_has_the_document_gets_304() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let get = |header: &'static str, value: &str| admin.get("/policy/document").header(header, value).send();
    let answer = get("if-none-match", "\"1\"").await.expect_status(304);
    assert_eq!((answer.header("etag"), answer.body.len()), ("\"1\"", 0));
    get("if-none-match", "\"2\"").await.expect_status(200);
    get("if-match", "\"2\"").await.expect_problem(412, "precondition_failed");
}

#[tokio::test]
async fn of_writers_with_the_same_if_match_one_wins() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let writes: Vec<_> =
        (0..6).map(|_| tokio::spawn(admin.put_document(OTHER).header("if-match", "\"1\"").send())).collect();
    let mut statuses = Vec::new();
    for write in writes {
        statuses.push(write.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
}

#[tokio::test]
async fn writers_without_conditions_take_turns() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let writes: Vec<_> = (0..6).map(|_| tokio::spawn(admin.put_document(POLICY).send())).collect();
    let mut revisions = Vec::new();
    for write in writes {
        revisions.push(write.await.unwrap().json()["revision"].as_u64().unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_document_that_was_sent_is_published_even_if_the_sender_leaves() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let write = tokio::spawn(admin.put_document(POLICY).send());
    while stored_revision(&admin).await == 0 && !write.is_finished() {
        tokio::task::yield_now().await;
    }
    write.abort();
    // Stored, so it is going to be installed: the long poll ends only then.
    let bundle = admin.get("/policy/bundle?wait=60").send().await.expect_status(200);
    assert!(!bundle.body.is_empty());
}

async fn stored_revision(actor: &Actor) -> usize {
    actor.get("/policy/revisions").send().await.json()["revisions"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_document_of_another_type_or_encoding_is_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let put = |content_type: &str, body: &'static [u8]| {
        admin.request(Method::PUT, "/policy/document").header("content-type", content_type).body(body).send()
    };
    for content_type in ["", "text/plain", "application/yaml; charset=iso-8859-1"] {
        put(content_type, OTHER.as_bytes()).await.expect_problem(415, "unsupported_media_type");
    }
    put("text/yaml", b"version: 1 # \xff").await.expect_detail(
        400,
        "malformed_request",
        "the body is not UTF-8 at byte 13",
    );
    put("application/x-yaml; charset=utf-8", OTHER.as_bytes()).await.expect_status(201);
    assert_eq!(admin.get("/policy/document").send().await.header("content-type"), "application/x-yaml");
}

#[tokio::test]
async fn a_document_has_at_most_64_mib() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let announced = admin.put_document("").header("content-length", "67108865").send().await;
    announced.expect_detail(413, "too_large", "the limit is 67108864 bytes");
    let long = admin.put_document(vec![b' '; (64 << 20) + 1]).send().await;
    long.expect_problem(413, "too_large");
    assert_eq!(stored(&admin).await, POLICY);
}

#[tokio::test]
async fn revisions_are_listed_with_author_and_time() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let operator = app.user(&admin, "operator").await;
    let digests =
        [admin.publish(POLICY).await.json()["digest"].clone(), operator.publish(OTHER).await.json()["digest"].clone()];
    let all = operator.get("/policy/revisions").send().await.expect_status(200).json();
    let line = |revision: u64, author: &str, digest: &Value| json!({"revision": revision, "created_at": NOW.0, "author": author, "digest": digest});
    let [one, two] = [line(1, "admin", &digests[0]), line(2, "operator", &digests[1])];
    assert_eq!(all, json!({"revisions": [two, one], "next": null}));
    let page = operator.get("/policy/revisions?limit=1").send().await.json();
    assert_eq!(page, json!({"revisions": [two], "next": 2}));
    let page = operator.get("/policy/revisions?limit=1&before=2").send().await.json();
    assert_eq!(page["revisions"], json!([one]));
    for query in ["?before=0", "?before=x", "?limit=201", "?after=1"] {
        operator.get(&format!("/policy/revisions{query}")).send().await.expect_problem(400, "malformed_request");
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_404() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for path in ["/policy/document?tenant=acme", "/policy/revisions?tenant=acme", "/policy/bundle?tenant=ACME"] {
        admin.get(path).send().await.expect_detail(404, "not_found", "there is no tenant of this name");
    }
    admin.publish(POLICY).await;
    admin.get("/policy/document?tenant=default").send().await.expect_status(200);
}

#[tokio::test]
async fn a_policy_with_validations_is_published() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let document = "version: 1
schemas: {any: {type: object}}
validations: [{target: {methods: [POST]}, schema: any}]
";
    admin.put_document(document).send().await.expect_status(201);
    admin.get("/policy/bundle").send().await.expect_status(200);
}
