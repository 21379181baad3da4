//! `/healthz` and `/readyz`.

use crate::tests::client::TestApp;

#[tokio::test]
async fn a_tenant_without_a_policy_is_ready() {
    let app = TestApp::new().await;
    app.anonymous().get("/healthz").send().await.expect_status(200);
    app.anonymous().get("/readyz").send().await.expect_status(200);
}

#[tokio::test]
async fn a_server_whose_database_is_gone_is_alive_but_not_ready() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.app.store.close().await.unwrap();
    app.anonymous().get("/healthz").send().await.expect_status(200);
    app.anonymous().get("/readyz").send().await.expect_problem(503, "not_ready");
    let failed = admin.get("/directory/users").send().await.expect_problem(500, "internal");
    assert_eq!(failed.json().get("detail"), None, "a 500 says nothing about its cause");
}
