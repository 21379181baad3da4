//! `/authz`: what proxies that cannot load the filter are told.

use axum::http::Method;
use serde_json::json;

use crate::authn::jwt::{ClaimNames, Issuer, Issuers, Key};
use crate::pep::Proxies;
use crate::tests::client::{Actor, Answer, Draft, TestApp};

const RULES: &str = "version: 1
public: [{path: {exact: /public}}]
blocked: [{path: {under: /admin}}]
restrictions: [{id: bad, category: blacklist, scope: ip, value: 198.51.100.1, code: 423}]
rules:
  - {id: staff, effect: allow, who: {roles: [staff]}, target: {path: {under: /staff}}}
  - {id: host, effect: allow, who: {anyone: true}, target: {hosts: [a.example], path: {exact: /host}}}
statuses: {blocked: 471}
subject: {api_key_requires_otp: false}
";

struct Proxy {
    app: TestApp,
    admin: Actor,
    token: String,
}

/// A server that knows a proxy at the address of the tests' client.
async fn proxy() -> Proxy {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let keys = Key::parse_set(&json!({"keys": [jwk]}).to_string()).unwrap();
    let issuer = Issuer { name: "https://issuer".to_owned(), audience: "us".to_owned(), keys };
    let proxies = Proxies {
        trusted: vec!["192.0.2.1/32".parse().unwrap()],
        country_header: None,
        continent_header: None,
        issuers: Issuers { issuers: vec![issuer], claims: ClaimNames::default() },
    };
    let app = TestApp::changed(|parts| parts.proxies = proxies).await;
    let admin = app.admin().await;
    let token = app.edge(&admin, "one").await.token.unwrap();
    Proxy { app, admin, token }
}

impl Proxy {
    async fn with_policy() -> Self {
        let proxy = proxy().await;
        proxy.admin.publish(RULES).await;
        proxy
    }

    /// What Envoy asks about `method target` of its client.
    fn envoy(&self, method: Method, target: &str) -> Draft {
        let draft = self.app.anonymous().request(method, &format!("/authz/envoy{target}"));
        draft.header("x-portcullis-edge-token", &self.token).header("x-portcullis-client-address", "203.0.113.9")
    }

    /// What nginx asks about `GET uri`.
    fn nginx(&self, uri: &str) -> Draft {
        let draft = self.app.anonymous().get("/authz/forward").header("x-portcullis-edge-token", &self.token);
        draft.header("x-original-method", "GET").header("x-original-uri", uri).header("x-forwarded-for", "203.0.113.9")
    }

    /// What Traefik asks about `GET uri`.
    fn traefik(&self, uri: &str) -> Draft {
        let draft = self.app.anonymous().get("/authz/forward").header("x-portcullis-edge-token", &self.token);
        let draft = draft.header("x-forwarded-method", "GET").header("x-forwarded-uri", uri);
        draft.header("x-forwarded-for", "203.0.113.9")
    }
}

#[track_caller]
fn check(answer: &Answer, status: u16, reason: &str) {
    assert_eq!((answer.status, answer.header("x-portcullis-reason")), (status, reason), "{}", answer.text());
    if status != 200 {
        assert_eq!(answer.json(), json!({ "reason": reason }));
        assert_eq!(answer.header("x-portcullis-subject"), "");
    }
}

#[tokio::test]
async fn without_a_policy_every_answer_is_503() {
    let proxy = proxy().await;
    check(&proxy.envoy(Method::GET, "/").send().await, 503, "policy_unavailable");
    check(&proxy.nginx("/").send().await, 503, "policy_unavailable");
}

