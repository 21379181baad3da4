//! What a request is called.

use crate::pep::Proxies;
use crate::tests::client::TestApp;

fn is_uuid(id: &str) -> bool {
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[tokio::test]
async fn a_request_of_a_stranger_gets_an_id_of_ours() {
    let app = TestApp::new().await;
    let ask = async || {
        let answer = app.anonymous().get("/healthz").header("x-request-id", "of-mine").send().await;
        answer.expect_status(200).header("x-request-id").to_owned()
    };
    let (first, second) = (ask().await, ask().await);
    assert!(is_uuid(&first) && is_uuid(&second) && first != second, "{first} {second}");
    let refused = app.anonymous().get("/edges").send().await.expect_status(401);
    assert!(is_uuid(refused.header("x-request-id")), "refusals have one too");
}

#[tokio::test]
async fn a_trusted_proxy_says_what_a_request_is_called() {
    let app = TestApp::changed(|parts| {
        parts.proxies = Proxies { trusted: vec!["192.0.2.0/24".parse().unwrap()], ..Proxies::default() };
    })
    .await;
    let answer = app.anonymous().get("/healthz").header("x-request-id", "edge-7/41").send().await;
    assert_eq!(answer.header("x-request-id"), "edge-7/41");
    let long = "x".repeat(129);
    for bad in ["", "two words", "tab\there", long.as_str()] {
        let answer = app.anonymous().get("/healthz").header("x-request-id", bad).send().await;
        assert!(is_uuid(answer.header("x-request-id")), "{bad}");
    }
    let twice = app.anonymous().get("/healthz").header("x-request-id", "a").header("x-request-id", "b").send().await;
    assert!(is_uuid(twice.header("x-request-id")));
}
