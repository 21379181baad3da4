use std::time::Duration;

use serde_json::{Value, json};

use super::{Config, ConfigError, LogMode, PathMode, Place};
use crate::fake::{config, config_json};

fn with(key: &str, value: Value) -> Result<Config, ConfigError> {
    let mut keys = json!({});
    keys[key] = value;
    Config::parse(config_json(keys).as_bytes())
}

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn issuer(key: Value) -> Value {
    json!([{"issuer": "https://i", "audience": "a", "keys": [key]}])
}

#[test]
fn fills_in_defaults() {
    let config = config(json!({}));
    let [main] = config.tenants.as_slice() else { panic!("{:?}", config.tenants) };
    assert_eq!((main.tenant.as_str(), &*main.token, &*config.authority), ("default", "ptc_secret", "portcullis"));
    assert_eq!((config.path_mode, config.jwt_payload_key.as_deref()), (PathMode::Strict, Some("jwt_payload")));
    assert_eq!((config.claims.roles.as_str(), config.claims.otp.as_str()), ("roles", "otp"));
    assert_eq!((config.claims.kind.as_str(), config.claims.issued_at.as_str()), ("type", "iat"));
    assert_eq!((config.places.country, config.places.continent), (None, None));
    assert_eq!((config.max_stale, config.trusted_hops), (Duration::from_secs(60), None));
    assert!(config.issuers.is_empty() && config.services.is_empty() && config.gateway.is_none());
    assert!(config.revocations && config.decision_logs.is_none());
    assert!(!config.decision_state && !config.shadow && !config.revision_header);
    assert_eq!(config.upstream_headers.names().collect::<Vec<_>>(), ["x-portcullis-subject", "x-portcullis-roles"]);
}

#[test]
fn reads_every_group_of_keys() {
    let config = config(json!({
        "tenants": [{"tenant": "acme", "token": "t"}],
        "country_header": "X-Client-Country",
        "geoip": {"filter": "geo", "continent": "ct"},
        "trusted_hops": 2,
        "gateway": {"cookie": "_session", "timeout_ms": 500},
        "services": [{"san": "spiffe://a/b", "id": "svc", "roles": ["r"], "permission_groups": ["g"]}],
        "decision_logs": {"mode": "required", "buffer": 7},
        "issuers": issuer(json!({"kty": "OKP", "crv": "Ed25519", "x": X, "alg": "EdDSA", "use": "sig", "kid": "k 1"})),
    }));
    assert_eq!((config.tenants[1].tenant.as_str(), &*config.tenants[1].token), ("acme", "t"));
    assert_eq!(config.places.country, Some(Place::Header("x-client-country".to_owned())));
    let continent = Place::Metadata { filter: "geo".to_owned(), key: "ct".to_owned() };
    assert_eq!((config.places.continent, config.trusted_hops), (Some(continent), Some(2)));
    let gateway = config.gateway.unwrap();
    assert_eq!((gateway.cookie.as_deref(), gateway.timeout_ms), (Some("_session"), 500));
    assert_eq!((&*config.services[0].san, &*config.services[0].id), ("spiffe://a/b", "svc"));
    let logs = config.decision_logs.unwrap();
    assert_eq!((logs.mode, logs.buffer), (LogMode::Required, 7));
    assert_eq!(config.issuers[0].keys[0].kid.as_deref(), Some("k 1"));
    assert_eq!(config.jwt_payload_key, None, "who verifies tokens here reads no other claims unless told");
}