#[tokio::test]
async fn every_door_gives_the_same_verdict() {
    let proxy = Proxy::with_policy().await;
    let key = proxy.app.user(&proxy.admin, "staff").await.token.unwrap();
    for (uri, status, reason) in [
        ("/public", 200, "public"),
        ("/public?x=1", 200, "public"),
        ("/admin", 471, "blocked"),
        ("/admin/x?y=/public", 471, "blocked"),
        ("/staff/1", 200, "rule"),
        ("/other", 403, "no_match"),
        ("//admin/x", 400, "malformed_request"),
        ("///admin", 400, "malformed_request"),
        ("/public/../admin", 400, "malformed_request"),
        ("/public/%2e%2e/admin", 400, "malformed_request"),
        ("/public/.%2e/admin", 400, "malformed_request"),
        ("/public/..;/admin", 400, "malformed_request"),
        ("/public/%252e%252e%252fadmin", 403, "no_match"),
        ("/admin%2fx", 400, "malformed_request"),
        ("/admin%5Cx", 400, "malformed_request"),
        ("/%61dmin", 400, "malformed_request"),
        ("/admin;x=1/", 400, "malformed_request"),
        ("/public%00", 400, "malformed_request"),
        ("/admin/", 471, "blocked"),
        ("/administrators", 403, "no_match"),
    ] {
        let authorization = format!("Bearer {key}");
        for draft in [proxy.envoy(Method::GET, uri), proxy.nginx(uri), proxy.traefik(uri)] {
            let answer = draft.header("authorization", &authorization).send().await;
            check(&answer, status, reason);
            let subject = if status == 200 { "staff" } else { "" };
            assert_eq!(answer.header("x-portcullis-subject"), subject, "{uri}");
        }
    }
    // Not in the form of a URI that HTTP could carry as a target.
    for uri in ["admin/x", "*", "/a#b", "/caf\u{e9}", "", "/a b"] {
        check(&proxy.nginx(uri).send().await, 400, "malformed_request");
    }
}

