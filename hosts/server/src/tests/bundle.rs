//! `GET /policy/bundle`: entity tags and long polls.

use portcullis_core::Policy;
use portcullis_directory::{Directory, Location, NewDocument, Revision, TenantId, UserId};

use crate::signing::BundleKey;
use crate::tests::client::{Actor, Answer, NOW, POLICY, TestApp};

const OTHER: &str = "version: 1\nrules: []\n";

/// Asks on another task and returns once the server holds the request.
async fn waiting(app: &TestApp, actor: &Actor, query: &str, tag: &str) -> tokio::task::JoinHandle<Answer> {
    let before = app.waiting();
    let poll = tokio::spawn(actor.get(&format!("/policy/bundle{query}")).header("if-none-match", tag).send());
    while app.waiting() == before {
        assert!(!poll.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }
    poll
}

impl TestApp {
    /// How many requests hold a receiver of bundles.
    fn waiting(&self) -> usize {
        self.app.default_tenant().unwrap().publisher.waiting()
    }
}

#[tokio::test]
async fn without_a_policy_there_is_no_bundle() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.get("/policy/bundle").send().await.expect_detail(404, "not_found", "the tenant has no policy yet");
}

#[tokio::test]
async fn a_bundle_is_signed_by_the_key_of_the_server() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let answer = admin.get("/policy/bundle").send().await.expect_status(200);
    assert_eq!(answer.header("content-type"), "application/vnd.portcullis.bundle");
    assert_eq!(answer.header("cache-control"), "no-cache");
    let key = BundleKey::from_seed([7; 32]).public_key();
    let policy = Policy::open_signed(answer.body.to_vec(), &[key]).unwrap();
    assert_eq!((policy.tenant(), policy.revision(), policy.created()), ("default", 1, NOW.0));
    let stranger = BundleKey::from_seed([8; 32]).public_key();
    assert!(Policy::open_signed(answer.body.to_vec(), &[stranger]).is_err());
}

#[tokio::test]
async fn an_edge_that_has_the_bundle_gets_304() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let tag = admin.get("/policy/bundle").send().await.header("etag").to_owned();
    let get = |value: &str| admin.get("/policy/bundle").header("if-none-match", value).send();
    let answer = get(&tag).await.expect_status(304);
    assert_eq!((answer.header("etag"), answer.body.len()), (tag.as_str(), 0));
    get(&format!("\"x\", W/{tag}")).await.expect_status(304);
    get("\"x\"").await.expect_status(200);
    get("nonsense").await.expect_problem(400, "malformed_request");
    admin.publish(OTHER).await;
    get(&tag).await.expect_status(200);
}

#[tokio::test]
async fn long_polls_end_when_the_policy_changes() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.user(&admin, "edge").await;
    let polls = [waiting(&app, &edge, "?wait=60", "\"x\"").await, waiting(&app, &admin, "?wait=60", "\"y\"").await];
    let etag = format!("\"{}\"", admin.publish(POLICY).await.json()["digest"].as_str().unwrap());
    for poll in polls {
        assert_eq!(poll.await.unwrap().expect_status(200).header("etag"), etag);
    }

    let poll = waiting(&app, &edge, "?tenant=default&wait=60", &etag).await;
    admin.put_document("version: 2").send().await.expect_problem(422, "invalid_document");
    assert!(!poll.is_finished(), "a refused document is no news");
    admin.publish(OTHER).await;
    let answer = poll.await.unwrap().expect_status(200);
    assert_ne!(answer.header("etag"), etag);
}

#[tokio::test]
async fn a_long_poll_that_is_news_already_does_not_wait() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    admin.get("/policy/bundle?wait=60").send().await.expect_status(200);
    admin
        .get("/policy/bundle?wait=60")
        .header("if-match", "\"x\"")
        .send()
        .await
        .expect_problem(412, "precondition_failed");
}

#[tokio::test]
async fn a_long_poll_without_news_ends_in_time() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.get("/policy/bundle?wait=1").send().await.expect_problem(404, "not_found");
    admin.publish(POLICY).await;
    let tag = admin.get("/policy/bundle").send().await.header("etag").to_owned();
    admin.get("/policy/bundle?wait=1").header("if-none-match", &tag).send().await.expect_status(304);
    for query in ["?wait=61", "?wait=-1", "?wait=x", "?wait=1&wait=1", "?since=1"] {
        admin.get(&format!("/policy/bundle{query}")).send().await.expect_problem(400, "malformed_request");
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_long_polls_at_once() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let tag = admin.get("/policy/bundle").send().await.header("etag").to_owned();
    let poll = waiting(&app, &admin, "?wait=60", &tag).await;
    app.app.stop();
    poll.await.unwrap().expect_status(304);
    admin.get("/policy/bundle?wait=60").header("if-none-match", &tag).send().await.expect_status(304);
}

#[tokio::test]
async fn a_restart_keeps_bundle_users_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::in_folder(folder.path()).await;
    let admin = app.admin().await;
    admin.publish(OTHER).await;
    admin.publish(POLICY).await;
    let before = admin.get("/policy/bundle").send().await.expect_status(200);
    drop(app);

    let app = TestApp::in_folder(folder.path()).await;
    assert_eq!(app.app.issue_setup_token().await.unwrap(), None);
    let admin = app.holder_of(admin.token.as_deref().unwrap());
    let after = admin.get("/policy/bundle").send().await.expect_status(200);
    assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body));
    assert_eq!(admin.get("/policy/document").send().await.header("etag"), "\"2\"");
    assert_eq!(admin.publish(OTHER).await.json()["revision"], 3);
}

#[tokio::test]
async fn a_stored_document_that_does_not_compile_denies_until_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::open(Location::File(folder.path().join("portcullis.db"))).await.unwrap();
    let document = NewDocument {
        follows: None,
        text: "version: 99".to_owned(),
        media_type: "application/yaml".to_owned(),
        digest: [0; 32],
        entries: Vec::new(),
        created_at: NOW,
        logs_out: None,
    };
    let author = UserId::parse("traveller").unwrap();
    let stored = directory.append_document(&TenantId::default(), document, &author).await.unwrap();
    assert_eq!(stored, Revision::FIRST);
    directory.close().await.unwrap();

    let app = TestApp::in_folder(folder.path()).await;
    let admin = app.admin().await;
    app.anonymous().get("/readyz").send().await.expect_problem(503, "not_ready");
    app.anonymous().get("/healthz").send().await.expect_status(200);
    let decide = || admin.post("/policy/decide").json_text(r#"{"action": "GET", "path": "/"}"#).send();
    assert_eq!(decide().await.json()["reason"], "policy_unavailable");
    assert_eq!(admin.publish(POLICY).await.json()["revision"], 2);
    app.anonymous().get("/readyz").send().await.expect_status(200);
    assert_eq!(decide().await.json()["reason"], "unauthenticated");
}
