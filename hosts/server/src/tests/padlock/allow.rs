//! `/v1/allow`: A1 to A36. A comment names what is answered otherwise than by the original.

use serde_json::json;

use crate::dialects::padlock::Settings;
use crate::pep::Proxies;
use crate::tests::padlock::Padlock;

const API: &str = "api.example.org";
const OTHER: &str = "other.example.net";

#[tokio::test]
async fn the_worked_examples() {
    let padlock = Padlock::new(Settings::default()).await;
    for (name, method, host, path, user, status) in [
        ("A1", "GET", API, "/items", "rui", 200),
        ("A2", "POST", API, "/items", "rui", 403),
        ("A3", "POST", API, "/items", "bo", 200),
        ("A4", "GET", API, "/items/42", "ops", 200),
        ("A5", "DELETE", API, "/items/42", "wen", 403),
        ("A6", "DELETE", API, "/items/42", "ada", 200),
        ("A7", "PUT", API, "/items/42", "wen", 200),
        ("A8", "GET", API, "/items/abc", "rui", 403),
        ("A9", "GET", API, "/items/../items", "rui", 200),
        ("A10", "GET", API, "/reports/../items/7", "ops", 200),
        // 403 there: a query is not part of a path.
        ("A11", "GET", API, "/items?page=2", "rui", 200),
        ("A12", "GET", API, "/reports?y=1", "rui", 200),
        ("A13", "GET", API, "/health", "ops", 200),
        ("A14", "GET", OTHER, "/health", "ops", 200),
        ("A15", "GET", OTHER, "/items", "ada", 403),
        // 403 there: names of hosts have no case.
        ("A16", "GET", "API.example.org", "/items", "rui", 200),
        ("A17", "GET", "api.example.org:8443", "/items", "rui", 400),
        ("A18", "GET", "localhost", "/health", "ops", 400),
        ("A19", "GET", "10.0.0.1", "/health", "ops", 400),
        ("A20", "get", API, "/items", "rui", 400),
        ("A21", "TRACE", API, "/items", "rui", 400),
        ("A22", "GET", API, "items", "rui", 400),
        ("A23", "GET", API, "/items", "", 400),
        ("A24", "GET", API, "/items", "a b", 400),
        ("A25", "GET", API, "/items", "nil0", 403),
        ("A26", "GET", API, "/items", "stranger", 403),
        // 200 there: an encoded dot is a dot, so this is `/reports`.
        ("A32", "GET", API, "/items/%2e%2e/reports", "wen", 403),
        ("A33", "GET", API, "/healthz", "ops", 200),
        ("A34", "HEAD", API, "/reports", "rui", 403),
        ("A35", "PATCH", API, "/items", "ada", 403),
        ("A36", "GET", "", "/items", "rui", 400),
    ] {
        let answer = padlock.asks(method, host, path, user).send().await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        answer.expect_envelope(status);
    }
    assert!(!padlock.knows("stranger").await);
}

#[tokio::test]
async fn what_has_two_meanings_is_refused() {
    let padlock = Padlock::new(Settings::default()).await;
    for path in ["/items%2F42", "/%zz", "/items;x=1", "/items#x", "/a\\b", "*", "http://h/items"] {
        padlock.asks("GET", API, path, "ada").send().await.expect_envelope(400);
    }
    let twice = padlock.asks("GET", API, "/items", "rui").header("x-caller-userid", "ada");
    twice.send().await.expect_envelope(400);
}

