//! Keys of access tokens over HTTP, and what is forgotten once a minute.

use portcullis_directory::{AttemptKey, Location, OneTimeToken, SecretHash, UnixSeconds, UserId};
use portcullis_identity::sessions::Client;
use portcullis_identity::token::{Invalid, verify};
use serde_json::{Map, Value, json};

use crate::clock::Clock as _;
use crate::tests::client::{Actor, TestApp};

async fn published(actor: &Actor) -> Vec<String> {
    let answer = actor.get("/.well-known/jwks.json").send().await.expect_status(200);
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let set = answer.json();
    let keys = set["keys"].as_array().unwrap();
    for key in keys {
        assert!(key["d"].is_null() && key["kid"].is_string() && key["use"] == "sig", "{key}");
    }
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn token(app: &TestApp) -> String {
    let now = app.clock.now();
    let claims = json!({"iss": "test", "aud": ["a"], "exp": now.0 + 86_400});
    let Value::Object(claims) = claims else { unreachable!("an object") };
    app.app.identity.sign(&claims, now).unwrap()
}

fn verified(app: &TestApp, token: &str) -> Result<Map<String, Value>, Invalid> {
    verify(&[app.app.identity.issuer("test", "a").unwrap()], token, app.clock.now().0)
}

#[tokio::test]
async fn keys_follow_each_other_without_a_restart_and_no_token_is_lost() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let first = published(&app.anonymous()).await;
    let old = token(&app);
    assert_eq!(first.len(), 1);
    app.anonymous().post("/identity/signing-keys").send().await.expect_denied(401, "unauthenticated");
    admin.post("/identity/signing-keys").send().await.expect_status(201);
    let both = published(&app.anonymous()).await;
    assert!(both.len() == 2 && both.contains(&first[0]), "{both:?}");
    let kid = |token: &str| {
        use base64::Engine as _;
        let header = token.split('.').next().unwrap();
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
    };
    assert_eq!(kid(&token(&app)), first[0], "the new one is announced only");
    app.clock.advance_ms(3_600_000);
    app.app.identity.tidy(app.clock.now()).await;
    let new = token(&app);
    assert_ne!(kid(&new), first[0]);
    assert!(verified(&app, &old).is_ok() && verified(&app, &new).is_ok());
    app.clock.advance_ms(86_399_000 - 3_600_000);
    app.app.identity.tidy(app.clock.now()).await;
    assert!(verified(&app, &old).is_ok());
    app.clock.advance_ms(3_601_000);
    app.app.identity.tidy(app.clock.now()).await;
    assert_eq!(published(&app.anonymous()).await.len(), 1, "who signed no token that is still valid is gone");
    assert!(verified(&app, &old).is_err() && verified(&app, &token(&app)).is_ok());
}

#[tokio::test]
async fn a_key_that_signed_for_long_is_followed_by_another() {
    let app = TestApp::new().await;
    app.clock.advance_ms(90 * 86_400_000 - 1_000);
    app.app.identity.tidy(app.clock.now()).await;
    assert_eq!(published(&app.anonymous()).await.len(), 1);
    app.clock.advance_ms(1_000);
    for _ in 0..2 {
        app.app.identity.tidy(app.clock.now()).await;
        assert_eq!(published(&app.anonymous()).await.len(), 2, "one follows, not one a minute");
    }
}

#[tokio::test]
async fn keys_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let database = || Location::File(folder.path().join("portcullis.db"));
    let app = TestApp::open(database()).await;
    let (keys, issued) = (published(&app.anonymous()).await, token(&app));
    app.app.close().await.unwrap();
    let app = TestApp::open(database()).await;
    assert_eq!(published(&app.anonymous()).await, keys);
    assert!(verified(&app, &issued).is_ok());
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let app = TestApp::new().await;
    app.admin().await;
    let (directory, now) = (&app.app.identity.directory, app.clock.now());
    let client = Client { address: "192.0.2.1".parse().unwrap(), user_agent: None };
    let session = app.session(&UserId::parse("admin").unwrap(), client).await.hash();
    let token = OneTimeToken {
        hash: SecretHash([2; 32]),
        purpose: "test".to_owned(),
        subject: "admin".to_owned(),
        data: None,
        created_at: now,
        expires_at: UnixSeconds(now.0 + 100),
    };
    directory.add_one_time_token(&token).await.unwrap();
    let failures =
        async |at: UnixSeconds| directory.count_attempt(AttemptKey([3; 32]), UnixSeconds(0), at).await.unwrap();
    assert_eq!(failures(now).await, 1);
    app.app.identity.tidy(now).await;
    assert!(directory.session(session).await.unwrap().is_some());
    assert_eq!(failures(now).await, 2);
    app.clock.advance_ms(1_800_000);
    app.app.identity.tidy(app.clock.now()).await;
    assert!(directory.session(session).await.unwrap().is_none());
    let change = directory.change(&UserId::parse("admin").unwrap(), now).await.unwrap();
    assert!(change.take_one_time_token(token.hash, "test").await.unwrap().is_none());
    drop(change);
    assert_eq!(failures(app.clock.now()).await, 1);
}
