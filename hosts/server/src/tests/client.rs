//! Actors and answers. Setup goes through the public API, like a user's.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use portcullis_directory::{Directory, Location, Proven, UnixSeconds, UserId};
use portcullis_identity::Secret;
use portcullis_identity::login::Throttle;
use portcullis_identity::passwords::Cost;
use portcullis_identity::sessions::{Client, SessionRules};
use portcullis_identity::token::Algorithm;
use portcullis_identity::vault::Vault;
use portcullis_runtime::{Limits, Runtime};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::app::{App, Parts};
use crate::clock::Clock;
use crate::dialects::{barong, padlock};
use crate::identity::{self, RANDOM};
use crate::pep::Proxies;
use crate::retention::Retention;
use crate::router::router;
use crate::signing::BundleKey;
use crate::tests::openapi::documented::expect_documented;

/// 2023-11-14 22:13:20 UTC.
pub const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

const VAULT_KEYS: &str =
    "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= index:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

pub const POLICY: &str = "version: 1
roles: {staff: {}}
rules:
  - {id: staff, effect: allow, who: {roles: [staff]}, target: {path: {under: /staff}}}
";

/// A clock that stands until it is moved.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub fn advance_ms(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Hashing that takes no time, keys that stay the same, mail into `folder`.
fn identity_settings(folder: &Path) -> identity::settings::Settings {
    identity::settings::Settings {
        keys_file: folder.join("vault.keys"),
        algorithm: Algorithm::EdDsa,
        token_lifetime_s: 86_400,
        key_lifetime_s: 90 * 86_400,
        sessions: SessionRules::default(),
        throttle: Throttle::default(),
        cost: Cost { memory_kib: 8, passes: 1 },
        passwords_at_once: 2,
        mail_folder: folder.join("mail"),
        mail_from: "server@example.org".to_owned(),
    }
}

pub struct TestApp {
    pub app: Arc<App>,
    pub clock: TestClock,
    router: Router,
    /// What it leaves beside the database: mail.
    pub folder: Arc<TempDir>,
}

/// Somebody with a token, or without.
#[derive(Clone)]
pub struct Actor {
    router: Router,
    pub token: Option<String>,
}

/// A request that is being put together.
pub struct Draft {
    actor: Actor,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, String)>,
    body: Body,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The component is compiled once for all tests.
fn runtime() -> Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new(Limits::default()).unwrap()).clone()
}

impl TestApp {
    pub async fn new() -> Self {
        Self::open(Location::Memory).await
    }

    /// The server that has its data in `folder`.
    pub async fn in_folder(folder: &Path) -> Self {
        Self::open(Location::File(folder.join("portcullis.db"))).await
    }

    pub async fn open(location: Location) -> Self {
        Self::with(location, |_| {}).await
    }

    /// A server without data, and `change` says how it differs.
    pub async fn changed(change: impl FnOnce(&mut Parts)) -> Self {
        Self::with(Location::Memory, change).await
    }

    pub async fn with(location: Location, change: impl FnOnce(&mut Parts)) -> Self {
        let directory = Directory::open(location).await.unwrap();
        let clock = TestClock(Arc::new(AtomicU64::new(NOW.0 * 1_000)));
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let mut parts = Parts {
            runtime: runtime(),
            directory,
            clock: Arc::new(clock.clone()),
            key: BundleKey::from_seed([7; 32]),
            archive: None,
            proxies: Proxies::default(),
            token_lifetime_s: 86_400,
            retention: Retention::default(),
            identity: identity_settings(folder.path()),
            vault: Vault::parse(VAULT_KEYS).unwrap(),
            padlock: padlock::Settings::default(),
            barong: barong::Settings::default(),
            tracer: None,
        };
        change(&mut parts);
        let app = App::start(parts).await.unwrap();
        Self { router: router(Arc::clone(&app)), app, clock, folder }
    }

    pub fn anonymous(&self) -> Actor {
        Actor { router: self.router.clone(), token: None }
    }

    pub fn holder_of(&self, token: &str) -> Actor {
        Actor { token: Some(token.to_owned()), ..self.anonymous() }
    }

