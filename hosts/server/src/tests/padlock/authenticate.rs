//! `/v1/authenticate`: N1 to N8 and N13 to N15. N5 and N9 to N12 are of parts that are not here.

use portcullis_identity::token::{Algorithm, Key, SigningKey};
use serde_json::{Map, Value, json};

use crate::authn::jwt::{ClaimNames, Issuer, Issuers};
use crate::dialects::padlock::{self, BypassRules, Settings};
use crate::pep::Proxies;
use crate::tests::client::{Answer, NOW};
use crate::tests::padlock::Padlock;

struct Gateway {
    padlock: Padlock,
    key: SigningKey,
}

impl Gateway {
    async fn new(settings: Settings) -> Self {
        let key = Algorithm::EdDsa.generate().unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::EdDsa, &key).unwrap();
        let keys = Key::parse_set(&json!({"keys": [key.public()]}).to_string()).unwrap();
        let issuer = Issuer { name: "https://issuer".to_owned(), audience: "us".to_owned(), keys };
        let proxies = Proxies {
            trusted: vec!["192.0.2.1/32".parse().unwrap()],
            issuers: Issuers { issuers: vec![issuer], claims: ClaimNames::default() },
            ..Proxies::default()
        };
        Self { padlock: Padlock::with(settings, proxies).await, key }
    }

    /// A good token, with `changes` to its claims; null takes one away.
    fn token(&self, changes: Value) -> String {
        let claims = json!({"iss": "https://issuer", "aud": "us", "exp": NOW.0 + 60, "iat": NOW.0, "sub": "rui",
            "name": "rui.r", "given": "Rui", "family": "Reader", "mail": "rui@example.org"});
        let mut claims: Map<String, Value> = claims.as_object().unwrap().clone();
        claims.extend(changes.as_object().unwrap().clone());
        claims.retain(|_, value| !value.is_null());
        self.key.sign(&claims).unwrap()
    }

    async fn asks(&self, authorization: &str) -> Answer {
        let draft = self.padlock.app.anonymous().get("/v1/authenticate");
        draft.header("authorization", authorization).send().await
    }

    async fn shows(&self, changes: Value) -> Answer {
        self.asks(&format!("Bearer {}", self.token(changes))).await
    }

    /// What the proxy says of a request without a token.
    async fn anonymous(&self, method: &str, host: &str, path: &str) -> Answer {
        let draft = self.padlock.app.anonymous().get("/v1/authenticate").header("x-forwarded-method", method);
        draft.header("x-forwarded-host", host).header("x-forwarded-uri", path).send().await
    }
}

fn settings() -> Settings {
    let name = |name: &str| Some(name.to_owned());
    let claims = padlock::ClaimNames {
        username: name("name"),
        first_name: name("given"),
        last_name: name("family"),
        email: name("mail"),
        ..padlock::ClaimNames::default()
    };
    Settings { claims, ..Settings::default() }
}

const TOLD: [&str; 5] =
    ["x-caller-userid", "x-caller-username", "x-caller-firstname", "x-caller-lastname", "x-caller-email"];

#[tokio::test]
async fn a_valid_token_says_who_it_is() {
    let gateway = Gateway::new(settings()).await;
    // N2
    let answer = gateway.shows(json!({})).await.expect_envelope(200);
    let told = TOLD.map(|name| answer.header(name));
    assert_eq!(told, ["rui", "rui.r", "Rui", "Reader", "rui@example.org"]);
    // N3 is a 400 there: what is optional may be absent.
    let answer = gateway.shows(json!({"mail": null, "given": "Zoë"})).await.expect_envelope(200);
    assert_eq!((answer.header("x-caller-email"), answer.header("x-caller-firstname")), ("", ""));
    // N6, and N7, which is a 400 there.
    gateway.shows(json!({"aud": "us"})).await.expect_envelope(200);
    gateway.shows(json!({"aud": ["us", "them"]})).await.expect_envelope(200);
    // Only what is named is told.
    let plain = Gateway::new(Settings::default()).await;
    let answer = plain.shows(json!({})).await.expect_envelope(200);
    assert_eq!(TOLD.map(|name| answer.header(name)), ["rui", "", "", "", ""]);
}

#[tokio::test]
async fn what_is_not_valid_is_401() {
    let gateway = Gateway::new(settings()).await;
    // N1
    let answer = gateway.padlock.app.anonymous().get("/v1/authenticate").send().await.expect_envelope(401);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    // N4, N8, N15 and their like.
    for changes in [
        json!({"iss": "https://other"}),
        json!({"aud": "them"}),
        json!({"aud": null}),
        json!({"exp": null}),
        json!({"exp": NOW.0}),
        json!({"nbf": NOW.0 + 1}),
    ] {
        gateway.shows(changes).await.expect_envelope(401);
    }
    let token = gateway.token(json!({}));
    for strange in [token.clone(), format!("Basic {token}"), format!("Bearer  {token}"), format!("x bearer {token}")] {
        gateway.asks(&strange).await.expect_envelope(401);
    }
    gateway.asks(&format!("Bearer {}x", token)).await.expect_envelope(401);
}

#[tokio::test]
async fn claims_that_cannot_be_used_are_400() {
    let gateway = Gateway::new(settings()).await;
    for changes in [json!({"sub": null}), json!({"sub": 7}), json!({"sub": "a b"}), json!({"mail": 7})] {
        gateway.shows(changes).await.expect_envelope(400);
    }
}

#[tokio::test]
async fn a_revoked_token_is_not_valid() {
    let gateway = Gateway::new(settings()).await;
    gateway.padlock.admin.post("/directory/users/rui/revoke").send().await.expect_status(200);
    gateway.shows(json!({"iat": NOW.0 - 1})).await.expect_envelope(401);
}

#[tokio::test]
async fn a_bypass_needs_no_token() {
    let rules = BypassRules {
        methods: vec!["OPTIONS".to_owned()],
        hosts: vec!["Open.example.org".to_owned()],
        paths: vec!["^/public/".to_owned()],
    };
    let gateway = Gateway::new(Settings { bypass: rules.compile().unwrap(), ..settings() }).await;
    for (method, host, path, status) in [
        // N13
        ("options", "api.example.org", "/items", 200),
        ("GET", "open.EXAMPLE.org", "/items", 200),
        ("GET", "api.example.org", "/public/a?b=c", 200),
        ("GET", "api.example.org", "/items", 401),
        // N14 is a 200 there.
        ("GET", "api.example.org", "/public/../admin", 401),
        ("GET", "api.example.org", "/public/%2e%2e/admin", 401),
    ] {
        let answer = gateway.anonymous(method, host, path).await.expect_envelope(status);
        assert_eq!(answer.header("x-caller-userid"), "", "{method} {host} {path}");
    }
    assert!(BypassRules { paths: vec!["(".to_owned()], ..BypassRules::default() }.compile().is_err());
}
