//! Access tokens: ours and those of others. Rows T1 to T5 of the lessons from peers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::*;
use crate::api_keys::sign;
use crate::token::{Algorithm, Invalid, Issuer, Key, KeySet, Keyring, Look, Rotation, SigningKey, verify};

const ISSUER: &str = "https://issuer.example";

fn claims(changes: Value) -> Map<String, Value> {
    let mut claims = json!({"iss": ISSUER, "aud": "portcullis", "sub": "bob", "exp": NOW.0 + 60, "nbf": NOW.0});
    let (Some(all), Value::Object(changes)) = (claims.as_object_mut(), changes) else { panic!("no objects") };
    for (name, value) in changes {
        match value {
            Value::String(text) if text == "-" => all.remove(&name),
            value => all.insert(name, value),
        };
    }
    all.clone()
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::from_pkcs8(algorithm, &algorithm.generate().unwrap()).unwrap()
}

fn issuer(keys: &[&SigningKey]) -> Issuer {
    let keys: Vec<_> = keys.iter().map(|key| key.public().clone()).collect();
    let keys = Key::parse_set(&json!({ "keys": keys }).to_string()).unwrap();
    Issuer { name: ISSUER.to_owned(), audience: "portcullis".to_owned(), keys }
}

fn is_valid(issuer: &Issuer, token: &str) -> bool {
    verify(std::slice::from_ref(issuer), token, NOW.0).is_ok()
}

#[test]
fn each_algorithm_signs_what_its_public_key_verifies() {
    let keys = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256].map(key);
    let issuer = issuer(&keys.each_ref());
    for key in &keys {
        let token = key.sign(&claims(json!({}))).unwrap();
        let verified = verify(std::slice::from_ref(&issuer), &token, NOW.0).unwrap();
        assert_eq!(verified, claims(json!({})), "{}", key.algorithm().name());
        let (rest, signature) = token.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        signature[0] ^= 1;
        assert!(!is_valid(&issuer, &format!("{rest}.{}", URL_SAFE_NO_PAD.encode(signature))));
    }
    assert!(SigningKey::from_pkcs8(Algorithm::EdDsa, &Algorithm::Es256.generate().unwrap()).is_err());
    assert_eq!(Algorithm::parse("HS256"), None);
}

#[test]
fn times_of_a_wrong_type_are_no_times() {
    let key = key(Algorithm::EdDsa);
    let issuer = issuer(&[&key]);
    let valid = |changes: Value| is_valid(&issuer, &key.sign(&claims(changes)).unwrap());
    assert!(valid(json!({})) && valid(json!({"nbf": "-"})) && valid(json!({"exp": (NOW.0 + 60) as f64})));
    for exp in [
        json!("9999999999"),
        json!(1.5e9 + 0.5),
        json!(-1),
        json!(1e300),
        json!(null),
        json!([]),
        json!(true),
        json!("-"),
    ] {
        assert!(!valid(json!({"exp": exp})), "exp {exp}");
    }
    for nbf in [json!("0"), json!(0.5), json!(-1), json!(1e300), json!(null), json!({}), json!(false)] {
        assert!(!valid(json!({"nbf": nbf})), "nbf {nbf}");
    }
    assert!(!valid(json!({"exp": NOW.0})) && !valid(json!({"nbf": NOW.0 + 1})));
}

