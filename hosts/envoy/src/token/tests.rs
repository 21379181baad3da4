#[path = "vectors.rs"]
mod vectors;

use std::rc::Rc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::Signer as _;
use p256::ecdsa::SigningKey;
use serde_json::{Value, json};

use super::jwk::decode;
use super::rsa::RsaKey;
use super::{Bearer, Tokens, der, read};
use crate::config::Config;
use crate::fake::{FakeHost, config};
use crate::identity::Identity;
use vectors::{VECTORS, Vector};

const NOW: u64 = 1_700_000_000;

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn ed25519() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[9; 32])
}

fn p256() -> SigningKey {
    SigningKey::from_slice(&[9; 32]).unwrap()
}

fn ed25519_jwk(kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": encode(ed25519().verifying_key().as_bytes()), "kid": kid})
}

fn p256_jwk(kid: &str) -> Value {
    let point = p256().verifying_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": kid})
}

fn rsa_jwk(vector: &Vector) -> Value {
    json!({"kty": "RSA", "n": vector.n, "e": "AQAB", "kid": "r", "alg": "RS256"})
}

fn config_with(keys: Value) -> Config {
    config(json!({"issuers": [{"issuer": "https://issuer.test", "audience": "edge", "keys": keys}]}))
}

fn ours() -> Config {
    config_with(json!([ed25519_jwk("e"), p256_jwk("p"), rsa_jwk(&VECTORS[0])]))
}

fn claims() -> Value {
    json!({"iss": "https://issuer.test", "aud": "edge", "sub": "u1", "exp": NOW + 60, "iat": NOW, "roles": ["a"]})
}

fn signed(header: &Value, payload: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let text = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
    let signature = encode(&sign(text.as_bytes()));
    format!("{text}.{signature}")
}

fn eddsa(header: &Value, payload: &Value) -> String {
    signed(header, payload, |text| ed25519().sign(text).to_bytes().to_vec())
}

fn es256(header: &Value, payload: &Value) -> String {
    signed(header, payload, |text| {
        let signature: p256::ecdsa::Signature = p256().sign(text);
        signature.to_bytes().to_vec()
    })
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "e"})
}

/// What the token is, without the proxy's help and without a cache.
fn ask(config: &Config, token: &str) -> Bearer {
    read(&FakeHost::new(), config, &mut Tokens::default(), token, NOW)
}

