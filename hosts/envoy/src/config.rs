//! The plugin configuration: a small JSON object. What is not understood refuses the whole configuration.
//!
//! In: the bytes of the `StringValue`. Out: `Config`, or which key is wrong. Values never appear in an error, one of
//! them is a token.

use portcullis_core::{PublicKey, TenantId};
use serde::Deserialize;

use crate::scalar::Scalar;

#[derive(Debug)]
pub struct Config {
    /// `tenant`, default `default`: 1..=63 bytes of `a-z`, `0-9` and `-`, first byte a letter.
    pub tenant: TenantId,
    /// `cluster`: Envoy's name for the management server.
    pub cluster: String,
    /// `authority`, default `portcullis`: host name in requests to the server.
    pub authority: String,
    /// `token`: what the filter shows to the server; its user needs the role `edge`.
    pub token: String,
    /// `public_key`: who must have signed a bundle; 32 bytes in base64.
    pub public_key: PublicKey,
    /// `path_mode`, default `strict`.
    pub path_mode: PathMode,
    /// `jwt_payload_key`, default `jwt_payload`: `payload_in_metadata` of Envoy's `jwt_authn`.
    pub jwt_payload_key: String,
    /// `claims`: which claim of the token holds which fact.
    pub claims: ClaimNames,
    /// `country_header`, none by default: where the operator's edge writes the country of the client.
    pub country_header: Option<String>,
    /// `continent_header`, none by default: the same for the continent.
    pub continent_header: Option<String>,
    /// `decision_state`, default false: write each decision to the filter state `wasm.portcullis.decision`.
    pub decision_state: bool,
}

/// What happens to a request whose path is not canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathMode {
    /// It is refused.
    Strict,
    /// The upstream sees the canonical path and the original query.
    Rewrite,
}

/// Names of claims; the default is the name of the fact, and for `issued_at` the registered claim `iat`. The subject's
/// id is always `sub`.
#[derive(Debug)]
pub struct ClaimNames {
    pub kind: String,
    pub roles: String,
    pub state: String,
    pub permission_groups: String,
    pub level: String,
    pub otp: String,
    pub issued_at: String,
    pub credential: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("configuration is not a JSON object with known keys: {detail}")]
    Json { detail: String },
    #[error("configuration lacks `{key}`")]
    Missing { key: &'static str },
    #[error("`{key}` must be {expected}")]
    Value { key: &'static str, expected: &'static str },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    tenant: Option<Scalar>,
    cluster: Option<Scalar>,
    authority: Option<Scalar>,
    token: Option<Scalar>,
    public_key: Option<Scalar>,
    path_mode: Option<Scalar>,
    jwt_payload_key: Option<Scalar>,
    claims: Option<WireClaims>,
    country_header: Option<Scalar>,
    continent_header: Option<Scalar>,
    decision_state: Option<Scalar>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireClaims {
    r#type: Option<Scalar>,
    roles: Option<Scalar>,
    state: Option<Scalar>,
    permission_groups: Option<Scalar>,
    level: Option<Scalar>,
    otp: Option<Scalar>,
    issued_at: Option<Scalar>,
    credential: Option<Scalar>,
}

impl Config {
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let wire: Wire =
            serde_json::from_slice(json).map_err(|error| ConfigError::Json { detail: error.to_string() })?;
        let Wire {
            tenant,
            cluster,
            authority,
            token,
            public_key,
            path_mode,
            jwt_payload_key,
            claims,
            country_header,
            continent_header,
            decision_state,
        } = wire;
        let public_key = required("public_key", text("public_key", public_key)?)?;
        Ok(Self {
            tenant: tenant_name(text("tenant", tenant)?)?,
            cluster: required("cluster", text("cluster", cluster)?)?,
            authority: text("authority", authority)?.unwrap_or_else(|| "portcullis".to_owned()),
            token: required("token", text("token", token)?)?,
            public_key: PublicKey::parse(&public_key).ok_or(ConfigError::Value {
                key: "public_key",
                expected: "an Ed25519 public key: 32 bytes in base64",
            })?,
            path_mode: parse_path_mode(text("path_mode", path_mode)?)?,
            jwt_payload_key: text("jwt_payload_key", jwt_payload_key)?.unwrap_or_else(|| "jwt_payload".to_owned()),
            claims: claim_names(claims.unwrap_or_default())?,
            country_header: header("country_header", country_header)?,
            continent_header: header("continent_header", continent_header)?,
            decision_state: flag("decision_state", decision_state)?,
        })
    }
}

fn claim_names(wire: WireClaims) -> Result<ClaimNames, ConfigError> {
    let WireClaims { r#type, roles, state, permission_groups, level, otp, issued_at, credential } = wire;
    let name = |key, value, default: &str| Ok(text(key, value)?.unwrap_or_else(|| default.to_owned()));
    Ok(ClaimNames {
        kind: name("claims.type", r#type, "type")?,
        roles: name("claims.roles", roles, "roles")?,
        state: name("claims.state", state, "state")?,
        permission_groups: name("claims.permission_groups", permission_groups, "permission_groups")?,
        level: name("claims.level", level, "level")?,
        otp: name("claims.otp", otp, "otp")?,
        issued_at: name("claims.issued_at", issued_at, "iat")?,
        credential: name("claims.credential", credential, "credential")?,
    })
}

/// Printable ASCII without spaces: it may become a header value or part of a property path.
fn text(key: &'static str, value: Option<Scalar>) -> Result<Option<String>, ConfigError> {
    match value {
        None => Ok(None),
        Some(Scalar::Text(text)) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(text))
        }
        Some(_) => Err(ConfigError::Value { key, expected: "a text of printable ASCII without spaces" }),
    }
}

