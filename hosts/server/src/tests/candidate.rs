//! `/policy/candidate`, and how edges get it.

use axum::http::Method;
use serde_json::json;

use crate::tests::client::{POLICY, TestApp};

const OTHER: &str = "version: 1\nrules: []\n";

#[tokio::test]
async fn a_candidate_is_there_for_edges_and_decides_nothing() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let live = admin.get("/policy/bundle").send().await.expect_status(200);
    admin.get("/policy/bundle?candidate=true").send().await.expect_problem(404, "not_found");
    admin.get("/policy/candidate").send().await.expect_problem(404, "not_found");

    let put =
        |text| admin.request(Method::PUT, "/policy/candidate").header("content-type", "application/yaml").body(text);
    put("version: 1\nruls: []\n").send().await.expect_status(422);
    let receipt = put(OTHER).send().await.expect_status(200).json();
    assert_eq!(receipt["warnings"], json!([]));
    assert_eq!(admin.get("/policy/candidate").send().await.expect_status(200).text(), OTHER);
    let candidate = admin.get("/policy/bundle?candidate=true").send().await.expect_status(200);
    let policy = portcullis_core::Policy::open(candidate.body.to_vec()).unwrap();
    assert_eq!((policy.revision(), policy.rules().len()), (0, 0));
    assert_eq!(candidate.header("etag"), format!("\"{}\"", receipt["digest"].as_str().unwrap()));
    assert_eq!(admin.get("/policy/bundle").send().await.expect_status(200).body, live.body);

    admin.request(Method::DELETE, "/policy/candidate").send().await.expect_status(204);
    admin.request(Method::DELETE, "/policy/candidate").send().await.expect_problem(404, "not_found");
    admin.get("/policy/bundle?candidate=true").send().await.expect_problem(404, "not_found");
}