#[tokio::test]
async fn whom_nobody_knows_is_stored_without_roles_when_a_route_governs() {
    let padlock = Padlock::new(Settings { auto_add: true, ..Settings::default() }).await;
    let new = |user: &str, name: &str, value: &str| padlock.asks("GET", API, "/items", user).header(name, value).send();
    new("newcomer", "x-caller-email", "new@example.org").await.expect_envelope(403);
    let user = padlock.admin.get("/v1/user/newcomer").send().await.expect_envelope(200).json();
    assert_eq!(user["user"]["email"], "new@example.org");
    assert_eq!((&user["user"]["roles"], &user["user"]["associatedPermission"]), (&json!([]), &json!([])));
    new("newcomer", "x-caller-email", "other@example.org").await.expect_envelope(403);
    // A29 stores it there: anybody could fill the table.
    padlock.asks("GET", API, "/unmatched", "nomatch").send().await.expect_envelope(403);
    assert!(!padlock.knows("nomatch").await);
    // Who was deleted comes back like anybody else.
    padlock.admin.delete("/v1/user/newcomer").send().await.expect_envelope(200);
    new("newcomer", "x-caller-email", "new@example.org").await.expect_envelope(403);
    assert!(padlock.knows("newcomer").await);
    // A30 is a 500 there: what the proxy says is wrong.
    new("badmail", "x-caller-email", "not-an-email").await.expect_envelope(400);
    assert!(!padlock.knows("badmail").await);
    // A31 is a 500 there: names have spaces.
    new("twonames", "x-caller-firstname", "Ada Maria").await.expect_envelope(403);
    assert!(padlock.knows("twonames").await);
    // The address is that of somebody else.
    new("double", "x-caller-email", "NEW@example.org").await.expect_envelope(403);
    assert!(!padlock.knows("double").await);
}

#[tokio::test]
async fn headers_of_other_addresses_do_not_count() {
    let padlock = Padlock::with(Settings::default(), Proxies::default()).await;
    padlock.asks("GET", API, "/items", "rui").send().await.expect_envelope(403);
    let token = padlock.admin.token.clone().unwrap();
    let answer = padlock.asks("GET", API, "/items", "rui").header("authorization", &format!("Bearer {token}"));
    answer.send().await.expect_envelope(403);
    padlock.app.anonymous().get("/v1/authenticate").send().await.expect_envelope(403);
}

#[tokio::test]
async fn the_credentials_of_the_client_are_not_those_of_the_proxy() {
    let padlock = Padlock::new(Settings::default()).await;
    let asks = || padlock.asks("GET", API, "/items", "rui");
    asks().header("authorization", "Bearer whatever").send().await.expect_envelope(200);
    asks().header("authorization", "Basic YTpi").send().await.expect_envelope(200);
}

#[tokio::test]
async fn a_change_of_roles_or_state_counts_from_the_next_request_on() {
    let padlock = Padlock::new(Settings::default()).await;
    let asks = || padlock.asks("GET", API, "/items", "rui").send();
    let roles = |roles: &[&str]| {
        let draft = padlock.admin.request(axum::http::Method::PUT, "/v1/user/rui/roles");
        draft.json(&json!({ "roles": roles })).send()
    };
    asks().await.expect_envelope(200);
    roles(&[]).await.expect_envelope(200);
    asks().await.expect_envelope(403);
    roles(&["reader"]).await.expect_envelope(200);
    asks().await.expect_envelope(200);
    let state = json!({"state": "banned"});
    padlock.admin.patch("/directory/users/rui").json(&state).send().await.expect_status(200);
    asks().await.expect_envelope(403);
}

#[tokio::test]
async fn without_a_policy_nothing_is_allowed() {
    let proxies = Proxies { trusted: vec!["192.0.2.1/32".parse().unwrap()], ..Proxies::default() };
    let app = crate::tests::client::TestApp::changed(|parts| parts.proxies = proxies).await;
    let asks = app.anonymous().get("/v1/allow").header("x-forwarded-method", "GET").header("x-forwarded-host", API);
    let asks = asks.header("x-forwarded-uri", "/").header("x-caller-userid", "rui");
    asks.send().await.expect_envelope(503);
}

#[tokio::test]
async fn headers_have_the_names_that_are_configured() {
    let mut settings = Settings::default();
    settings.headers.user_id = "x-user".parse().unwrap();
    settings.headers.request_id = "x-request-id".parse().unwrap();
    let padlock = Padlock::new(settings).await;
    padlock.asks("GET", API, "/items", "rui").send().await.expect_status(400);
    let asks = padlock.asks("GET", API, "/items", "").header("x-user", "rui").header("x-request-id", "seven");
    let answer = asks.send().await.expect_status(200);
    assert_eq!((answer.header("x-request-id"), &answer.json()["request_id"]), ("seven", &json!("seven")));
}
