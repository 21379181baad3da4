//! The documents say what the router does, and what the published contracts promise. That answers are as they say is checked
//! wherever a test gets one (`documented`).

pub mod documented;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::ALLOW;
use axum::http::{Method, Request};
use axum::routing::MethodRouter;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::app::App;
use crate::router::all_routes;
use crate::tests::client::TestApp;
use crate::tests::openapi::documented::documents;

const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

type Operations = BTreeSet<(String, String)>;

/// Method and path of everything that a document describes.
fn described(document: &Value) -> Operations {
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &Value)| {
        let has = |method: &&str| item.get(*method).is_some();
        METHODS.into_iter().filter(has).map(|method| (method.to_owned(), path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(methods).collect()
}

/// What a route does: the methods of its 405, or all of them.
async fn routed(app: &TestApp, path: &'static str, methods: MethodRouter<Arc<App>>) -> Vec<String> {
    let router = Router::new().route(path, methods).with_state(Arc::clone(&app.app));
    let filled = path.replace("{*path}", "x").replace(['{', '}'], "");
    let request = Request::builder().method("PROPFIND").uri(filled).body(Body::empty()).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    match answer.headers().get(ALLOW) {
        None => METHODS.map(str::to_owned).to_vec(),
        // HEAD goes with GET.
        Some(allow) => {
            allow.to_str().unwrap().split(',').filter(|&method| method != "HEAD").map(str::to_lowercase).collect()
        }
    }
}

async fn all_routed(app: &TestApp) -> Operations {
    let mut operations = Operations::new();
    for (path, methods) in all_routes() {
        let named = path.replace("{*path}", "{path}");
        operations.extend(routed(app, path, methods).await.into_iter().map(|method| (method, named.clone())));
    }
    operations
}

/// A user who is called like a path that is written to is one of the users.
fn is_a_user(operation: &(String, String), described: &Operations) -> bool {
    let (method, path) = operation;
    let user = path.rsplit_once('/').map(|(above, _)| (method.clone(), format!("{above}/{{uid}}")));
    user.is_some_and(|user| described.contains(&user))
}

#[tokio::test]
async fn every_route_is_described_and_nothing_else() {
    let app = TestApp::new().await;
    let described: Operations = documents().iter().flat_map(described).collect();
    let routed = all_routed(&app).await;
    let missing: Vec<_> = routed.difference(&described).filter(|operation| !is_a_user(operation, &described)).collect();
    assert!(missing.is_empty(), "not described: {missing:?}");
    let stray: Vec<_> = described.difference(&routed).collect();
    assert!(stray.is_empty(), "no route: {stray:?}");
}

#[test]
fn each_dialect_has_the_operations_and_parameters_of_its_contract() {
    let [_, padlock, barong] = documents();
    for (document, published) in
        [(padlock, include_str!("openapi/padlock.txt")), (barong, include_str!("openapi/barong.txt"))]
    {
        for line in published.lines() {
            let (asked, statuses) = line.split_once("->").unwrap();
            let words: Vec<&str> = asked.split_whitespace().collect();
            let [method, path, parameters @ ..] = &words[..] else { panic!("{line}") };
            let operation = &document["paths"][*path][method.to_lowercase()];
            assert!(operation.is_object(), "{line}");
            let known = fields(document, operation);
            for parameter in parameters {
                let name = parameter.trim_end_matches('!');
                assert_eq!(known.get(name), Some(&parameter.ends_with('!')), "`{name}`: {line}");
            }
            for status in statuses.split_whitespace() {
                assert!(operation["responses"][status].is_object(), "{status}: {line}");
            }
        }
    }
}

/// Parameters and members of the body, and whether they are required.
fn fields(document: &Value, operation: &Value) -> BTreeMap<String, bool> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters =
        parameters.map(|one| (one["name"].as_str().unwrap().to_owned(), one["required"].as_bool().unwrap()));
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = match body["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).unwrap(),
        None => body,
    };
    let required = body["required"].as_array().cloned().unwrap_or_default();
    let members = body["properties"].as_object().into_iter().flatten();
    parameters.chain(members.map(|(name, _)| (name.clone(), required.contains(&json!(name))))).collect()
}

#[test]
fn operations_have_ids_of_their_own_and_say_what_stands_in_their_paths() {
    for document in documents() {
        let mut ids = BTreeSet::new();
        for (method, path) in described(document) {
            let operation = &document["paths"][&path][&method];
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
            let in_path = |one: &&Value| one["in"] == "path";
            let named: BTreeSet<String> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(in_path)
                .map(|one| format!("{{{}}}", one["name"].as_str().unwrap()))
                .collect();
            let templates = path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned);
            assert_eq!(named, templates.collect(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_documents_say_whom_they_let_in_without_a_token() {
    let app = TestApp::new().await;
    app.admin().await;
    for document in documents() {
        for (method, path) in described(document) {
            let operation = &document["paths"][&path][&method];
            let is_public = operation["security"].as_array().unwrap().is_empty();
            let filled = path.replace(['{', '}'], "");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = app.anonymous().request(method, &filled).send().await;
            // A log-out and a gateway find out by themselves.
            let is_let_in = answer.status != 401 && !is_refused_by_address(&path);
            let asks_itself = is_refused_by_address(&path) || path == "/api/v2/barong/identity/sessions";
            assert!(asks_itself || is_let_in == is_public, "{path}: {}", answer.status);
        }
    }
}

fn is_refused_by_address(path: &str) -> bool {
    path.starts_with("/api/v2/auth") || matches!(path, "/v1/allow" | "/v1/authenticate")
}

/// H8: whoever chooses `host` chooses nothing in them.
#[tokio::test]
async fn documents_and_page_are_for_everybody_and_know_no_host() {
    let app = TestApp::new().await;
    for (path, media_type) in [
        ("/openapi.json", "application/json"),
        ("/openapi/padlock.json", "application/json"),
        ("/openapi/barong.json", "application/json"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/docs.css", "text/css; charset=utf-8"),
        ("/docs/docs.js", "text/javascript; charset=utf-8"),
    ] {
        let evil = app.anonymous().get(path).header("host", "evil.example").header("x-forwarded-host", "evil.example");
        let answer = evil.send().await.expect_status(200);
        assert_eq!(answer.header("content-type"), media_type, "{path}");
        assert_eq!(answer.text(), app.anonymous().get(path).send().await.text(), "{path}");
        for url in ["evil", "http:", "https:"] {
            assert!(!answer.text().contains(url), "{url} in {path}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    for document in documents() {
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["servers"], json!([{"url": "/"}]));
    }
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere() {
    let app = TestApp::new().await;
    let answer = app.anonymous().get("/docs").send().await.expect_status(200);
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}
