//! The gateway as each kind of proxy asks it, and who may ask.

use axum::http::Method;
use portcullis_compiler::import;
use portcullis_directory::{Details, Email, NewUser, RoleName, RoleSet, UserId, UserState};
use portcullis_identity::sessions::Client;

use crate::clock::Clock as _;
use crate::identity::RANDOM;
use crate::pep::Proxies;
use crate::tests::client::{Draft, TestApp};

const SEEDS: &str = "permissions:
  - {role: member, verb: ALL, path: api/v2/shop, action: ACCEPT}
restrictions:
  - {category: maintenance, scope: ip, value: 10.9.9.9}
";

/// A server with this policy, the user `ID1` and a session of it; the client of the tests is a known proxy.
async fn app() -> (TestApp, String) {
    let proxies = Proxies { trusted: vec!["192.0.2.1/32".parse().unwrap()], ..Proxies::default() };
    let app = TestApp::changed(|parts| parts.proxies = proxies).await;
    let admin = app.admin().await;
    admin.put_document(import::barong(SEEDS).unwrap().document).send().await.expect_status(201);
    let (identity, now) = (&app.app.identity, app.clock.now());
    let id = UserId::parse("ID1").unwrap();
    let roles = RoleSet::new([RoleName::parse("member").unwrap()]).unwrap();
    let change = identity.directory.change(&id, now).await.unwrap();
    let details = Details { email: Some(Email::parse("one@example.org").unwrap()), ..Details::default() };
    change.create_account(&NewUser { id: id.clone(), state: UserState::active(), roles }, &details).await.unwrap();
    change.commit().await.unwrap();
    let client = Client { address: "10.1.2.3".parse().unwrap(), user_agent: Some("test") };
    let cookie = identity.settings.sessions.begin(&identity.directory, &id, client, now, &RANDOM).await.unwrap();
    (app, format!("_barong_session={}", cookie.reveal()))
}

fn from(draft: Draft, address: &str, cookie: &str) -> Draft {
    draft.header("x-forwarded-for", address).header("user-agent", "test").header("cookie", cookie)
}

#[tokio::test]
async fn traefik_tells_the_request_in_headers() {
    let (app, cookie) = app().await;
    let ask = |method: &str, path: &str| {
        let draft = from(app.anonymous().get("/api/v2/auth"), "10.1.2.3", &cookie);
        draft
            .header("x-forwarded-method", method)
            .header("x-forwarded-uri", path)
            .header("x-forwarded-host", "shop.test")
    };
    assert!(ask("GET", "/api/v2/shop").send().await.expect_status(200).header("authorization").starts_with("Bearer "));
    ask("GET", "/api/v2/other").send().await.expect_status(401);
    let answer = ask("POST", "/api/v2/shop").send().await.expect_status(401);
    assert_eq!(answer.json()["errors"][0], "authz.missing_csrf_token");
    let untold = from(app.anonymous().get("/api/v2/auth"), "10.1.2.3", &cookie);
    untold.send().await.expect_status(400);
    // At another path the request is told by the path, and by nothing else.
    let told_twice = from(app.anonymous().get("/api/v2/auth/"), "10.1.2.3", &cookie);
    let told_twice = told_twice.header("x-forwarded-method", "GET").header("x-forwarded-uri", "/api/v2/shop");
    told_twice.send().await.expect_status(401);
}

#[tokio::test]
async fn nginx_gets_a_status_that_it_knows() {
    let (app, cookie) = app().await;
    let ask = |address: &str, path: &str| from(app.anonymous().get(&format!("/api/v2/auth{path}")), address, &cookie);
    ask("10.9.9.9", "/api/v2/shop").send().await.expect_status(471);
    let answer = ask("10.9.9.9", "/api/v2/shop").header("x-portcullis-deny-status", "403").send().await;
    assert_eq!(answer.expect_status(403).json()["errors"][0], "authz.restrict.maintenance");
    let denied = ask("10.1.2.3", "/api/v2/x").header("x-portcullis-deny-status", "403").send().await;
    denied.expect_status(401);
    ask("10.1.2.3", "/api/v2/shop").header("x-portcullis-deny-status", "403").send().await.expect_status(200);
    for status in ["200", "500", "x"] {
        let answer = ask("10.1.2.3", "/api/v2/shop").header("x-portcullis-deny-status", status).send().await;
        answer.expect_status(400);
    }
}

/// H5, H7: what a client says about itself counts for nobody.
#[tokio::test]
async fn only_configured_proxies_ask_and_only_they_say_where_the_client_is() {
    let proxies = Proxies { trusted: vec!["198.51.100.1/32".parse().unwrap()], ..Proxies::default() };
    let stranger = TestApp::changed(|parts| parts.proxies = proxies).await;
    let answer = stranger.anonymous().get("/api/v2/auth/api/v2/barong/public/ping").send().await.expect_status(403);
    assert_eq!(answer.json()["errors"][0], "authz.unknown_proxy");
    let (app, cookie) = app().await;
    let path = "/api/v2/auth/api/v2/shop";
    let spoofed = from(app.anonymous().get(path), "10.1.2.3, 203.0.113.7", &cookie);
    assert_eq!(spoofed.send().await.expect_status(401).json()["errors"][0], "authz.client_session_mismatch");
    let spoofed =
        from(app.anonymous().get(path), "203.0.113.7", &cookie).header("x-portcullis-client-address", "10.1.2.3");
    spoofed.send().await.expect_status(401);
}

/// H9: one address, however it is written.
#[tokio::test]
async fn an_ipv4_address_in_ipv6_form_is_the_same() {
    let (app, cookie) = app().await;
    let ask = |address: &str| from(app.anonymous().get("/api/v2/auth/api/v2/shop"), address, &cookie);
    ask("::ffff:10.1.7.7").send().await.expect_status(200);
    ask("::ffff:10.9.9.9").send().await.expect_status(471);
}

/// H1, H4: a header that matters is there once, in ASCII; T6: something wrong is not nothing.
#[tokio::test]
async fn what_is_shown_is_one_thing_and_right() {
    let (app, cookie) = app().await;
    let ask = || from(app.anonymous().get("/api/v2/auth/api/v2/shop"), "10.1.2.3", &cookie);
    ask().send().await.expect_status(200);
    for (name, value, status) in [
        ("cookie", "_barong_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 401),
        ("authorization", "Bearer caf\u{e9}", 400),
        ("x-auth-apikey", "0123456789abcdef", 422),
        ("x-forwarded-for", "10.1.2.3, x", 400),
    ] {
        let answer = ask().header(name, value).send().await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        assert_eq!(answer.header("authorization"), "", "{name}");
    }
    let twice = ask().header("x-auth-apikey", "a").header("x-auth-nonce", "1").header("x-auth-nonce", "1");
    twice.header("x-auth-signature", "x").send().await.expect_status(422);
    let csrf = from(app.anonymous().request(Method::POST, "/api/v2/auth/api/v2/shop"), "10.1.2.3", &cookie);
    csrf.header("x-csrf-token", "a").header("x-csrf-token", "b").send().await.expect_status(401);
}

#[tokio::test]
async fn without_a_policy_nobody_passes() {
    let proxies = Proxies { trusted: vec!["192.0.2.1/32".parse().unwrap()], ..Proxies::default() };
    let app = TestApp::changed(|parts| parts.proxies = proxies).await;
    let answer = app.anonymous().get("/api/v2/auth/api/v2/barong/public/ping").send().await.expect_status(503);
    assert_eq!(answer.json()["errors"][0], "server.not_ready");
}