    /// Sets the server up.
    pub async fn admin(&self) -> Actor {
        let setup = self.holder_of(&self.app.issue_setup_token().await.unwrap().unwrap());
        let answer = setup.post("/setup").json(&json!({"id": "admin"})).send().await.expect_status(201);
        self.holder_of(answer.json()["token"].as_str().unwrap())
    }

    /// The cookie of a session of the user.
    pub async fn session(&self, user: &UserId, client: Client<'_>) -> Secret {
        let (identity, now) = (&self.app.identity, self.clock.now());
        let user = identity.directory.user(user).await.unwrap().unwrap();
        let change = identity.directory.change(&user.id, now).await.unwrap();
        let proven = Proven { user, password: None };
        let cookie = identity.settings.sessions.begin(&change, &proven, client, now, &RANDOM).await.unwrap();
        change.commit().await.unwrap();
        cookie
    }

    /// An edge of the default tenant, of that name.
    pub async fn edge(&self, admin: &Actor, name: &str) -> Actor {
        let answer = admin.post("/edges").json(&json!({"name": name})).send().await.expect_status(201);
        self.holder_of(answer.json()["token"].as_str().unwrap())
    }

    /// A user of that id with one role of the same name.
    pub async fn user(&self, admin: &Actor, role: &str) -> Actor {
        admin.post("/directory/users").json(&json!({"id": role, "roles": [role]})).send().await.expect_status(201);
        let answer = admin.post(&format!("/directory/users/{role}/tokens")).send().await.expect_status(201);
        self.holder_of(answer.json()["token"].as_str().unwrap())
    }
}

impl Actor {
    pub fn request(&self, method: Method, path: &str) -> Draft {
        Draft { actor: self.clone(), method, path: path.to_owned(), headers: Vec::new(), body: Body::empty() }
    }

    pub fn get(&self, path: &str) -> Draft {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Draft {
        self.request(Method::POST, path)
    }

    pub fn patch(&self, path: &str) -> Draft {
        self.request(Method::PATCH, path)
    }

    pub fn delete(&self, path: &str) -> Draft {
        self.request(Method::DELETE, path)
    }

    pub fn put_document(&self, text: impl Into<Body>) -> Draft {
        self.request(Method::PUT, "/policy/document").header(CONTENT_TYPE, "application/yaml").body(text)
    }

    /// Stores a document that compiles.
    #[track_caller]
    pub fn publish(&self, text: &'static str) -> impl Future<Output = Answer> {
        let draft = self.put_document(text);
        async move {
            let answer = draft.send().await;
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
            answer
        }
    }
}

impl Draft {
    pub fn header(mut self, name: impl TryInto<HeaderName>, value: &str) -> Self {
        let name = name.try_into().ok().expect("a header name");
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.json_text(&body.to_string())
    }

    pub fn json_text(self, body: &str) -> Self {
        self.header(CONTENT_TYPE, "application/json").body(body.to_owned())
    }

    pub async fn send(self) -> Answer {
        let (method, path) = (self.method.clone(), self.path.clone());
        let peer: SocketAddr = "192.0.2.1:4711".parse().unwrap();
        let mut request = Request::builder().method(self.method).uri(self.path).extension(ConnectInfo(peer));
        if let Some(token) = &self.actor.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = self.actor.router.oneshot(request.body(self.body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        expect_documented(&method, &path, &answer);
        answer
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// A problem of the kind `code`; whatever is refused is refused in this shape.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:portcullis:problem:{code}"));
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string());
        assert_eq!(status == StatusCode::UNAUTHORIZED, self.header("www-authenticate") == "Bearer");
        self
    }

    /// A deny of the management policy.
    #[track_caller]
    pub fn expect_denied(self, status: u16, reason: &str) -> Self {
        let answer = self.expect_problem(status, "denied");
        assert_eq!(answer.json()["reason"], reason);
        answer
    }

    /// A problem whose `detail` is this.
    #[track_caller]
    pub fn expect_detail(self, status: u16, code: &str, detail: &str) -> Self {
        let answer = self.expect_problem(status, code);
        assert_eq!(answer.json()["detail"], detail);
        answer
    }
}
