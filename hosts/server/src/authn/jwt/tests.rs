//! Which tokens are valid, and what they say.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::*;

const NOW: u64 = 1_700_000_000;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn ed25519() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap()
}

fn ed25519_jwk() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": encode(ed25519().public_key())})
}

fn issuers(keys: &[Value]) -> Issuers {
    let keys = Key::parse_set(&json!({"keys": keys}).to_string()).unwrap();
    let issuer = Issuer { name: "https://issuer".to_owned(), audience: "us".to_owned(), keys };
    Issuers { issuers: vec![issuer], claims: ClaimNames::default() }
}

/// Claims that are valid, with `changes` to them; null takes one away.
fn claims(changes: Value) -> Value {
    let mut claims = json!({"iss": "https://issuer", "aud": "us", "exp": NOW + 60, "sub": "u1"});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn sign(header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = ed25519().sign(signed.as_bytes());
    format!("{signed}.{}", encode(signature))
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "one"})
}

#[track_caller]
fn check(changes: Value, is_valid: bool) {
    let token = sign(&header(), &claims(changes.clone()));
    assert_eq!(issuers(&[ed25519_jwk()]).verify(&token, NOW).is_ok(), is_valid, "{changes}");
}

#[test]
fn a_token_says_who_it_is_about() {
    let facts = json!({"roles": ["a"], "state": "pending", "permission_groups": ["g"], "level": 3.0, "otp": true,
        "type": "service", "iat": NOW, "credential": "session", "other": null});
    let token = sign(&header(), &claims(facts));
    let (subject, credential) = issuers(&[ed25519_jwk()]).verify(&token, NOW).unwrap();
    let text = str::to_owned;
    let expected = Subject {
        id: text("u1"),
        kind: Some(text("service")),
        state: text("pending"),
        roles: vec![text("a")],
        permission_groups: vec![text("g")],
        level: Some(3),
        otp: true,
        issued_at: Some(NOW),
        properties: None,
    };
    assert_eq!((subject, credential), (expected, Credential::Session));
}

#[test]
fn issuer_audience_and_times_are_what_they_must_be() {
    check(json!({}), true);
    for audience in [json!(["x", "us"]), json!(["us"])] {
        check(json!({"aud": audience}), true);
    }
    for audience in [json!(null), json!("them"), json!("us "), json!([]), json!(["them"]), json!(7), json!({"us": 1})] {
        check(json!({"aud": audience}), false);
    }
    for issuer in [json!(null), json!("https://issuer/"), json!(" https://issuer"), json!(["https://issuer"])] {
        check(json!({"iss": issuer}), false);
    }
    for expires in [json!(null), json!(NOW), json!(NOW - 1), json!("4102444800"), json!(-1), json!(1e300), json!(true)]
    {
        check(json!({"exp": expires}), false);
    }
    check(json!({"exp": NOW + 1}), true);
    for begins in [json!(NOW), json!(0)] {
        check(json!({"nbf": begins}), true);
    }
    for begins in [json!(NOW + 1), json!("0"), json!(0.5), json!([0])] {
        check(json!({"nbf": begins}), false);
    }
}

#[test]
fn a_claim_of_another_type_makes_the_token_invalid() {
    for changes in [
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"roles": "admin"}),
        json!({"roles": ["a", 1]}),
        json!({"roles": (0..257).map(|at| at.to_string()).collect::<Vec<_>>()}),
        json!({"state": ""}),
        json!({"level": -1}),
        json!({"level": 4_294_967_296_u64}),
        json!({"otp": "true"}),
        json!({"iat": "1700000000"}),
        json!({"credential": "password"}),
    ] {
        check(changes, false);
    }
    // A null cannot be told by `check`, which takes it for "not there".
    let mut with_null = claims(json!({}));
    with_null["roles"] = Value::Null;
    assert!(issuers(&[ed25519_jwk()]).verify(&sign(&header(), &with_null), NOW).is_err());
}

#[test]
fn the_key_says_which_algorithm() {
    let issuers = issuers(&[ed25519_jwk()]);
    let valid = claims(json!({}));
    assert!(issuers.verify(&sign(&json!({"alg": "EdDSA"}), &valid), NOW).is_ok(), "there is no choice");
    for header in [
        json!({"alg": "none", "kid": "one"}),
        json!({"alg": "None", "kid": "one"}),
        json!({"alg": "HS256", "kid": "one"}),
        json!({"alg": "eddsa", "kid": "one"}),
        json!({"kid": "one"}),
        json!({"alg": "EdDSA", "kid": "two"}),
        json!({"alg": "EdDSA", "kid": "one", "crit": ["exp"]}),
    ] {
        assert!(issuers.verify(&sign(&header, &valid), NOW).is_err(), "{header}");
    }
    let token = sign(&header(), &valid);
    let [head, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let other = encode(claims(json!({"sub": "admin"})).to_string());
    for forged in [
        format!("{head}.{other}.{signature}"),
        format!("{head}.{payload}."),
        format!("{head}.{payload}"),
        format!("{token}.x"),
        format!("{token}="),
        String::new(),
    ] {
        assert!(issuers.verify(&forged, NOW).is_err(), "{forged}");
    }
    assert!(Issuers::default().verify(&token, NOW).is_err(), "no key means that no token is valid");
}

#[test]
fn es256_is_verified_by_its_key_alone() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let jwk = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "ec", "use": "sig",
        "x": encode(&point[1..33]), "y": encode(&point[33..])});
    let header = encode(json!({"alg": "ES256", "kid": "ec"}).to_string());
    let signed = format!("{header}.{}", encode(claims(json!({})).to_string()));
    let signature = pair.sign(&random, signed.as_bytes()).unwrap();
    let token = format!("{signed}.{}", encode(signature));
    assert!(issuers(&[ed25519_jwk(), jwk.clone()]).verify(&token, NOW).is_ok());
    assert!(issuers(&[ed25519_jwk()]).verify(&token, NOW).is_err());
    let flipped = token.replace(&signed[..8], &header[..8]).replacen('.', "..", 1);
    assert!(issuers(&[jwk]).verify(&flipped, NOW).is_err());
}

/// Example of RFC 7515 section A.2, whose claims have no audience: the signature itself is what is tested.
#[test]
fn rs256_of_the_rfc_is_verified() {
    let jwk = json!({"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"});
    let key = Key::parse_set(&json!({"keys": [jwk]}).to_string()).unwrap().remove(0);
    let signed = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(key.verify(signed.as_bytes(), &signature), Ok(()));
    assert_eq!(key.verify(b"other", &signature), Err(Invalid));
}

#[test]
fn a_key_that_cannot_be_used_is_an_error() {
    let parse = |keys: Value| Key::parse_set(&json!({"keys": keys}).to_string());
    assert_eq!(parse(json!([])), Err(KeyError::Empty));
    assert!(matches!(Key::parse_set("{}"), Err(KeyError::Json(_))));
    let with = |name: &str, value: Value| {
        let mut jwk = ed25519_jwk();
        jwk[name] = value;
        jwk
    };
    for jwk in [
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        with("crv", json!("X25519")),
        with("alg", json!("HS256")),
        with("use", json!("enc")),
        with("x", json!("c2hvcnQ")),
        json!({"kty": "RSA", "n": encode([1; 128]), "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-384", "x": "", "y": ""}),
    ] {
        assert_eq!(parse(json!([ed25519_jwk(), jwk])), Err(KeyError::Unsupported { at: 1 }), "{jwk}");
    }
}
