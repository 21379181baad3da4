//! Who may call what: every refusal comes from the component, whatever the path.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::json;

use crate::dialects::{barong, padlock};
use crate::openapi;
use crate::router::routes;
use crate::tests::client::{Actor, POLICY, TestApp};

const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Where anybody may go.
const PUBLIC: [&str; 20] = [
    "GET /healthz",
    "GET /readyz",
    "GET /.well-known/jwks.json",
    "GET /v1/alive",
    "GET /v1/ready",
    "GET /liveness/alive",
    "GET /liveness/ready",
    "POST /api/v2/barong/identity/sessions",
    "DELETE /api/v2/barong/identity/sessions",
    "POST /api/v2/barong/identity/users",
    "POST /api/v2/barong/identity/users/email/generate_code",
    "POST /api/v2/barong/identity/users/email/confirm_code",
    "POST /api/v2/barong/identity/users/password/generate_code",
    "POST /api/v2/barong/identity/users/password/confirm_code",
    "GET /openapi.json",
    "GET /openapi/padlock.json",
    "GET /openapi/barong.json",
    "GET /docs",
    "GET /docs/docs.css",
    "GET /docs/docs.js",
];

/// Where everybody may go who is somebody, with any method: what is not there is not found.
fn own_account() -> Vec<String> {
    let methods = || METHODS.into_iter().filter(|method| method != Method::HEAD);
    let paths = barong::resource::routes().map(|(path, _)| path).into_iter();
    paths.flat_map(|path| methods().map(move |method| format!("{method} {path}"))).collect()
}

/// `GET /a`, `POST /b` ... that `actor` is not refused, over all routes and methods, those of dialects too; HEAD goes with GET.
async fn reachable(actor: &Actor) -> Vec<String> {
    let mut reachable = Vec::new();
    let dialects = padlock::routes()
        .into_iter()
        .chain(barong::routes())
        .chain(barong::identity::routes())
        .chain(barong::resource::routes());
    for (path, _) in routes().into_iter().chain(dialects).chain(openapi::routes()) {
        let filled = path
            .replace("{id}", "nobody")
            .replace("{name}", "none")
            .replace("{kid}", "none")
            .replace("{uid}", "nobody");
        for method in METHODS {
            let answer = actor.request(method.clone(), &filled).send().await;
            let is_denied = matches!(answer.status, 401 | 403);
            if !is_denied && method != Method::HEAD {
                reachable.push(format!("{method} {path}"));
            }
        }
    }
    reachable
}

#[tokio::test]
async fn anonymous_callers_reach_nothing_but_health_checks_and_public_keys() {
    let app = TestApp::new().await;
    app.admin().await;
    for (path, _) in routes() {
        for method in METHODS {
            let answer = app.anonymous().request(method.clone(), &path.replace("{id}", "nobody")).send().await;
            if matches!(path, "/healthz" | "/readyz" | "/.well-known/jwks.json")
                && matches!(method, Method::GET | Method::HEAD)
            {
                answer.expect_status(200);
            } else if method == Method::HEAD {
                answer.expect_status(401);
            } else {
                answer.expect_denied(401, "unauthenticated");
            }
        }
    }
    assert_eq!(reachable(&app.anonymous()).await, PUBLIC);
    for path in ["/", "/metric", "/policy", "/policy/document/", "/healthz/", "/Healthz"] {
        app.anonymous().get(path).send().await.expect_denied(401, "unauthenticated");
    }
}

#[tokio::test]
async fn each_role_reaches_its_endpoints_only() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for (role, expected) in [
        (
            "operator",
            vec![
                "GET /directory/users",
                "GET /directory/users/{id}",
                "GET /edges",
                "GET /policy/document",
                "PUT /policy/document",
                "GET /policy/candidate",
                "PUT /policy/candidate",
                "DELETE /policy/candidate",
                "GET /policy/revisions",
                "GET /metrics",
                "GET /policy/bundle",
                "GET /policy/revocations",
                "GET /policy/decision-logs",
                "GET /policy/decision-logs/gaps",
                "POST /policy/decide",
                "POST /policy/explain",
                "GET /v1/role",
                "GET /v1/role/{name}",
                "GET /v1/user",
                "GET /v1/user/{id}",
                "GET /v1/user/{id}/roles",
            ],
        ),
        (
            "edge",
            vec![
                "GET /policy/bundle",
                "GET /policy/revocations",
                "POST /policy/decision-logs",
                "GET /gateway/identity",
                "POST /policy/decide",
            ],
        ),
        ("auditor", vec!["GET /audit", "GET /policy/decision-logs", "GET /policy/decision-logs/gaps"]),
        ("metrics", vec!["GET /metrics"]),
        ("pep", vec!["POST /policy/decide"]),
        ("guest", vec![]),
    ] {
        let actor = app.user(&admin, role).await;
        let own = own_account();
        let expected: BTreeSet<&str> =
            PUBLIC.into_iter().chain(expected).chain(own.iter().map(String::as_str)).collect();
        let reachable = reachable(&actor).await;
        assert_eq!(reachable.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{role}");
    }
}