/// In lower case, as the proxy has it.
fn header(key: &'static str, value: Option<Scalar>) -> Result<Option<String>, ConfigError> {
    match text(key, value)? {
        None => Ok(None),
        Some(name) if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) => {
            Ok(Some(name.to_ascii_lowercase()))
        }
        Some(_) => Err(ConfigError::Value { key, expected: "the name of a header: letters, digits, `-` and `_`" }),
    }
}

fn required(key: &'static str, value: Option<String>) -> Result<String, ConfigError> {
    value.ok_or(ConfigError::Missing { key })
}

fn flag(key: &'static str, value: Option<Scalar>) -> Result<bool, ConfigError> {
    match value {
        None => Ok(false),
        Some(Scalar::Flag(flag)) => Ok(flag),
        Some(_) => Err(ConfigError::Value { key, expected: "true or false" }),
    }
}

fn tenant_name(value: Option<String>) -> Result<TenantId, ConfigError> {
    const EXPECTED: &str = "1 to 63 of `a-z`, `0-9` and `-`, the first a letter";
    let name = value.as_deref().map_or_else(|| Ok(TenantId::default()), TenantId::parse);
    name.map_err(|_| ConfigError::Value { key: "tenant", expected: EXPECTED })
}

fn parse_path_mode(value: Option<String>) -> Result<PathMode, ConfigError> {
    match value.as_deref() {
        None | Some("strict") => Ok(PathMode::Strict),
        Some("rewrite") => Ok(PathMode::Rewrite),
        Some(_) => Err(ConfigError::Value { key: "path_mode", expected: "`strict` or `rewrite`" }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Config, ConfigError, PathMode};
    use crate::fake::public_key;

    fn minimal() -> Value {
        json!({"cluster": "server", "token": "ptc_secret", "public_key": public_key()})
    }

    fn with(key: &str, value: Value) -> Result<Config, ConfigError> {
        let mut config = minimal();
        config[key] = value;
        Config::parse(config.to_string().as_bytes())
    }

    #[test]
    fn fills_in_defaults() {
        let config = Config::parse(minimal().to_string().as_bytes()).unwrap();
        assert_eq!((config.tenant.as_str(), config.authority.as_str()), ("default", "portcullis"));
        assert_eq!((config.path_mode, config.jwt_payload_key.as_str()), (PathMode::Strict, "jwt_payload"));
        assert_eq!((config.claims.roles.as_str(), config.claims.otp.as_str()), ("roles", "otp"));
        assert_eq!((config.claims.kind.as_str(), config.claims.issued_at.as_str()), ("type", "iat"));
        assert_eq!((config.country_header, config.continent_header), (None, None));
        assert!(!config.decision_state);
    }

    #[test]
    fn names_of_headers_are_in_lower_case() {
        let config = with("country_header", json!("X-Client-Country")).unwrap();
        assert_eq!(config.country_header.as_deref(), Some("x-client-country"));
    }

    #[test]
    fn names_the_key_of_a_wrong_value() {
        for (key, value) in [
            ("tenant", json!("Default")),
            ("tenant", json!("a".repeat(64))),
            ("tenant", json!("")),
            ("cluster", json!(7)),
            ("authority", json!("a b")),
            ("token", json!("a\r\nb")),
            ("public_key", json!("AAAA")),
            ("public_key", json!(null)),
            ("path_mode", json!("lenient")),
            ("jwt_payload_key", json!("")),
            ("country_header", json!(":path")),
            ("country_header", json!("")),
            ("continent_header", json!("x continent")),
            ("continent_header", json!(["x-continent"])),
            ("decision_state", json!("yes")),
        ] {
            let error = with(key, value).unwrap_err();
            assert!(error.to_string().contains(key), "{key}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let error = with("claims", json!({"roles": 1})).unwrap_err();
        assert!(error.to_string().contains("claims.roles"), "{error}");
    }

    #[test]
    fn refuses_unknown_and_duplicate_keys() {
        assert!(with("fail_open", json!(true)).unwrap_err().to_string().contains("fail_open"));
        assert!(with("claims", json!({"sub": "id"})).unwrap_err().to_string().contains("sub"));
        let twice = br#"{"cluster": "a", "cluster": "b"}"#;
        assert!(Config::parse(twice).unwrap_err().to_string().contains("cluster"));
    }

    #[test]
    fn needs_a_cluster_a_token_and_a_key() {
        for key in ["cluster", "token", "public_key"] {
            let mut config = minimal();
            config.as_object_mut().unwrap().remove(key);
            assert_eq!(Config::parse(config.to_string().as_bytes()).unwrap_err(), ConfigError::Missing { key });
        }
        for json in ["", "[]", "null", "{", "\"{}\""] {
            assert!(Config::parse(json.as_bytes()).is_err(), "{json:?}");
        }
    }
}
