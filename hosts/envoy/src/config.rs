//! The plugin configuration: a small JSON object. What is not understood refuses the whole configuration.
//!
//! In: the bytes of the `StringValue`. Out: `Config`, or which key is wrong. Values never appear in an error, one of
//! them is a token. docs/schema/envoy-filter.json says the same for editors.

mod facts;
mod identity;
mod keys;

use std::time::Duration;

use portcullis_core::{PublicKey, TenantId};

pub use facts::{Place, Places, UpstreamHeaders};
pub use identity::{ClaimNames, Gateway, Issuer, Service};

use crate::json::{Json, JsonError};
use keys::Keys;

#[derive(Debug)]
pub struct Config {
    /// `tenant` and `token`, then those of `tenants[]`, which routes may choose. Never empty.
    pub tenants: Vec<Tenancy>,
    /// `cluster`: Envoy's name for the management server.
    pub cluster: String,
    /// `authority`, default `portcullis`: host name in requests to the server.
    pub authority: String,
    /// `public_key`: who must have signed bundles and revocations; 32 bytes in base64.
    pub public_key: PublicKey,
    /// `max_stale`, seconds, 2..=4294967295: how long a policy is good after the server last confirmed it.
    pub max_stale: Duration,
    /// `revocations`, default true: a policy is good only together with the revocations. False is for a server that
    /// has none, such as a CDN.
    pub revocations: bool,
    /// `shadow`, default false: evaluate the candidate policy too.
    pub shadow: bool,
    /// `path_mode`, default `strict`.
    pub path_mode: PathMode,
    /// `jwt_payload_key`: `payload_in_metadata` of Envoy's `jwt_authn`. Default `jwt_payload`, and none with `issuers`.
    pub jwt_payload_key: Option<String>,
    /// `claims`: which claim of the token holds which fact.
    pub claims: ClaimNames,
    /// `issuers`, none by default.
    pub issuers: Vec<Issuer>,
    /// `services`, none by default.
    pub services: Vec<Service>,
    /// `gateway`, none by default.
    pub gateway: Option<Gateway>,
    /// `trusted_hops`, none by default: the client is before so many entries at the right of `x-forwarded-for`.
    pub trusted_hops: Option<usize>,
    pub places: Places,
    pub upstream_headers: UpstreamHeaders,
    /// `revision_header`, default false: responses have `x-portcullis-revision`.
    pub revision_header: bool,
    /// `decision_state`, default false: write each decision to the filter state `wasm.portcullis.decision`.
    pub decision_state: bool,
    /// `allow_on_headers_stop_iteration`, default false: what Envoy's configuration of the plugin says under that name.
    /// Bodies can be checked only where it is true: else Envoy shows none before the headers went on.
    pub sees_bodies: bool,
    /// `max_body_bytes`, 1..=16777216, default 1048576: of a body that must be checked.
    pub max_body_bytes: usize,
    /// `decision_logs`, none by default.
    pub decision_logs: Option<DecisionLogs>,
}

/// A tenant and what the filter shows to the server for it.
#[derive(Debug)]
pub struct Tenancy {
    /// Default `default`: 1..=63 bytes of `a-z`, `0-9` and `-`, first byte a letter.
    pub tenant: TenantId,
    /// Of an edge.
    pub token: String,
}

/// What happens to a request whose path is not canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathMode {
    /// It is refused.
    Strict,
    /// The upstream sees the canonical path and the original query.
    Rewrite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionLogs {
    /// `mode`, default `best_effort`.
    pub mode: LogMode,
    /// `buffer`, default 10000, 1..=100000: most records that wait in a worker.
    pub buffer: usize,
}