#[tokio::test]
async fn an_edge_cannot_write_the_document() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.user(&admin, "edge").await;
    edge.put_document(POLICY).send().await.expect_denied(403, "no_match");
    admin.get("/policy/document").send().await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_banned_user_loses_access_at_once_and_gets_it_back() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.user(&admin, "edge").await;
    admin.publish(POLICY).await;
    edge.get("/policy/bundle").send().await.expect_status(200);
    let state = |state: &str| admin.patch("/directory/users/edge").json(&json!({"state": state})).send();
    state("banned").await.expect_status(200);
    edge.get("/policy/bundle").send().await.expect_denied(403, "subject_inactive");
    state("active").await.expect_status(200);
    edge.get("/policy/bundle").send().await.expect_status(200);
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let pep = app.user(&admin, "pep").await;
    pep.get("/directory/users").send().await.expect_denied(403, "no_match");
    admin.patch("/directory/users/pep").json(&json!({"roles": ["operator"]})).send().await.expect_status(200);
    pep.get("/directory/users").send().await.expect_status(200);
}

#[tokio::test]
async fn a_wrong_token_is_refused_everywhere() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let good = admin.token.clone().unwrap();
    let unknown = format!("ptc_{}", "A".repeat(43));
    for token in [unknown.as_str(), "ptc_", "x", &good[4..], &good.to_uppercase(), &format!("{good} ")] {
        for path in ["/directory/users", "/healthz", "/no/such/path"] {
            app.holder_of(token).get(path).send().await.expect_problem(401, "bad_token");
        }
    }
    let two = admin.get("/directory/users").header("authorization", &format!("Bearer {good}"));
    two.send().await.expect_problem(401, "bad_token");
    let basic = app.anonymous().get("/directory/users").header("authorization", "Basic YTpi");
    basic.send().await.expect_problem(401, "bad_token");
    let lower = app.anonymous().get("/directory/users").header("authorization", &format!("bearer {good}"));
    lower.send().await.expect_status(200);
}

#[tokio::test]
async fn revoked_tokens_and_tokens_of_deleted_users_are_wrong_tokens() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.user(&admin, "edge").await;
    let pep = app.user(&admin, "pep").await;
    admin.delete("/directory/users/edge/tokens").send().await.expect_status(204);
    edge.get("/policy/bundle").send().await.expect_problem(401, "bad_token");
    admin.delete("/directory/users/pep").send().await.expect_status(204);
    pep.get("/policy/bundle").send().await.expect_problem(401, "bad_token");
}

#[tokio::test]
async fn a_path_that_is_not_canonical_is_refused_before_anything_else() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for path in [
        "/policy//document",
        "/policy/./document",
        "/healthz/../policy/document",
        "/%70olicy/document",
        "/policy%2Fdocument",
        "/policy/document;x=1",
        "/directory/users/a%c3%a9",
        "/directory/users/%00",
        "/directory/users/%ff",
    ] {
        let expected = "the path is not canonical";
        admin.get(path).send().await.expect_detail(400, "malformed_request", expected);
        app.anonymous().get(path).send().await.expect_detail(400, "malformed_request", expected);
    }
}

#[tokio::test]
async fn two_hosts_are_refused() {
    let app = TestApp::new().await;
    let request = app.anonymous().get("/healthz").header("host", "a").header("host", "b");
    request.send().await.expect_problem(400, "malformed_request");
}

#[tokio::test]
async fn an_admin_sees_404_and_405_as_problems() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.get("/no/such/path").send().await.expect_problem(404, "not_found");
    let answer = admin.delete("/policy/document").send().await.expect_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD,PUT");
}
