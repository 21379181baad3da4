//! Settings as typed, and the step from these to checked ones.

use std::path::{Path, PathBuf};

use portcullis_directory::Location;
use serde::{Deserialize, Serialize};

use crate::authn::jwt::{ClaimNames, Issuers};
use crate::config::error::Problem;
use crate::config::identity::RawIdentity;
use crate::config::observe::RawObserve;
use crate::config::padlock::RawPadlock;
use crate::config::proxies::{self, Addresses, RawIssuer};
use crate::config::{Config, barong};
use crate::dialects::barong::Settings as Barong;
use crate::pep::Proxies;
use crate::retention::Retention;

/// As typed. Whatever has a default has it here, so that this is also the list of all keys.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    listen: String,
    data_dir: PathBuf,
    database: Option<String>,
    object_store: Option<String>,
    token_lifetime_s: u64,
    decision_log_age_s: u64,
    decision_log_records: u64,
    log: String,
    log_format: String,
    otlp_endpoint: Option<String>,
    otlp_service_name: String,
    trusted_proxies: Addresses,
    country_header: Option<String>,
    continent_header: Option<String>,
    issuers: Vec<RawIssuer>,
    claims: ClaimNames,
    identity: RawIdentity,
    padlock: RawPadlock,
    barong: Barong,
}

// === impl Raw ===

impl Default for Raw {
    fn default() -> Self {
        let retention = Retention::default();
        let RawObserve { log, log_format, otlp_endpoint, otlp_service_name } = RawObserve::default();
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            data_dir: PathBuf::from("./portcullis-data"),
            database: None,
            object_store: None,
            token_lifetime_s: 86_400,
            decision_log_age_s: retention.age_s,
            decision_log_records: retention.records,
            log,
            log_format,
            otlp_endpoint,
            otlp_service_name,
            trusted_proxies: Addresses::List(Vec::new()),
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
    /// With what follows from other settings.
    pub fn completed(mut self) -> Self {
        self.database.get_or_insert_with(|| format!("sqlite://{}", self.data_dir.join("portcullis.db").display()));
        self.identity.complete(&self.data_dir);
        self.barong = barong::capped(self.barong, self.token_lifetime_s);
        self
    }

    pub fn check(self) -> Result<Config, Problem> {
        let Self {
            listen,
            data_dir,
            database,
            object_store,
            token_lifetime_s,
            decision_log_age_s,
            decision_log_records,
            log,
            log_format,
            otlp_endpoint,
            otlp_service_name,
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
            return Err(Problem::unusable("data_dir", "is empty"));
        }
        let database = match database {
            Some(url) => location(url)?,
            None => Location::File(data_dir.join("portcullis.db")),
        };
        let listen = listen.parse().map_err(|_| {
            let why = format!("is `{listen}`, which is not an address with a port like `127.0.0.1:8080`");
            Problem::unusable("listen", why)
        })?;
        let issuers = issuers.into_iter().map(RawIssuer::read).collect::<Result<_, _>>()?;
        let proxies = Proxies {
            trusted: trusted_proxies.parse()?,
            country_header: proxies::header("country_header", country_header)?,
            continent_header: proxies::header("continent_header", continent_header)?,
            issuers: Issuers { issuers, claims },
        };
        Ok(Config {
            listen,
            database,
            object_store,
            token_lifetime_s,
            proxies,
            retention: Retention { age_s: decision_log_age_s, records: decision_log_records },
            observe: RawObserve { log, log_format, otlp_endpoint, otlp_service_name }.check()?,
            identity: identity.check(&data_dir, token_lifetime_s)?,
            padlock: padlock.check()?,
            barong: barong::checked(barong::capped(barong, token_lifetime_s))?,
            data_dir,
        })
    }
}

fn location(url: String) -> Result<Location, Problem> {
    let location = match url.starts_with("postgres://") || url.starts_with("postgresql://") {
        true => Some(Location::Postgres(url)),
        false => sqlite_file(&url).map(Location::File),
    };
    // The URL may have a password, so it is not repeated.
    let why = "is a URL that this version does not support; it supports `sqlite://PATH` and `postgres://...`";
    location.ok_or_else(|| Problem::unusable("database", why))
}

/// `sqlite://PATH`: the path as it is, relative or absolute. A query is refused, the server sets its own options.
fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://")?;
    let is_plain = !path.is_empty() && !path.ends_with('/') && !path.contains('?') && !path.starts_with(':');
    is_plain.then(|| Path::new(path).to_owned())
}