#[test]
fn names_the_key_of_a_wrong_value() {
    let key = issuer;
    for (key, value, named) in [
        ("tenant", json!("Default"), "tenant"),
        ("tenant", json!("a".repeat(64)), "tenant"),
        ("tenant", json!(""), "tenant"),
        ("tenants", json!({}), "tenants"),
        ("tenants", json!(["acme"]), "tenants[0]"),
        ("tenants", json!([{"tenant": "acme"}]), "tenants[0].token"),
        ("tenants", json!([{"tenant": "default", "token": "t"}]), "tenants[0].tenant"),
        ("tenants", json!([{"token": "t"}]), "tenants[0].tenant"),
        ("tenants", json!([{"tenant": "acme", "token": "t", "x": 1}]), "tenants[0].x"),
        ("cluster", json!(7), "cluster"),
        ("authority", json!("a b"), "authority"),
        ("token", json!("a\r\nb"), "token"),
        ("public_key", json!("AAAA"), "public_key"),
        ("public_key", json!(null), "public_key"),
        ("max_stale", json!(1), "max_stale"),
        ("max_stale", json!(4_294_967_296_u64), "max_stale"),
        ("max_stale", json!("60"), "max_stale"),
        ("max_stale", json!(60.5), "max_stale"),
        ("revocations", json!("no"), "revocations"),
        ("shadow", json!(1), "shadow"),
        ("path_mode", json!("lenient"), "path_mode"),
        ("jwt_payload_key", json!(""), "jwt_payload_key"),
        ("country_header", json!(":path"), "country_header"),
        ("country_header", json!(""), "country_header"),
        ("continent_header", json!("x continent"), "continent_header"),
        ("continent_header", json!(["x-continent"]), "continent_header"),
        ("geoip", json!({"region": "r"}), "geoip.region"),
        ("geoip", json!("geo"), "geoip"),
        ("trusted_hops", json!(-1), "trusted_hops"),
        ("trusted_hops", json!(101), "trusted_hops"),
        ("decision_state", json!("yes"), "decision_state"),
        ("decision_logs", json!(true), "decision_logs"),
        ("decision_logs", json!({"mode": "maybe"}), "decision_logs.mode"),
        ("decision_logs", json!({"buffer": 0}), "decision_logs.buffer"),
        ("upstream_headers", json!({"subject": "x user"}), "upstream_headers.subject"),
        ("upstream_headers", json!({"email": "x-email"}), "upstream_headers.email"),
        ("upstream_headers", json!({"subject": "x_a", "roles": "X-A"}), "upstream_headers"),
        ("gateway", json!({"cookie": "a b"}), "gateway.cookie"),
        ("gateway", json!({"cookie": ""}), "gateway.cookie"),
        ("gateway", json!({"timeout_ms": 0}), "gateway.timeout_ms"),
        ("services", json!([{"id": "svc"}]), "services[0].san"),
        ("services", json!([{"san": "s", "id": "svc", "roles": "r"}]), "services[0].roles"),
        ("services", json!([{"san": "s", "id": "svc", "role": []}]), "services[0].role"),
        ("claims", json!({"roles": 1}), "claims.roles"),
        ("claims", json!({"sub": "id"}), "claims.sub"),
        ("issuers", json!([{"audience": "a", "keys": []}]), "issuers[0].issuer"),
        ("issuers", json!([{"issuer": "i", "keys": []}]), "issuers[0].audience"),
        ("issuers", json!([{"issuer": "i", "audience": "a", "keys": []}]), "issuers[0].keys"),
        ("issuers", json!([{"issuer": "i", "audience": "a"}]), "issuers[0].keys"),
        ("issuers", key(json!({})), "issuers[0].keys[0].kty"),
        ("issuers", key(json!({"kty": "oct", "k": "c2VjcmV0"})), "issuers[0].keys[0].kty"),
        ("issuers", key(json!({"kty": "OKP", "crv": "X25519", "x": X})), "issuers[0].keys[0].crv"),
        ("issuers", key(json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"})), "issuers[0].keys[0].x"),
        ("issuers", key(json!({"kty": "OKP", "crv": "Ed25519", "x": X, "alg": "ES256"})), "issuers[0].keys[0].alg"),
        ("issuers", key(json!({"kty": "OKP", "crv": "Ed25519", "x": X, "use": "enc"})), "issuers[0].keys[0].use"),
        ("issuers", key(json!({"kty": "OKP", "crv": "Ed25519", "x": X, "kid": 1})), "issuers[0].keys[0].kid"),
        ("issuers", key(json!({"kty": "EC", "crv": "P-384"})), "issuers[0].keys[0].crv"),
        ("issuers", key(json!({"kty": "EC", "crv": "P-256", "x": X, "y": X})), "issuers[0].keys[0].x"),
        ("issuers", key(json!({"kty": "RSA", "e": "Aw", "n": "AQ"})), "issuers[0].keys[0].e"),
        ("issuers", key(json!({"kty": "RSA", "e": "AQAB", "n": "AQ"})), "issuers[0].keys[0].n"),
    ] {
        let error = with(key, value.clone()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(&format!("`{named}`")), "{key} {value}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn a_place_has_one_source() {
    let both = json!({"country_header": "x-country", "geoip": {"country": "cc"}});
    let error = Config::parse(config_json(both).as_bytes()).unwrap_err();
    assert!(error.to_string().contains("`geoip.country`"), "{error}");
}

#[test]
fn refuses_unknown_and_duplicate_keys() {
    assert!(with("fail_open", json!(true)).unwrap_err().to_string().contains("`fail_open`"));
    let twice = br#"{"cluster": "a", "cluster": "b"}"#;
    assert!(matches!(Config::parse(twice), Err(ConfigError::Json(_))));
}

#[test]
fn needs_a_cluster_a_token_a_key_and_an_age() {
    for key in ["cluster", "token", "public_key", "max_stale"] {
        let error = with(key, json!(null)).unwrap_err();
        assert_eq!(error, ConfigError::Missing { key: key.to_owned() });
    }
    for json in ["", "[]", "null", "{", "\"{}\""] {
        assert!(Config::parse(json.as_bytes()).is_err(), "{json:?}");
    }
}

#[test]
fn the_schema_for_editors_knows_the_same_keys() {
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/schema/envoy-filter.json")).unwrap();
    let known: Vec<_> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    for key in known.iter().copied().filter(|key| !["cluster", "token", "public_key", "max_stale"].contains(key)) {
        // Each key is one that is read: a wrong value is refused by that name.
        let error = with(key, json!({"\u{0}": 1})).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}")) && !error.contains("unknown key `{key}`"), "{key}: {error}");
    }
    assert_eq!(schema["required"], json!(["cluster", "token", "public_key", "max_stale"]));
    assert_eq!(schema["additionalProperties"], json!(false));
}
