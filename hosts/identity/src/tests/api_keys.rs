//! Requests that are signed with an API key. T8: by our scheme the signature covers the whole request, and either works once.

use portcullis_directory::{ApiKey, Holder, HolderKind, RoleName, ServiceAccountDraft};

use super::*;
use crate::api_keys::{self, BarongProof, KeyError, KeyRules, RequestProof, SignedRequest, sign, signed_text};

const NOW_MS: u64 = NOW.0 * 1000;
const NONCE: &str = "0123456789abcdef";

/// Bob with a second factor and a key.
async fn with_key() -> (World, ApiKey, String) {
    let world = World::new().await;
    world.update(AccountChange { otp: Some(true), ..AccountChange::default() }).await;
    let (key, secret) = create(&world, HolderKind::User, &bob()).await;
    (world, key, secret)
}

async fn create(world: &World, holder: HolderKind, id: &UserId) -> (ApiKey, String) {
    let change = world.directory.change(&root(), NOW).await.unwrap();
    let (key, secret) = api_keys::create(&change, (holder, id), "[]", &world.vault, &world.random).await.unwrap();
    change.commit().await.unwrap();
    (key, secret.to_string())
}

/// What comes of a request by Barong's scheme: the id of the holder, or the error.
async fn barong(world: &World, kid: &str, nonce: &str, signature: &str) -> String {
    let proof = BarongProof { kid, nonce, signature };
    outcome(KeyRules::default().barong(&world.directory, &world.vault, proof, NOW_MS).await)
}

fn outcome(result: Result<(ApiKey, Holder), KeyError>) -> String {
    match result {
        Ok((_, Holder::User(user))) => user.id.to_string(),
        Ok((_, Holder::ServiceAccount(account))) => account.uid,
        Err(error) => format!("{error:?}"),
    }
}

#[tokio::test]
async fn barong_headers_prove_a_key_once_and_in_time() {
    let (world, key, secret) = with_key().await;
    let signed = |nonce: &str| sign(secret.as_bytes(), &format!("{nonce}{}", key.kid));
    let ask = async |nonce: &str| barong(&world, &key.kid, nonce, &signed(nonce)).await;
    let at = |offset: i64| NOW_MS.checked_add_signed(offset).unwrap().to_string();
    for offset in [0, -4_999, 4_999] {
        assert_eq!(ask(&at(offset)).await, "bob", "{offset}");
        assert_eq!(ask(&at(offset)).await, "NonceUsed", "{offset}");
    }
    assert_eq!([ask(&at(5_000)).await, ask(&at(-5_000)).await], ["Expired", "Expired"]);
    for nonce in ["", "0", "abc", "123abc", "-1", "+1", "1.0", " 1", &format!("{NOW_MS}x"), "99999999999999999999"] {
        assert_eq!(ask(nonce).await, "BadTime", "{nonce}");
    }
    assert_eq!(barong(&world, "other", &at(1), &signed(&at(1))).await, "Unknown");
    for signature in ["", "x", &signed(&at(2)), &signed(&at(1)).to_uppercase(), &signed(&at(1))[..63]] {
        assert_eq!(barong(&world, &key.kid, &at(1), signature).await, "BadSignature", "{signature}");
    }
    assert_eq!(ask(&at(1)).await, "bob", "whoever signed wrong did not use up the nonce");
}