#[track_caller]
fn subject(bearer: Bearer) -> Rc<Identity> {
    match bearer {
        Bearer::Valid(identity) => identity,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_algorithm_is_verified() {
    for token in [eddsa(&header(), &claims()), es256(&json!({"alg": "ES256", "kid": "p"}), &claims())] {
        let identity = subject(ask(&ours(), &token));
        assert_eq!((&*identity.id, identity.issued_at, identity.expires), ("u1", Some(NOW), Some(NOW + 60)));
        assert_eq!(identity.roles, ["a"]);
    }
    for vector in VECTORS {
        assert_eq!(subject(ask(&config_with(json!([rsa_jwk(&vector)])), vector.token)).id, "u1");
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let tokens = [
        eddsa(&header(), &claims()),
        es256(&json!({"alg": "ES256", "kid": "p"}), &claims()),
        VECTORS[0].token.to_owned(),
    ];
    for token in tokens {
        for at in (0..token.len()).step_by(41) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).unwrap();
            assert!(!matches!(ask(&ours(), &altered), Bearer::Valid(_)), "byte {at} of {token}");
        }
    }
}

#[test]
fn the_proxy_verifies_where_it_can() {
    let answers = |native: bool, token: &str| {
        let host = FakeHost::with(|state| state.native = Some(native));
        let bearer = read(&host, &ours(), &mut Tokens::default(), token, NOW);
        (matches!(bearer, Bearer::Valid(_)), host.0.borrow().foreign.len())
    };
    let es256 = es256(&json!({"alg": "ES256", "kid": "p"}), &claims());
    for token in [&*es256, VECTORS[0].token] {
        assert_eq!((answers(true, token), answers(false, token)), ((true, 1), (false, 1)));
    }
    // It knows no EdDSA.
    assert_eq!(answers(false, &eddsa(&header(), &claims())), (true, 0));
}

#[test]
fn the_proxy_gets_keys_and_signatures_in_der() {
    for vector in VECTORS {
        assert_eq!(encode(&der::rsa_key(&decode(vector.n).unwrap())), vector.spki);
    }
    let key = der::p256_key(p256().verifying_key());
    assert_eq!((key.len(), &key[..2]), (91, &[0x30, 0x59][..]));
    for text in ["a", "b", "c", "d", "e", "f"] {
        let signature: p256::ecdsa::Signature = p256().sign(text.as_bytes());
        let der = der::p256_signature(&signature);
        // Two integers, none negative, none with a needless zero.
        let r = usize::from(der[3]);
        let (first, second) = (&der[4..4 + r], &der[6 + r..]);
        assert_eq!((der[0], usize::from(der[1]), der[2], der[4 + r]), (0x30, der.len() - 2, 2, 2));
        assert_eq!(usize::from(der[5 + r]), second.len());
        for integer in [first, second] {
            assert!(integer[0] < 0x80 && (integer[0] != 0 || integer[1] >= 0x80), "{integer:?}");
        }
    }
    let host = FakeHost::with(|state| state.native = Some(true));
    read(&host, &ours(), &mut Tokens::default(), VECTORS[0].token, NOW);
    let (function, question) = host.0.borrow().foreign[0].clone();
    assert_eq!((&*function, &question[..8]), ("verify_signature", &b"\x0a\x06sha256"[..]));
}

#[test]
fn the_key_says_which_algorithm_it_is() {
    let none = format!("{}.{}.", encode(br#"{"alg":"none"}"#), encode(claims().to_string().as_bytes()));
    assert_eq!(ask(&ours(), &none), Bearer::Invalid);
    for header in [
        json!({"alg": "ES256", "kid": "e"}),
        json!({"alg": "HS256", "kid": "e"}),
        json!({"alg": "none", "kid": "e"}),
        json!({"alg": "eddsa", "kid": "e"}),
        json!({"kid": "e"}),
        json!({"alg": "EdDSA", "kid": "x"}),
        json!({"alg": "EdDSA", "kid": "p"}),
        json!({"alg": "EdDSA", "kid": 1}),
        json!({"alg": "EdDSA", "kid": "e", "crit": ["b64"], "b64": true}),
    ] {
        assert_eq!(ask(&ours(), &eddsa(&header, &claims())), Bearer::Invalid, "{header}");
    }
    subject(ask(&ours(), &eddsa(&json!({"alg": "EdDSA", "kid": "e", "typ": "at+jwt", "x5t": 1}), &claims())));
}

#[test]
fn a_header_without_key_id_means_the_only_key_of_its_algorithm() {
    let token = eddsa(&json!({"alg": "EdDSA"}), &claims());
    subject(ask(&ours(), &token));
    assert_eq!(ask(&config_with(json!([ed25519_jwk("e"), ed25519_jwk("f")])), &token), Bearer::Invalid);
}

#[test]
fn each_claim_that_must_fit_must_be_there_and_fit() {
    let with = |key: &str, value: Value| {
        let mut claims = claims();
        claims[key] = value;
        ask(&ours(), &eddsa(&header(), &claims))
    };
    for (key, value) in [
        ("aud", json!(null)),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("aud", json!([])),
        ("aud", json!({"edge": 1})),
        ("exp", json!(null)),
        ("exp", json!(NOW)),
        ("exp", json!(NOW - 1)),
        ("exp", json!((NOW + 60).to_string())),
        ("exp", json!(1.8e9)),
        ("exp", json!(-1)),
        ("nbf", json!(NOW + 31)),
        ("nbf", json!("0")),
        ("nbf", json!(0.5)),
        ("nbf", json!(null)),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("iat", json!("now")),
        ("roles", json!("a")),
        ("level", json!(4_294_967_296_u64)),
    ] {
        assert_eq!(with(key, value.clone()), Bearer::Invalid, "{key} {value}");
    }
    for (key, value) in [
        ("aud", json!(["x", "edge"])),
        ("nbf", json!(NOW + 30)),
        ("nbf", json!(0)),
        ("extra", json!({"a": [1.5, null]})),
    ] {
        assert!(matches!(with(key, value.clone()), Bearer::Valid(_)), "{key} {value}");
    }
    let mut without = claims();
    without.as_object_mut().unwrap().remove("aud");
    assert_eq!(ask(&ours(), &eddsa(&header(), &without)), Bearer::Invalid);
}

#[test]
fn what_no_known_issuer_made_is_foreign() {
    for issuer in [json!("https://issuer.test/"), json!(null), json!(["https://issuer.test"])] {
        let mut claims = claims();
        claims["iss"] = issuer;
        assert_eq!(ask(&ours(), &eddsa(&header(), &claims)), Bearer::Foreign);
    }
    let long = format!("{}.{}.{}", "a".repeat(6000), "b".repeat(6000), "c".repeat(6000));
    for token in ["", "abc", "a.b", "a.b.c", "..", "a.b.c.d", "e30.e30.", "e30=.e30.AA", "!.e30.AA", &long] {
        assert_eq!(ask(&ours(), token), Bearer::Foreign, "{token}");
    }
    assert_eq!(ask(&config(json!({})), &eddsa(&header(), &claims())), Bearer::Foreign);
}

#[test]
fn a_token_is_verified_once_and_expires_all_the_same() {
    let host = FakeHost::with(|state| state.native = Some(true));
    let (config, mut tokens) = (ours(), Tokens::default());
    let token = es256(&json!({"alg": "ES256", "kid": "p"}), &claims());
    let first = subject(read(&host, &config, &mut tokens, &token, NOW));
    let again = subject(read(&host, &config, &mut tokens, &token, NOW + 59));
    assert!(Rc::ptr_eq(&first, &again));
    assert_eq!(host.0.borrow().foreign.len(), 1);
    assert_eq!(read(&host, &config, &mut tokens, &token, NOW + 60), Bearer::Invalid);
    // What is invalid is not remembered as valid.
    host.0.borrow_mut().native = Some(false);
    let other = es256(&json!({"alg": "ES256", "kid": "p", "typ": "JWT"}), &claims());
    for _ in 0..2 {
        assert_eq!(read(&host, &config, &mut tokens, &other, NOW), Bearer::Invalid);
    }
    // Nor is a text that ends like a token that is known.
    let (signed, _) = other.rsplit_once('.').unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(read(&host, &config, &mut tokens, &format!("{signed}.{signature}"), NOW), Bearer::Invalid);
    assert!(Rc::ptr_eq(&first, &subject(read(&host, &config, &mut tokens, &token, NOW))));
}

#[test]
fn rsa_keys_are_odd_and_of_an_accepted_size() {
    let modulus = decode(VECTORS[0].n).unwrap();
    assert!(RsaKey::new(&modulus).is_some());
    assert!(RsaKey::new(&[&[0, 0], modulus.as_slice()].concat()).is_some());
    let mut even = modulus.clone();
    *even.last_mut().unwrap() &= 0xFE;
    for wrong in [&[][..], &[0; 256], &modulus[..255], &even, &[0xFF; 516]] {
        assert!(RsaKey::new(wrong).is_none());
    }
}

#[test]
fn rsa_signatures_have_the_size_of_the_key_and_are_below_it() {
    let vector = &VECTORS[0];
    let key = RsaKey::new(&decode(vector.n).unwrap()).unwrap();
    let (text, signature) = vector.token.rsplit_once('.').unwrap();
    let (text, signature) = (text.as_bytes(), decode(signature).unwrap());
    assert!(key.has_signed(text, &signature));
    for wrong in [
        Vec::new(),
        vec![0; 256],
        vec![0xFF; 256],
        key.modulus.clone(),
        signature[1..].to_vec(),
        [&[0], signature.as_slice()].concat(),
    ] {
        assert!(!key.has_signed(text, &wrong));
    }
    assert!(!key.has_signed(b"other", &signature));
    // The hash in the signature of another key.
    assert!(!RsaKey::new(&decode(VECTORS[1].n).unwrap()).unwrap().has_signed(text, &signature));
}
