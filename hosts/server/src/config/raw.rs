//! Settings as typed, and the step from these to checked ones.

use std::path::{Path, PathBuf};

use portcullis_directory::Location;
use serde::{Deserialize, Serialize};

use crate::authn::jwt::{ClaimNames, Issuers};
use crate::config::error::ConfigError;
use crate::config::identity::RawIdentity;
use crate::config::number::Number;
use crate::config::padlock::RawPadlock;
use crate::config::proxies::{self, Addresses, RawIssuer};
use crate::config::{Config, barong};
use crate::dialects::barong::Settings as Barong;
use crate::pep::Proxies;
use crate::retention::Retention;

/// As typed.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    listen: String,
    data_dir: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object_store: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_lifetime_s: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision_log_age_s: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision_log_records: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trusted_proxies: Option<Addresses>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    country_header: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    continent_header: Option<String>,
    #[serde(default, skip_serializing)]
    issuers: Vec<RawIssuer>,
    #[serde(default, skip_serializing)]
    claims: ClaimNames,
    #[serde(default, skip_serializing)]
    identity: RawIdentity,
    #[serde(default, skip_serializing)]
    padlock: RawPadlock,
    #[serde(default, skip_serializing)]
    barong: Barong,
}

const TOKEN_LIFETIME_S: u64 = 86_400;

// === impl Raw ===

impl Default for Raw {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            data_dir: PathBuf::from("./portcullis-data"),
            database: None,
            object_store: None,
            token_lifetime_s: None,
            decision_log_age_s: None,
            decision_log_records: None,
            trusted_proxies: None,
            country_header: None,
            continent_header: None,
            issuers: Vec::new(),
            claims: ClaimNames::default(),
            identity: RawIdentity::default(),
            padlock: RawPadlock::default(),
            barong: Barong::default(),
        }
    }
}

impl Raw {
    pub fn check(self) -> Result<Config, ConfigError> {
        let Self {
            listen,
            data_dir,
            database,
            object_store,
            token_lifetime_s,
            decision_log_age_s,
            decision_log_records,
            trusted_proxies,
            country_header,
            continent_header,
            issuers,
            claims,
            identity,
            padlock,
            barong,
        } = self;
        if data_dir.as_os_str().is_empty() {
            return Err(ConfigError::DataDir);
        }
        let database = match database {
            Some(url) => location(url).ok_or(ConfigError::Database)?,
            None => Location::File(data_dir.join("portcullis.db")),
        };
        let listen = listen.parse().map_err(|_| ConfigError::Listen(listen))?;
        let issuers = issuers.into_iter().map(RawIssuer::read).collect::<Result<_, _>>()?;
        let proxies = Proxies {
            trusted: trusted_proxies.map(Addresses::parse).transpose()?.unwrap_or_default(),
            country_header: proxies::header("country_header", country_header)?,
            continent_header: proxies::header("continent_header", continent_header)?,
            issuers: Issuers { issuers, claims },
        };
        let token_lifetime_s = token_lifetime_s.map_or(TOKEN_LIFETIME_S, u64::from);
        let retention = Retention::default();
        let retention = Retention {
            age_s: decision_log_age_s.map_or(retention.age_s, u64::from),
            records: decision_log_records.map_or(retention.records, u64::from),
        };
        let (identity, padlock) = (identity.check(&data_dir, token_lifetime_s)?, padlock.check()?);
        let barong = barong::checked(barong, token_lifetime_s)?;
        Ok(Config {
            listen,
            data_dir,
            database,
            object_store,
            token_lifetime_s,
            proxies,
            retention,
            identity,
            padlock,
            barong,
        })
    }
}

fn location(url: String) -> Option<Location> {
    match url.starts_with("postgres://") || url.starts_with("postgresql://") {
        true => Some(Location::Postgres(url)),
        false => sqlite_file(&url).map(Location::File),
    }
}

/// `sqlite://PATH`: the path as it is, relative or absolute. A query is refused, the server sets its own options.
fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://")?;
    let is_plain = !path.is_empty() && !path.ends_with('/') && !path.contains('?') && !path.starts_with(':');
    is_plain.then(|| Path::new(path).to_owned())
}