#[tokio::test]
async fn a_key_works_for_holders_that_may_use_it() {
    let (world, key, secret) = with_key().await;
    let mut nonce = NOW_MS;
    let mut ask = async |key: &ApiKey, secret: &str| {
        nonce += 1;
        let text = format!("{nonce}{}", key.kid);
        barong(&world, &key.kid, &nonce.to_string(), &sign(secret.as_bytes(), &text)).await
    };
    assert_eq!(ask(&key, &secret).await, "bob");
    let activate = async || {
        let change = world.directory.change(&root(), NOW).await.unwrap();
        change.update_api_key(&key.kid, "active", "[]").await.unwrap();
        change.commit().await.unwrap();
    };
    world.update(AccountChange { otp: Some(false), ..AccountChange::default() }).await;
    assert_eq!(ask(&key, &secret).await, "Inactive");
    activate().await;
    assert_eq!(ask(&key, &secret).await, "OtpOff");
    let state = |state: &str| AccountChange { state: UserState::parse(state).ok(), ..AccountChange::default() };
    world.update(state("banned")).await;
    assert_eq!(ask(&key, &secret).await, "Inactive");

    world.update(state("active")).await;
    let robot = UserId::parse("SI1").unwrap();
    let draft = ServiceAccountDraft {
        owner: Some(bob()),
        email: Email::parse("robot@example.org").unwrap(),
        role: RoleName::parse("service_account").unwrap(),
        level: 0,
        state: UserState::active(),
    };
    let change = world.directory.change(&root(), NOW).await.unwrap();
    change.create_service_account(&robot, &draft).await.unwrap();
    change.commit().await.unwrap();
    let (robots, robots_secret) = create(&world, HolderKind::ServiceAccount, &robot).await;
    assert_eq!(ask(&robots, &robots_secret).await, "SI1", "without a second factor");
    assert_eq!(ask(&robots, &secret).await, "BadSignature");
}

#[tokio::test]
async fn a_signed_request_is_that_request_and_no_other() {
    let (world, key, secret) = with_key().await;
    let request = SignedRequest { method: "POST", path: "/a", query: "b=c", body: b"body" };
    let timestamp = NOW_MS.to_string();
    let unsigned = RequestProof { kid: &key.kid, timestamp: &timestamp, nonce: NONCE, signature: "" };
    let signature = sign(secret.as_bytes(), &signed_text(unsigned, request).unwrap());
    let proof = RequestProof { signature: &signature, ..unsigned };
    let rules = KeyRules::default();
    let ask = async |proof: RequestProof<'_>, request: SignedRequest<'_>| {
        outcome(rules.request(&world.directory, &world.vault, (proof, request), NOW_MS).await)
    };
    let later = (NOW_MS + 1).to_string();
    for (proof, request) in [
        (proof, SignedRequest { method: "PUT", ..request }),
        (proof, SignedRequest { method: "post", ..request }),
        (proof, SignedRequest { path: "/A", ..request }),
        (proof, SignedRequest { path: "/a?b=c", query: "", ..request }),
        (proof, SignedRequest { query: "b=d", ..request }),
        (proof, SignedRequest { query: "", ..request }),
        (proof, SignedRequest { body: b"bodY", ..request }),
        (proof, SignedRequest { body: b"", ..request }),
        (RequestProof { timestamp: &later, ..proof }, request),
        (RequestProof { nonce: "fedcba9876543210", ..proof }, request),
    ] {
        assert_eq!(ask(proof, request).await, "BadSignature", "{request:?}");
    }
    for nonce in ["", "short", "0123456789abcde\n", &"a".repeat(65)] {
        assert_eq!(ask(RequestProof { nonce, ..proof }, request).await, "BadNonce", "{nonce:?}");
    }
    assert_eq!(ask(proof, SignedRequest { path: "/a\nb", ..request }).await, "BadNonce");
    assert_eq!(ask(proof, request).await, "bob");
    assert_eq!(ask(proof, request).await, "NonceUsed");
    let few = KeyRules { nonces_per_key: 1, ..KeyRules::default() };
    let proof = RequestProof { nonce: "fedcba9876543210", ..proof };
    let signature = sign(secret.as_bytes(), &signed_text(proof, request).unwrap());
    let proof = RequestProof { signature: &signature, ..proof };
    let result = few.request(&world.directory, &world.vault, (proof, request), NOW_MS).await;
    assert_eq!(outcome(result), "TooMany");
}

/// The text that the documentation shows.
#[test]
fn the_signed_text_has_eight_lines() {
    let proof = RequestProof { kid: "61d025b8573501c2", timestamp: "1700000000000", nonce: NONCE, signature: "" };
    let request = SignedRequest { method: "POST", path: "/orders", query: "dry=1", body: b"{}" };
    let expected = "portcullis-request-2\nPOST\n/orders\ndry=1\n\
                    44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n\
                    1700000000000\n0123456789abcdef\n61d025b8573501c2";
    assert_eq!(signed_text(proof, request).unwrap(), expected);
}
