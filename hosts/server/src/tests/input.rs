//! Bad input on every write of our own API and of padlock: the dialect's error, and nothing is stored.

use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::body::BODY_BYTES;
use crate::dialects::padlock::Settings;
use crate::pep::Proxies;
use crate::tests::client::{Actor, Answer, POLICY, TestApp};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const YAML: &str = "application/yaml";

/// A write whose body is JSON.
struct Write {
    method: &'static str,
    path: &'static str,
    /// What it takes.
    good: Value,
    /// A text in there that is a name: not any text is one.
    name: &'static str,
    /// Whether there is something that it cannot do without.
    needs_body: bool,
}

const fn write(method: &'static str, path: &'static str, name: &'static str) -> Write {
    Write { method, path, good: Value::Null, name, needs_body: true }
}

fn own() -> Vec<Write> {
    let record = json!({
        "time": 1, "kind": "decision", "request_id": "1", "method": "GET", "host": "a", "path": "/", "effect": "allow",
        "status": 200, "reason": "allowed", "rules": [], "revision": 1,
    });
    vec![
        Write { good: json!({"id": "u1", "roles": ["staff"]}), ..write("POST", "/directory/users", "/id") },
        Write { good: json!({"roles": ["staff"]}), ..write("PATCH", "/directory/users/staff", "/roles/0") },
        Write { good: json!({"state": "active"}), ..write("PATCH", "/directory/users/staff", "/state") },
        Write {
            good: json!({"label": "ci"}),
            needs_body: false,
            ..write("POST", "/directory/users/staff/tokens", "/label")
        },
        Write { good: json!({"name": "e2"}), ..write("POST", "/edges", "/name") },
        Write {
            good: json!({"worker": "w", "first": 1, "dropped": 0, "records": [record]}),
            ..write("POST", "/policy/decision-logs", "/worker")
        },
    ]
}

fn padlock() -> Vec<Write> {
    vec![
        Write {
            good: json!({"user": {"user_id": "u2"}, "roles": ["staff"]}),
            ..write("POST", "/v1/user", "/user/user_id")
        },
        Write {
            good: json!({"user": {"user_id": "u2", "email": "a@b.example"}}),
            ..write("POST", "/v1/user", "/user/email")
        },
        Write { good: json!({"user_id": "staff", "username": "s"}), ..write("PUT", "/v1/user/staff", "/username") },
        Write {
            good: json!({"roles": ["staff"]}),
            needs_body: false,
            ..write("PUT", "/v1/user/staff/roles", "/roles/0")
        },
    ]
}

impl Write {
    fn draft(&self, by: &Actor, kind: &str, body: impl Into<Body>) -> crate::tests::client::Draft {
        by.request(self.method.parse().unwrap(), self.path).header(CONTENT_TYPE, kind).body(body)
    }

    /// What it takes, with another value in place of the name.
    fn with(&self, value: Value) -> String {
        let mut body = self.good.clone();
        *body.pointer_mut(self.name).unwrap() = value;
        body.to_string()
    }

    /// The same with bytes that are no JSON of ours.
    fn with_raw(&self, raw: &[u8]) -> Vec<u8> {
        let marked = self.with(json!("@@"));
        let (before, after) = marked.split_once("\"@@\"").unwrap();
        [before.as_bytes(), raw, after.as_bytes()].concat()
    }

