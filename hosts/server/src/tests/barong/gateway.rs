//! The gateway as each kind of proxy asks it, and who may ask.

use std::io::ErrorKind;
use std::net::TcpListener;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_compiler::import;
use portcullis_directory::{AccountChange, Details, Email, HolderKind, NewUser, RoleName, RoleSet, UserId, UserState};
use portcullis_identity::api_keys::{self, sign};
use portcullis_identity::sessions::Client;
use serde_json::json;

use crate::clock::Clock as _;
use crate::identity::RANDOM;
use crate::pep::Proxies;
use crate::tests::client::{Actor, Draft, TestApp};

const SEEDS: &str = "permissions:
  - {role: member, verb: ALL, path: api/v2/shop, action: ACCEPT}
  - {role: member, verb: ALL, path: api/v2/pay, action: ACCEPT}
restrictions:
  - {category: maintenance, scope: ip, value: 10.9.9.9}
";

/// A server with this policy, the user `ID1` and a session of it; the client of the tests is a known proxy.
async fn app() -> (TestApp, String) {
    let (app, cookie, _) = app_and_admin().await;
    (app, cookie)
}

async fn app_and_admin() -> (TestApp, String, Actor) {
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
    let cookie = app.session(&id, client).await;
    (app, format!("_barong_session={}", cookie.reveal()), admin)
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

/// A revocation ends with its second, or the next one; what is read after it counts at once.
#[tokio::test]
async fn other_roles_count_at_the_next_request() {
    for ms in [0, 499, 500, 999] {
        let (app, cookie, admin) = app_and_admin().await;
        app.clock.advance_ms(ms);
        let ask = || from(app.anonymous().get("/api/v2/auth/api/v2/shop"), "10.1.2.3", &cookie).send();
        for (roles, status) in [(json!(["member", "other"]), 200), (json!([]), 401), (json!(["member"]), 200)] {
            admin.patch("/directory/users/ID1").json(&json!({"roles": roles})).send().await.expect_status(200);
            let answer = ask().await;
            assert_eq!(answer.status, status, "{ms} {roles}: {}", answer.text());
        }
    }
}

/// H2: what is there twice is neither joined nor chosen from; H3, H6: no header opens or moves anything.
#[tokio::test]
async fn headers_of_proxies_and_probes_say_nothing() {
    let (app, cookie) = app().await;
    let ask = |path: &str| from(app.anonymous().get(&format!("/api/v2/auth{path}")), "10.1.2.3", &cookie);
    ask("/api/v2/shop").header("x-forwarded-for", "10.1.2.3").send().await.expect_status(200);
    ask("/api/v2/shop").header("x-forwarded-for", "10.9.9.9").send().await.expect_status(471);
    ask("/api/v2/shop").header("cookie", "_barong_session=x").send().await.expect_status(401);
    ask("/api/v2/shop")
        .header("authorization", "Bearer a")
        .header("authorization", "b")
        .send()
        .await
        .expect_status(400);
    for name in ["x-envoy-original-path", "x-original-url", "x-original-uri", "x-rewrite-url", "x-forwarded-uri"] {
        ask("/api/v2/other").header(name, "/api/v2/shop").send().await.expect_status(401);
        ask("/api/v2/shop").header(name, "/api/v2/other").send().await.expect_status(200);
    }
    for agent in ["Envoy/HC", "kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0"] {
        for path in ["/api/v2/shop", "/healthz", "/"] {
            let probe = app.anonymous().get(&format!("/api/v2/auth{path}")).header("user-agent", agent);
            probe.header("x-envoy-livenessprobe", "1").send().await.expect_status(401);
        }
    }
}

/// H8: no answer is made of the host that a client names.
#[tokio::test]
async fn links_are_relative_and_keys_name_no_host() {
    let app = TestApp::new().await;
    let admin = app.user(&app.admin().await, "superadmin").await;
    let link = admin.get("/api/v2/barong/admin/users?limit=1").send().await.expect_status(200);
    assert!(link.header("link").starts_with("</api/v2/barong/admin/users?"), "{}", link.header("link"));
    for path in ["/.well-known/jwks.json", "/api/v2/barong/admin/users?limit=1", "/readyz", "/api/v2/none"] {
        let answer = admin.get(path).header("host", "evil.test").header("x-forwarded-host", "evil.test").send().await;
        assert!(!answer.text().contains("evil.test"), "{path}: {}", answer.text());
        assert!(!format!("{:?}", answer.headers).contains("evil.test"), "{path}: {:?}", answer.headers);
    }
}

/// T7: a token names where its key is, and nobody asks there.
#[tokio::test]
async fn keys_are_fetched_from_nowhere_that_a_token_names() {
    let (app, cookie) = app().await;
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    own.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", own.local_addr().unwrap());
    let allowed = from(app.anonymous().get("/api/v2/auth/api/v2/shop"), "10.1.2.3", &cookie).send().await;
    let token = allowed.expect_status(200).header("authorization").to_owned();
    let (_, signed) = token.split_once('.').unwrap();
    for header in [
        json!({"alg": "EdDSA", "jku": url}),
        json!({"alg": "EdDSA", "kid": url}),
        json!({"alg": "EdDSA", "x5u": url, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}}),
    ] {
        let forged = format!("Bearer {}.{signed}", URL_SAFE_NO_PAD.encode(header.to_string()));
        for path in ["/api/v2/barong/resource/users/me", "/api/v2/barong/admin/users"] {
            let answer = app.anonymous().get(path).header("authorization", &forged).send().await.expect_status(401);
            assert_eq!(answer.json()["errors"][0], "jwt.decode_and_verify", "{header}");
        }
    }
    assert_eq!(own.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// T8: what an API key signed for one request is no good for another.
#[tokio::test]
async fn a_signature_is_good_for_one_request() {
    let (app, _) = app().await;
    let (identity, id) = (&app.app.identity, UserId::parse("ID1").unwrap());
    let change = identity.directory.change(&id, app.clock.now()).await.unwrap();
    let factor = AccountChange { otp: Some(true), ..AccountChange::default() };
    change.update_user(&id, &factor).await.unwrap();
    let made = api_keys::create(&change, (HolderKind::User, &id), "[]", &identity.vault, &RANDOM).await.unwrap();
    change.commit().await.unwrap();
    let (kid, nonce) = (made.0.kid, app.clock.now_ms().to_string());
    let signature = sign(made.1.as_bytes(), &format!("{nonce}{kid}"));
    let ask = |method: Method, path: &str, nonce: &str| {
        let draft = app.anonymous().request(method, &format!("/api/v2/auth{path}")).header("x-auth-apikey", &kid);
        draft.header("x-auth-nonce", nonce).header("x-auth-signature", &signature).send()
    };
    ask(Method::GET, "/api/v2/shop", &nonce).await.expect_status(200);
    for (method, path) in
        [(Method::GET, "/api/v2/shop"), (Method::GET, "/api/v2/pay"), (Method::DELETE, "/api/v2/shop")]
    {
        let again = ask(method, path, &nonce).await.expect_status(401);
        assert_eq!(again.json()["errors"][0], "authz.nonce_expired", "{path}");
    }
    let next = (app.clock.now_ms() + 1).to_string();
    let other = ask(Method::GET, "/api/v2/pay", &next).await.expect_status(401);
    assert_eq!(other.json()["errors"][0], "authz.invalid_signature");
}

/// What a rule audits is a record, whoever asks; `/authz` says the same.
#[tokio::test]
async fn requests_of_nobody_are_audited_too() {
    let proxies = Proxies { trusted: vec!["192.0.2.1/32".parse().unwrap()], ..Proxies::default() };
    let app = TestApp::changed(|parts| parts.proxies = proxies).await;
    let admin = app.admin().await;
    admin
        .publish(
            "version: 1
public: [{path: {under: /open}}]
blocked: [{path: {under: /shut}}]
rules:
  - {id: seen, effect: audit, topic: money, who: {anyone: true}, target: {path: {under: /}}}
  - {id: all, effect: allow, who: {anyone: true}, target: {path: {under: /all}}}
",
        )
        .await;
    let edge = app.edge(&admin, "one").await.token.unwrap();
    for door in ["/authz/envoy", "/api/v2/auth"] {
        for path in ["/open/x?secret=1", "/shut/x", "/all", "/none"] {
            let draft = app.anonymous().get(&format!("{door}{path}")).header("x-request-id", door);
            draft.header("x-portcullis-edge-token", &edge).send().await;
        }
    }
    let page = admin.get("/policy/decision-logs?kind=audit").send().await.expect_status(200).json();
    let told = |door: &str| {
        let records = page["records"].as_array().unwrap().iter().filter(|record| record["request_id"] == door);
        records.map(|one| format!("{} {} {}", one["path"], one["status"], one["subject"])).collect::<Vec<_>>()
    };
    assert_eq!(told("/api/v2/auth"), told("/authz/envoy"));
    let allowed = ["\"/open/x\" 200 null", "\"/all\" 200 null"];
    assert!(allowed.iter().all(|one| told("/api/v2/auth").iter().any(|record| record == one)));
}

#[tokio::test]
async fn without_a_policy_nobody_passes() {
    let proxies = Proxies { trusted: vec!["192.0.2.1/32".parse().unwrap()], ..Proxies::default() };
    let app = TestApp::changed(|parts| parts.proxies = proxies).await;
    let answer = app.anonymous().get("/api/v2/auth/api/v2/barong/public/ping").send().await.expect_status(503);
    assert_eq!(answer.json()["errors"][0], "server.not_ready");
}