#[tokio::test]
async fn a_method_is_the_clients_and_opens_nothing_here() {
    let proxy = Proxy::with_policy().await;
    for method in [Method::POST, Method::DELETE, Method::PUT, Method::OPTIONS] {
        check(&proxy.envoy(method.clone(), "/public").send().await, 200, "public");
        check(&proxy.envoy(method, "/directory/users").send().await, 401, "unauthenticated");
    }
    let answer = proxy.envoy(Method::GET, "/").send().await;
    check(&answer, 401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let answer = proxy.app.anonymous().get("/authz/envoyadmin/x").send().await;
    answer.expect_denied(401, "unauthenticated");
}

#[tokio::test]
async fn only_a_known_proxy_is_answered() {
    let proxy = Proxy::with_policy().await;
    let without = proxy.app.anonymous().get("/authz/envoy/public").send().await;
    without.expect_denied(401, "unauthenticated");
    let client = proxy.admin.get("/authz/envoy/public").send().await;
    client.expect_denied(401, "unauthenticated");
    for wrong in ["x", "pte_", "Bearer x"] {
        let draft = proxy.app.anonymous().get("/authz/envoy/public").header("x-portcullis-edge-token", wrong);
        draft.send().await.expect_problem(401, "bad_token");
    }
    let twice = proxy.envoy(Method::GET, "/public").header("x-portcullis-edge-token", &proxy.token);
    twice.send().await.expect_problem(401, "bad_token");

    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(RULES).await;
    let edge = app.edge(&admin, "one").await.token.unwrap();
    for path in ["/authz/envoy/public", "/authz/forward"] {
        let draft = app.anonymous().get(path).header("x-portcullis-edge-token", &edge);
        draft.send().await.expect_problem(403, "unknown_proxy");
    }
}

#[tokio::test]
async fn the_address_is_what_trusted_proxies_say() {
    let proxy = Proxy::with_policy().await;
    let ask = |forwarded: &str| {
        let draft = proxy.app.anonymous().get("/authz/forward").header("x-portcullis-edge-token", &proxy.token);
        let draft = draft.header("x-original-method", "GET").header("x-original-uri", "/public");
        draft.header("x-forwarded-for", forwarded).send()
    };
    check(&ask("198.51.100.1").await, 423, "restricted_blacklist");
    check(&ask("203.0.113.9, 198.51.100.1").await, 423, "restricted_blacklist");
    check(&ask("203.0.113.9, ::ffff:198.51.100.1, 192.0.2.1").await, 423, "restricted_blacklist");
    check(&ask("198.51.100.1, 203.0.113.9").await, 200, "public");
    check(&ask("nonsense").await, 400, "malformed_request");
    let address = |address: &str| {
        let draft = proxy.app.anonymous().get("/authz/envoy/public").header("x-portcullis-edge-token", &proxy.token);
        draft.header("x-portcullis-client-address", address).send()
    };
    check(&address("198.51.100.1").await, 423, "restricted_blacklist");
    check(&address("2001:db8::1").await, 200, "public");
    check(&address("198.51.100.1:80").await, 400, "malformed_request");
}

#[tokio::test]
async fn two_stories_about_one_request_are_refused() {
    let proxy = Proxy::with_policy().await;
    for (name, value) in [
        ("x-forwarded-uri", "/public"),
        ("x-forwarded-host", "a.example"),
        ("x-original-uri", "/public"),
        ("authorization", "Bearer a, Bearer b"),
        ("x-original-host", "a.example,b.example"),
    ] {
        check(&proxy.nginx("/public").header(name, value).send().await, 400, "malformed_request");
    }
    let nothing = proxy.app.anonymous().get("/authz/forward").header("x-portcullis-edge-token", &proxy.token);
    check(&nothing.send().await, 400, "malformed_request");
    check(&proxy.nginx("/host").send().await, 401, "unauthenticated");
    for host in ["a.example", "A.EXAMPLE", "a.example.", "a.example:443"] {
        check(&proxy.nginx("/host").header("x-original-host", host).send().await, 200, "rule");
        check(&proxy.traefik("/host").header("x-forwarded-host", host).send().await, 200, "rule");
        check(&proxy.envoy(Method::GET, "/host").header("host", host).send().await, 200, "rule");
    }
    let aliases = proxy.nginx("/admin").header("x_original_uri", "/public").header("x-rewrite-url", "/public");
    check(&aliases.send().await, 471, "blocked");
}

#[tokio::test]
async fn a_credential_that_is_not_valid_is_401_also_where_none_is_needed() {
    let proxy = Proxy::with_policy().await;
    let key = proxy.app.user(&proxy.admin, "staff").await.token.unwrap();
    let unknown = format!("ptc_{}", "A".repeat(43));
    let bearer = |token: &str| format!("Bearer {token}");
    for headers in [
        vec![("authorization", bearer("a.b.c"))],
        vec![("authorization", bearer(&unknown))],
        vec![("authorization", bearer(""))],
        vec![("x-api-key", unknown.clone())],
        vec![("x-api-key", proxy.token.clone())],
        vec![("x-api-key", key.clone()), ("authorization", bearer("a.b.c"))],
    ] {
        let draft =
            headers.iter().fold(proxy.envoy(Method::GET, "/public"), |draft, (name, value)| draft.header(*name, value));
        check(&draft.send().await, 401, "unauthenticated");
    }
    for headers in [vec![("authorization", "Basic YTpi".to_owned())], vec![("x-api-key", "of another".to_owned())]] {
        let draft =
            headers.iter().fold(proxy.envoy(Method::GET, "/public"), |draft, (name, value)| draft.header(*name, value));
        let answer = draft.send().await;
        check(&answer, 200, "public");
        assert_eq!(answer.header("x-portcullis-subject"), "");
    }
    let answer = proxy.envoy(Method::GET, "/staff/1").header("x-api-key", &key).send().await;
    check(&answer, 200, "rule");
    let told = ["x-portcullis-subject", "x-portcullis-roles", "x-portcullis-revision"].map(|name| answer.header(name));
    assert_eq!(told, ["staff", "staff", "1"]);
    proxy.admin.patch("/directory/users/staff").json(&json!({"state": "banned"})).send().await.expect_status(200);
    check(&proxy.envoy(Method::GET, "/staff/1").header("x-api-key", &key).send().await, 403, "subject_inactive");
}

#[tokio::test]
async fn forged_identity_headers_are_named_to_envoy() {
    let proxy = Proxy::with_policy().await;
    let key = proxy.app.user(&proxy.admin, "staff").await.token.unwrap();
    let forge = |draft: Draft| {
        ["x-portcullis-subject", "x_portcullis-roles", "x-portcullis_anything"]
            .into_iter()
            .fold(draft, |draft, name| draft.header(name, "admin"))
    };
    let removed = |answer: &Answer| {
        let mut names: Vec<String> =
            answer.header("x-envoy-auth-headers-to-remove").split(',').map(str::to_owned).collect();
        names.retain(|name| !matches!(&**name, "x-portcullis-edge-token" | "x-portcullis-client-address"));
        names.sort();
        names
    };
    let anonymous = forge(proxy.envoy(Method::GET, "/public")).send().await;
    assert_eq!(removed(&anonymous), ["x-portcullis-subject", "x-portcullis_anything", "x_portcullis-roles"]);
    let known = forge(proxy.envoy(Method::GET, "/public").header("x-api-key", &key)).send().await;
    assert_eq!(removed(&known), ["x-portcullis_anything", "x_portcullis-roles"]);
    assert_eq!(known.header("x-portcullis-subject"), "staff");
}

#[tokio::test]
async fn nginx_gets_a_status_that_it_knows() {
    let proxy = Proxy::with_policy().await;
    let ask = |query: &str, uri: &str| {
        let draft = proxy.app.anonymous().get(&format!("/authz/forward{query}"));
        let draft = draft.header("x-portcullis-edge-token", &proxy.token).header("x-forwarded-for", "203.0.113.9");
        draft.header("x-original-method", "GET").header("x-original-uri", uri).send()
    };
    let answer = ask("?deny_status=403", "/admin").await;
    check(&answer, 403, "blocked");
    assert_eq!(answer.header("x-portcullis-status"), "471");
    check(&ask("?deny_status=403", "/other").await, 401, "unauthenticated");
    check(&ask("?deny_status=403", "/public").await, 200, "public");
    for query in ["?deny_status=200", "?deny_status=500", "?deny=403"] {
        ask(query, "/admin").await.expect_problem(400, "malformed_request");
    }
}

#[tokio::test]
async fn the_whole_decision_is_shown_on_request() {
    let proxy = Proxy::with_policy().await;
    let plain = proxy.nginx("/admin").send().await;
    assert_eq!(plain.header("x-portcullis-decision"), "");
    let shown = proxy.nginx("/admin").header("x-portcullis-show-decision", "true").send().await;
    let expected = json!({"decision": "deny", "status": 471, "reason": "blocked", "rules": [], "restriction": null,
        "obligations": [], "errors": [], "revision": 1});
    assert_eq!(serde_json::from_str::<serde_json::Value>(shown.header("x-portcullis-decision")).unwrap(), expected);
}

#[tokio::test]
async fn an_audited_request_is_a_record_before_it_is_answered() {
    let proxy = proxy().await;
    let policy = "
version: 1
public: [{path: {under: /}}]
rules:
  - {id: seen, effect: audit, topic: money, who: {anyone: true}, target: {path: {under: /pay}}}
";
    proxy.admin.publish(policy).await;
    for (number, uri) in ["/pay/1?secret=1", "/pay/2", "/other"].into_iter().enumerate() {
        let draft = proxy.nginx(uri).header("x-request-id", &format!("r{number}"));
        assert_eq!(draft.send().await.status, 200, "{uri}");
    }
    let page = proxy.admin.get("/policy/decision-logs").send().await.expect_status(200).json();
    let told =
        |key: &str| page["records"].as_array().unwrap().iter().map(|record| record[key].clone()).collect::<Vec<_>>();
    assert_eq!(told("path"), ["/pay/2", "/pay/1"]);
    assert_eq!((told("topic"), told("kind")), (vec![json!("money"); 2], vec![json!("audit"); 2]));
    assert_eq!((told("request_id"), told("ip")), (vec![json!("r1"), json!("r0")], vec![json!("203.0.113.9"); 2]));
    let gaps = proxy.admin.get("/policy/decision-logs/gaps").send().await.expect_status(200).json();
    assert_eq!(gaps["gaps"], json!([]));
}