    /// Everything that is wrong with a body, and the status that the server's own API has for it.
    fn bad(&self) -> Vec<(&'static str, &'static str, Vec<u8>, u16)> {
        let good = self.good.to_string();
        let (first, _) = good[1..].split_once(':').unwrap();
        let twice = format!("{},{first}:1}}", &good[..good.len() - 1]);
        let huge = format!("{good}{}", " ".repeat(BODY_BYTES));
        let name = |value: Value| self.with(value).into_bytes();
        let mut bad = vec![
            ("no JSON", JSON, b"{".to_vec(), 400),
            ("two values", JSON, format!("{good}{good}").into_bytes(), 400),
            ("a list", JSON, b"[]".to_vec(), 422),
            ("null", JSON, b"null".to_vec(), 422),
            ("a duplicate key", JSON, twice.into_bytes(), 400),
            ("not UTF-8", JSON, self.with_raw(b"\"a\xff\""), 400),
            ("half a surrogate", JSON, self.with_raw(br#""\ud800""#), 400),
            ("too deep", JSON, self.with_raw([&[b'['; 100][..], &[b']'; 100]].concat().as_slice()), 400),
            ("huge", JSON, huge.into_bytes(), 413),
            ("another type", "text/xml", good.clone().into_bytes(), 415),
            ("a form", FORM, b"id=a&name=b&roles=c".to_vec(), 415),
            ("a charset", "application/json; charset=utf-16", good.clone().into_bytes(), 415),
            ("a number", JSON, name(json!(7)), 422),
            ("an object", JSON, name(json!({"a": 1})), 422),
            ("a list as a name", JSON, name(json!(["a"])), 422),
            ("an empty name", JSON, name(json!("")), 422),
            ("a long name", JSON, name(json!("x".repeat(70_000))), 422),
            ("NUL", JSON, name(json!("a\0b")), 422),
            ("a line", JSON, name(json!("a\r\nset-cookie: b=c")), 422),
            ("SQL", JSON, name(json!("a'; DROP TABLE users; --\n")), 422),
        ];
        if self.needs_body {
            bad.push(("nothing", JSON, Vec::new(), 400));
            bad.push(("an empty object", JSON, b"{}".to_vec(), 422));
        }
        bad
    }
}

/// A server with an administrator, a policy, and a user `staff`.
async fn server() -> (TestApp, Actor) {
    let proxies = Proxies { trusted: vec!["192.0.2.1/32".parse().unwrap()], ..Proxies::default() };
    let padlock = Settings { auto_add: true, ..Settings::default() };
    let app = TestApp::changed(|parts| (parts.padlock, parts.proxies) = (padlock, proxies)).await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    app.user(&admin, "staff").await;
    app.edge(&admin, "e1").await;
    (app, admin)
}

/// Counts every write of the directory, and what edges sent.
async fn stored(app: &TestApp, admin: &Actor) -> (u64, Value) {
    let records = admin.get("/policy/decision-logs").send().await.expect_status(200).json();
    (app.app.identity.directory.writes().await.unwrap(), records)
}

fn has_no_header_of_the_caller(answer: &Answer) {
    assert!(answer.header("set-cookie").is_empty());
}

#[tokio::test]
async fn bad_bodies_of_our_own_api_store_nothing() {
    let (app, admin) = server().await;
    let before = stored(&app, &admin).await;
    for write in own() {
        for (what, kind, body, status) in write.bad() {
            let answer = write.draft(&admin, kind, body).send().await;
            assert_eq!(answer.status, status, "{} {}, {what}: {}", write.method, write.path, answer.text());
            assert_eq!(answer.header("content-type"), "application/problem+json");
            has_no_header_of_the_caller(&answer);
        }
    }
    assert_eq!(stored(&app, &admin).await, before);
    for write in own() {
        let answer = write.draft(&admin, JSON, write.good.to_string()).send().await;
        assert!(matches!(answer.status, 200 | 201), "{} {}: {}", write.method, write.path, answer.text());
    }
}

#[tokio::test]
async fn bad_bodies_of_padlock_store_nothing() {
    let (app, admin) = server().await;
    let before = stored(&app, &admin).await;
    for write in padlock() {
        for (what, kind, body, status) in write.bad() {
            // The dialect has no 422 for what is wrong.
            let status = if status == 422 { 400 } else { status };
            let answer = write.draft(&admin, kind, body).send().await;
            assert_eq!(answer.status, status, "{} {}, {what}: {}", write.method, write.path, answer.text());
            has_no_header_of_the_caller(&answer);
            let envelope = answer.json();
            assert_eq!((&envelope["success"], &envelope["error"]["code"]), (&json!(false), &json!(status)));
        }
    }
    assert_eq!(stored(&app, &admin).await, before);
    for write in padlock() {
        let answer = write.draft(&admin, JSON, write.good.to_string()).send().await;
        assert!(matches!(answer.status, 200 | 409), "{} {}: {}", write.method, write.path, answer.text());
    }
}

#[tokio::test]
async fn bad_first_users_are_none() {
    let app = TestApp::new().await;
    let holder = app.holder_of(&app.app.issue_setup_token().await.unwrap().unwrap());
    let setup = Write { good: json!({"id": "admin"}), ..write("POST", "/setup", "/id") };
    let before = app.app.identity.directory.writes().await.unwrap();
    for (what, kind, body, status) in setup.bad() {
        // It takes forms too.
        let status = if kind == FORM { 422 } else { status };
        assert_eq!(setup.draft(&holder, kind, body).send().await.status, status, "{what}");
    }
    for (body, status) in [
        ("id=a&id=b", 422),
        ("id=a%00b", 422),
        ("id=%ff", 400),
        ("id=", 422),
        ("id=a%0d%0ab", 422),
        ("id=' OR 1=1;--", 422),
    ] {
        assert_eq!(setup.draft(&holder, FORM, body).send().await.status, status, "{body}");
    }
    assert_eq!(app.app.identity.directory.writes().await.unwrap(), before);
    setup.draft(&holder, FORM, "id=admin").send().await.expect_status(201);
}

#[tokio::test]
async fn bad_documents_store_nothing() {
    let (app, admin) = server().await;
    let before = stored(&app, &admin).await;
    let role = |name: &str| format!("version: 1\nroles: {{{name}: {{}}}}\n").into_bytes();
    for path in ["/policy/document", "/policy/candidate"] {
        for (what, kind, body, status) in [
            ("nothing", YAML, Vec::new(), 422),
            ("a text", YAML, b"roles".to_vec(), 422),
            ("a list", YAML, b"[]".to_vec(), 422),
            ("an unknown key", YAML, b"version: 1\nrolls: {}\n".to_vec(), 422),
            ("a wrong type", YAML, b"version: 1\nroles: [1]\n".to_vec(), 422),
            ("a duplicate key", YAML, b"version: 1\nroles: {a: {}, a: {}}\n".to_vec(), 422),
            ("a duplicate key of JSON", JSON, br#"{"version": 1, "roles": {"a": {}, "a": {}}}"#.to_vec(), 422),
            ("not UTF-8", YAML, b"version: 1\nroles: {\"\xff\": {}}\n".to_vec(), 400),
            ("YAML as JSON", JSON, b"version: 1\n".to_vec(), 422),
            ("a long name", YAML, role(&"x".repeat(70_000)), 422),
            ("NUL", YAML, role("\"a\\0b\""), 422),
            ("a line", YAML, role("\"a\\r\\nset-cookie: b\""), 422),
            ("too deep", YAML, [&[b'['; 10_000][..], &[b']'; 10_000]].concat(), 422),
            ("aliases of aliases", YAML, aliases().into_bytes(), 422),
            ("another type", "text/xml", b"<a/>".to_vec(), 415),
        ] {
            let draft = admin.request(Method::PUT, path).header(CONTENT_TYPE, kind).body(body);
            let answer = draft.send().await;
            assert_eq!(answer.status, status, "{path}, {what}: {}", answer.text());
            has_no_header_of_the_caller(&answer);
        }
        let huge = admin.request(Method::PUT, path).header(CONTENT_TYPE, YAML).header("content-length", "67108865");
        huge.send().await.expect_problem(413, "too_large");
    }
    assert_eq!(stored(&app, &admin).await, before);
}

/// Nine levels of ten aliases each.
fn aliases() -> String {
    let level = |at: u32| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 10].join(", "));
    let first = "version: 1\na0: &a0 [x]\n".to_owned();
    (1..9).map(level).fold(first, |text, level| text + &level)
}

#[tokio::test]
async fn bad_paths_and_queries_change_nothing() {
    let (app, admin) = server().await;
    let before = stored(&app, &admin).await;
    let long = "x".repeat(300);
    for segment in ["%00", "a%00b", "%ff", "a%0d%0aset-cookie:%20b", "%27%20OR%201=1;--", "a%2fb", "%2e%2e", &long] {
        for (method, path) in [
            ("PATCH", format!("/directory/users/{segment}")),
            ("DELETE", format!("/directory/users/{segment}")),
            ("POST", format!("/directory/users/{segment}/tokens")),
            ("DELETE", format!("/directory/users/{segment}/tokens")),
            ("POST", format!("/directory/users/{segment}/revoke")),
            ("DELETE", format!("/edges/{segment}")),
            ("POST", format!("/edges/{segment}/tokens")),
            ("PUT", format!("/v1/user/{segment}")),
            ("PUT", format!("/v1/user/{segment}/roles")),
            ("DELETE", format!("/v1/user/{segment}")),
        ] {
            let mut draft = admin.request(method.parse().unwrap(), &path);
            if matches!(method, "PATCH" | "PUT") {
                draft = draft.json(&json!({"roles": ["staff"], "user_id": "staff"}));
            }
            let answer = draft.send().await;
            assert!(matches!(answer.status, 400 | 404 | 422), "{method} {path}: {} {}", answer.status, answer.text());
            has_no_header_of_the_caller(&answer);
        }
    }
    for (method, path) in [
        ("POST", "/edges?tenant=default&tenant=default"),
        ("POST", "/edges?tenant=%00"),
        ("POST", "/edges?tenant=%27;--"),
        ("POST", "/edges?x=1"),
        ("DELETE", "/edges/e1?x=1"),
        ("POST", "/edges/e1/tokens?tenant=%ff"),
        ("PUT", "/policy/document?x=1"),
        ("DELETE", "/policy/candidate?tenant=a%0d%0ab"),
        ("POST", "/policy/decision-logs?tenant=a&tenant=b"),
    ] {
        let draft = admin.request(method.parse().unwrap(), path);
        let answer = draft.json(&json!({"name": "e3", "old_lives_s": 1})).send().await;
        assert!(matches!(answer.status, 400 | 403 | 404 | 422), "{method} {path}: {} {}", answer.status, answer.text());
    }
    assert_eq!(stored(&app, &admin).await, before);
}

/// `/v1/allow` stores whom nobody knows.
#[tokio::test]
async fn bad_headers_of_a_proxy_store_nobody() {
    let (app, admin) = server().await;
    let before = stored(&app, &admin).await;
    let good = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-host", "api.example.org"),
        ("x-forwarded-uri", "/staff"),
        ("x-caller-userid", "u9"),
    ];
    let long = "x".repeat(300);
    for (header, values) in [
        ("x-caller-userid", ["", "a b", "' OR 1=1;--", "a/b", &long]),
        ("x-forwarded-host", ["", "a b", "' OR 1=1;--", "host", &long]),
        ("x-forwarded-method", ["", "GE T", "' OR 1=1;--", "get", &long]),
        ("x-forwarded-uri", ["", "staff", "*", " /", "http://a/"]),
    ] {
        for value in values {
            let headers = good.iter().map(|&(name, good)| (name, if name == header { value } else { good }));
            let draft =
                headers.fold(app.anonymous().get("/v1/allow"), |draft, (name, value)| draft.header(name, value));
            let answer = draft.send().await;
            assert_eq!(answer.status, 400, "{header}: {value}: {}", answer.text());
        }
        let twice =
            good.iter().fold(app.anonymous().get("/v1/allow"), |draft, &(name, value)| draft.header(name, value));
        let answer = twice.header(header, "GET").send().await;
        assert_eq!(answer.status, 400, "{header} twice: {}", answer.text());
    }
    assert_eq!(stored(&app, &admin).await, before);
}

/// What is legal is a text and nothing else, whatever it looks like.
#[tokio::test]
async fn a_text_that_looks_like_sql_is_a_text() {
    let (_app, admin) = server().await;
    let text = "'); DROP TABLE users; --";
    let user = json!({"id": "bobby", "roles": [text], "state": "' OR '1'='1"});
    admin.post("/directory/users").json(&user).send().await.expect_status(201);
    let found = admin.get("/directory/users/bobby").send().await.expect_status(200).json();
    assert_eq!((&found["roles"], &found["state"]), (&json!([text]), &user["state"]));
    let all = admin.get("/directory/users").send().await.expect_status(200).json();
    assert_eq!(all["users"].as_array().unwrap().len(), 3);
}
