//! padlock: the worked examples of its reference, and what is answered otherwise on purpose.

mod allow;
mod authenticate;
mod users;

use serde_json::json;

use crate::dialects::padlock::Settings;
use crate::pep::Proxies;
use crate::tests::client::{Actor, Answer, Draft, TestApp};

/// The roles and rules of the worked examples.
const POLICY: &str = r#"version: 1
roles:
  admin: {permissions: [read, write, purge]}
  reader: {permissions: [read]}
  writer: {permissions: [write]}
  operator: {permissions: [ops]}
routes:
  - host: api.example.org
    paths:
      - {pattern: '^/items$', methods: {GET: [read], POST: [write]}}
      - {pattern: '^/items/[0-9]+$', methods: {GET: [read, ops], DELETE: [purge]}}
      - {pattern: '^/items/', methods: {"*": [write]}}
      - {pattern: '^/reports(/|$|[?])', methods: {GET: [read], "*": [purge]}}
  - host: '*'
    paths:
      - {pattern: '^/health', methods: {GET: [ops]}}
"#;

struct Padlock {
    app: TestApp,
    admin: Actor,
}

impl Padlock {
    /// The policy and the users of the worked examples; the client of the tests is a known proxy.
    async fn new(settings: Settings) -> Self {
        let proxies = Proxies { trusted: vec!["192.0.2.1/32".parse().unwrap()], ..Proxies::default() };
        Self::with(settings, proxies).await
    }

    async fn with(settings: Settings, proxies: Proxies) -> Self {
        let app = TestApp::changed(|parts| (parts.padlock, parts.proxies) = (settings, proxies)).await;
        let admin = app.admin().await;
        admin.publish(POLICY).await;
        let padlock = Self { app, admin };
        for (id, roles) in [
            ("ada", json!(["admin"])),
            ("rui", json!(["reader"])),
            ("wen", json!(["writer"])),
            ("bo", json!(["reader", "writer"])),
            ("ops", json!(["operator"])),
            ("nil0", json!([])),
        ] {
            let user = json!({"user": {"user_id": id}, "roles": roles});
            padlock.admin.post("/v1/user").json(&user).send().await.expect_status(200);
        }
        padlock
    }

    /// What a proxy asks about a request of `user`; an empty text is no header.
    fn asks(&self, method: &str, host: &str, path: &str, user: &str) -> Draft {
        let said = [
            ("x-forwarded-method", method),
            ("x-forwarded-host", host),
            ("x-forwarded-uri", path),
            ("x-caller-userid", user),
        ];
        let said = said.into_iter().filter(|(_, value)| !value.is_empty());
        said.fold(self.app.anonymous().get("/v1/allow"), |draft, (name, value)| draft.header(name, value))
    }

    async fn knows(&self, user: &str) -> bool {
        let status = self.admin.get(&format!("/v1/user/{user}")).send().await.status;
        assert!(matches!(status, 200 | 404), "{status}");
        status == 200
    }
}

impl Answer {
    /// An envelope of that status; every answer of the dialect is one.
    #[track_caller]
    fn expect_envelope(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/json");
        let body = self.json();
        assert_eq!(body["success"], status == 200, "{body}");
        assert_eq!(body["request_id"], self.header("padlock-request-id"), "{body}");
        match status {
            200 => assert!(body.get("error").is_none(), "{body}"),
            _ => assert_eq!(body["error"]["code"], status, "{body}"),
        }
        self
    }
}