/// What happens when the buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogMode {
    /// The record is dropped and counted.
    BestEffort,
    /// The request is refused.
    Required,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("configuration is {0}")]
    Json(#[from] JsonError),
    #[error("configuration has the unknown key `{key}`")]
    Unknown { key: String },
    #[error("configuration lacks `{key}`")]
    Missing { key: String },
    #[error("`{key}` must be {expected}")]
    Value { key: String, expected: &'static str },
}

impl Config {
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let json = Json::parse(json)?;
        let mut keys = Keys::of(String::new(), &json)?;
        let issuers = identity::issuers(&mut keys)?;
        let max_stale = keys.integer("max_stale", 2..=4_294_967_295, "an integer from 2 to 4294967295, seconds")?;
        let config = Self {
            tenants: tenants(&mut keys)?,
            cluster: keys.required_text("cluster")?,
            authority: keys.text("authority")?.unwrap_or_else(|| "portcullis".to_owned()),
            public_key: public_key(&mut keys)?,
            max_stale: Duration::from_secs(keys.required("max_stale", max_stale)?),
            revocations: keys.flag("revocations", true)?,
            shadow: keys.flag("shadow", false)?,
            path_mode: path_mode(&mut keys)?,
            jwt_payload_key: keys
                .text("jwt_payload_key")?
                .or_else(|| issuers.is_empty().then(|| "jwt_payload".to_owned())),
            claims: identity::claim_names(&mut keys)?,
            issuers,
            services: identity::services(&mut keys)?,
            gateway: identity::gateway(&mut keys)?,
            trusted_hops: keys
                .integer("trusted_hops", 0..=100, "an integer from 0 to 100")?
                .and_then(|hops| usize::try_from(hops).ok()),
            places: facts::places(&mut keys)?,
            upstream_headers: facts::upstream_headers(&mut keys)?,
            revision_header: keys.flag("revision_header", false)?,
            decision_state: keys.flag("decision_state", false)?,
            sees_bodies: keys.flag("allow_on_headers_stop_iteration", false)?,
            max_body_bytes: keys
                .integer("max_body_bytes", 1..=16 << 20, "an integer from 1 to 16777216")?
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or(1 << 20),
            decision_logs: decision_logs(&mut keys)?,
        };
        keys.finish()?;
        Ok(config)
    }
}

/// The main tenant first. No tenant twice.
fn tenants(keys: &mut Keys<'_>) -> Result<Vec<Tenancy>, ConfigError> {
    let mut tenants = vec![Tenancy { tenant: tenant(keys)?.unwrap_or_default(), token: keys.required_text("token")? }];
    for mut other in keys.objects("tenants")? {
        let name = tenant(&mut other)?;
        let name = other.required("tenant", name)?;
        if tenants.iter().any(|known| known.tenant == name) {
            return Err(other.error("tenant", "a tenant that is not named before"));
        }
        tenants.push(Tenancy { tenant: name, token: other.required_text("token")? });
        other.finish()?;
    }
    Ok(tenants)
}

fn tenant(keys: &mut Keys<'_>) -> Result<Option<TenantId>, ConfigError> {
    const EXPECTED: &str = "1 to 63 of `a-z`, `0-9` and `-`, the first a letter";
    keys.read("tenant", EXPECTED, |json| TenantId::parse(json.text()?).ok())
}

fn public_key(keys: &mut Keys<'_>) -> Result<PublicKey, ConfigError> {
    const EXPECTED: &str = "an Ed25519 public key: 32 bytes in base64";
    let key = keys.read("public_key", EXPECTED, |json| PublicKey::parse(json.text()?))?;
    keys.required("public_key", key)
}

fn path_mode(keys: &mut Keys<'_>) -> Result<PathMode, ConfigError> {
    let mode = keys.read("path_mode", "`strict` or `rewrite`", |json| match json.text()? {
        "strict" => Some(PathMode::Strict),
        "rewrite" => Some(PathMode::Rewrite),
        _ => None,
    })?;
    Ok(mode.unwrap_or(PathMode::Strict))
}

fn decision_logs(keys: &mut Keys<'_>) -> Result<Option<DecisionLogs>, ConfigError> {
    let Some(mut keys) = keys.object("decision_logs")? else { return Ok(None) };
    let mode = keys.read("mode", "`best_effort` or `required`", |json| match json.text()? {
        "best_effort" => Some(LogMode::BestEffort),
        "required" => Some(LogMode::Required),
        _ => None,
    })?;
    let buffer = keys.integer("buffer", 1..=100_000, "an integer from 1 to 100000")?.unwrap_or(10_000);
    keys.finish()?;
    let buffer = usize::try_from(buffer).unwrap_or(usize::MAX);
    Ok(Some(DecisionLogs { mode: mode.unwrap_or(LogMode::BestEffort), buffer }))
}

#[cfg(test)]
mod tests;