#[test]
fn the_key_chooses_the_algorithm() {
    let [rsa, eddsa] = [Algorithm::Rs256, Algorithm::EdDsa].map(key);
    let issuer = issuer(&[&rsa, &eddsa]);
    let payload = URL_SAFE_NO_PAD.encode(Value::Object(claims(json!({}))).to_string());
    let forged = |header: Value, signature: &[u8]| {
        format!("{}.{payload}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(signature))
    };
    for alg in [json!("none"), json!("None"), json!(""), json!(null), json!("HS256"), json!("EdDSA"), json!("PS256")] {
        let header = json!({"alg": alg, "kid": rsa.id()});
        // As somebody who takes the public key for a shared secret.
        let text = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let mac = sign(rsa.public().to_string().as_bytes(), &text);
        for signature in [&b""[..], mac.as_bytes()] {
            assert!(!is_valid(&issuer, &forged(header.clone(), signature)), "{alg}");
        }
    }
    assert!(!is_valid(&issuer, &forged(json!({"kid": rsa.id()}), b"")));
    let token = eddsa.sign(&claims(json!({}))).unwrap();
    let rest = token.split_once('.').unwrap().1;
    let swapped = |header: Value| format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
    assert!(!is_valid(&issuer, &swapped(json!({"alg": "EdDSA"}))), "two keys, and no word which");
    assert!(!is_valid(&issuer, &swapped(json!({"alg": "EdDSA", "kid": rsa.id()}))));
    for text in ["", ".", "..", "a.b.c", &format!("{token}."), &format!("{token}.x"), &format!(" {token}")] {
        assert!(!is_valid(&issuer, text), "{text}");
    }
}

#[test]
fn issuer_and_audience_are_compared_to_the_byte() {
    let key = key(Algorithm::EdDsa);
    let issuer = issuer(&[&key]);
    let valid = |changes: Value| is_valid(&issuer, &key.sign(&claims(changes)).unwrap());
    for iss in [
        " https://issuer.example",
        "https://issuer.example\n",
        "https://issuer.example/",
        "HTTPS://issuer.example",
        "-",
    ] {
        assert!(!valid(json!({"iss": iss})), "{iss:?}");
    }
    for aud in [
        json!("portcullis "),
        json!("Portcullis"),
        json!(""),
        json!(null),
        json!([]),
        json!(["x"]),
        json!("-"),
        json!({"portcullis": 1}),
    ] {
        assert!(!valid(json!({"aud": aud})), "{aud}");
    }
    assert!(valid(json!({"aud": ["x", "portcullis"]})));
}

#[test]
fn no_key_means_no_valid_token() {
    let key = key(Algorithm::EdDsa);
    let token = key.sign(&claims(json!({}))).unwrap();
    let without = Issuer { keys: Vec::new(), ..issuer(&[&key]) };
    assert_eq!(verify(&[without], &token, NOW.0), Err(Invalid));
    assert_eq!(verify(&[], &token, NOW.0), Err(Invalid));
    for set in ["", "{}", r#"{"keys": []}"#, r#"{"keys": [{"kty": "oct", "k": "AA"}]}"#] {
        assert!(Key::parse_set(set).is_err() && Key::parse_usable(set).is_err(), "{set}");
    }
    let mixed = json!({"keys": [{"kty": "oct", "k": "AA"}, key.public()]}).to_string();
    assert!(Key::parse_set(&mixed).is_err());
    assert_eq!(Key::parse_usable(&mixed).unwrap().len(), 1);
}

#[test]
fn keys_of_others_are_fetched_seldom_and_never_made_up() {
    let key = key(Algorithm::EdDsa);
    let keys = issuer(&[&key]).keys;
    let id = Some(key.id());
    let mut set = KeySet::default();
    assert_eq!((set.look(id, NOW), set.keys(NOW).len()), (Look::Fetch, 0));
    set.fetched(None, NOW);
    assert_eq!((set.look(id, after(1)), set.keys(after(1)).len()), (Look::Unknown, 0), "it failed a moment ago");
    assert_eq!(set.look(id, after(60)), Look::Fetch);
    set.fetched(Some(keys), after(60));
    assert_eq!((set.look(id, after(61)), set.look(Some("x"), after(61))), (Look::Known, Look::Unknown));
    assert_eq!(set.look(Some("x"), after(120)), Look::Fetch, "once a minute, whoever asks");
    set.fetched(None, after(120));
    assert_eq!((set.look(id, after(121)), set.look(Some("x"), after(121))), (Look::Known, Look::Unknown));
    assert_eq!(set.look(id, after(700)), Look::Fetch, "from time to time");
    set.fetched(None, after(700));
    assert_eq!((set.look(id, after(701)), set.keys(after(701)).len()), (Look::Known, 1), "the old ones still count");
    assert_eq!(set.keys(after(60 + 24 * 3600)).len(), 0, "not for ever");
    set.fetched(None, after(90_000));
    assert_eq!(set.look(id, after(90_001)), Look::Unknown);
}

#[tokio::test]
async fn keys_are_made_on_the_first_start_and_change_with_an_overlap() {
    let world = World::new().await;
    let (directory, vault, random, root) = (&world.directory, &world.vault, &world.random, root());
    let ring = Keyring::load_or_create(directory, vault, Algorithm::EdDsa, (NOW, &root), random).await.unwrap();
    let again = Keyring::load_or_create(directory, vault, Algorithm::EdDsa, (NOW, &root), random).await.unwrap();
    assert_eq!(ring.published(), again.published());
    assert_eq!(ring.published()["keys"].as_array().unwrap().len(), 1);
    assert!(!ring.published().to_string().contains("\"d\""), "no private part");
    let old = ring.sign(&claims(json!({})), NOW).unwrap();

    let rotation = Rotation { announce_s: 100, token_lifetime_s: 1000 };
    let to = (Algorithm::Es256, rotation);
    let ring = Keyring::rotate(directory, vault, to, (NOW, &root), random).await.unwrap();
    assert_eq!(ring.published()["keys"].as_array().unwrap().len(), 2, "announced");
    let algorithm = |token: &str| {
        let header = URL_SAFE_NO_PAD.decode(token.split_once('.').unwrap().0).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["alg"].as_str().unwrap().to_owned()
    };
    let sign = |ring: &Keyring, at| ring.sign(&claims(json!({})), after(at)).unwrap();
    assert_eq!([algorithm(&sign(&ring, 99)), algorithm(&sign(&ring, 100))], ["EdDSA", "ES256"]);
    let issuer = ring.issuer(ISSUER, "portcullis").unwrap();
    assert!(is_valid(&issuer, &old) && is_valid(&issuer, &sign(&ring, 100)));
    let ring = Keyring::load(directory, vault, after(1099)).await.unwrap();
    assert_eq!(ring.published()["keys"].as_array().unwrap().len(), 2);
    let ring = Keyring::load(directory, vault, after(1100)).await.unwrap();
    assert!(!is_valid(&ring.issuer(ISSUER, "portcullis").unwrap(), &old), "the old key is gone");
    let other = Vault::parse(&KEYS.replace("k1:AQ", "k1:BQ")).unwrap();
    assert!(Keyring::load(directory, &other, NOW).await.is_err(), "another key of the server opens nothing");
}
