//! Settings of `portcullis serve`: defaults < TOML file < `PORTCULLIS_*` < flags, as typed -> `Raw` -> `Config`, checked.

mod raw;

mod barong;
mod identity;
mod observe;
mod padlock;
mod proxies;

mod environment;
mod error;
mod origin;
mod print;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use figment::value::Value;
use portcullis_directory::Location;
use serde::Serialize;

use crate::config::environment::Environment;
use crate::config::error::Problem;
use crate::config::origin::{ENVIRONMENT, FILE, FLAGS, Merged, Named, Origin};
use crate::config::raw::Raw;
use crate::dialects::barong::Settings as Barong;
use crate::dialects::padlock::Settings as Padlock;
use crate::identity::settings::Settings as Identity;
use crate::observe::Settings as Observe;
use crate::pep::Proxies;
use crate::retention::Retention;

pub use crate::config::environment::environment;
pub use crate::config::error::ConfigError;

/// What the server runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Key `listen`: address and port; port 0 takes a free one. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// Key `data_dir`: folder of the database and the signing key, created on the first start. Default `./portcullis-data`.
    pub data_dir: PathBuf,
    /// Key `database`: `sqlite://PATH` or `postgres://...`. Default `sqlite://DATA_DIR/portcullis.db`.
    pub database: Location,
    /// Key `object_store`: URL of a folder in an object store where bundles also go. None by default.
    pub object_store: Option<String>,
    /// Key `token_lifetime_s`: no token of any issuer is valid for longer; revocations are forgotten after it. Default 86400.
    pub token_lifetime_s: u64,
    /// Keys `decision_log_age_s` and `decision_log_records`: what is kept of the records of a tenant. Default 2592000 (30 days)
    /// and 10000000.
    pub retention: Retention,
    /// Keys `trusted_proxies`, `country_header`, `continent_header`, `issuers`, `claims`.
    pub proxies: Proxies,
    /// Keys `log`, `log_format`, `otlp_endpoint`, `otlp_service_name`.
    pub observe: Observe,
    /// Key `[identity]`.
    pub identity: Identity,
    /// Key `[padlock]`.
    pub padlock: Padlock,
    /// Key `[barong]`.
    pub barong: Barong,
}

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A TOML file that must exist.
    pub file: Option<PathBuf>,
    /// What `environment` gives.
    pub environment: BTreeMap<String, String>,
    pub flags: Flags,
}

/// Settings from the command line.
#[derive(Clone, Debug, Default, Serialize, clap::Args)]
pub struct Flags {
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Folder of the database and the signing key [default: ./portcullis-data]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Database URL [default: sqlite://DATA_DIR/portcullis.db]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// What is logged, in the words of RUST_LOG [default: info]
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// How: text, or one JSON object per line [default: text]
    #[arg(long, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<String>,
}

// === impl Config ===

impl Config {
    pub fn load(sources: Sources) -> Result<Self, ConfigError> {
        Merged::load(sources)?.check()
    }

    /// The settings of these sources as a configuration file that says where each one comes from; passwords are masked.
    pub fn print(sources: Sources) -> Result<String, ConfigError> {
        let merged = Merged::load(sources)?;
        merged.check()?;
        let settings = Value::serialize(merged.raw()?.completed()).map_err(|error| merged.locate(error.into()))?;
        Ok(print::toml(&settings, |key| merged.origin(key)))
    }
}

// === impl Merged ===

impl Merged {
    fn load(Sources { file, environment, flags }: Sources) -> Result<Self, ConfigError> {
        let mut defaults = Figment::from(Serialized::defaults(Raw::default()));
        let known = Value::serialize(Raw::default()).ok().and_then(Value::into_dict).unwrap_or_default();
        let environment = Environment::new(environment, known);
        if let Some(path) = &file {
            let read = std::fs::read_to_string(path);
            let text = read.map_err(|source| Problem::Read { path: path.clone(), source })?;
            defaults = defaults.merge(Named(FILE, Toml::string(&text)));
        }
        let flags = Named(FLAGS, Serialized::defaults(flags));
        let figment = defaults.merge(Named(ENVIRONMENT, environment.clone())).merge(flags);
        Ok(Self { figment, file, environment })
    }

    fn raw(&self) -> Result<Raw, ConfigError> {
        self.figment.extract().map_err(|error| self.locate(error.into()))
    }

    fn check(&self) -> Result<Config, ConfigError> {
        self.raw()?.check().map_err(|problem| self.locate(problem))
    }

    fn locate(&self, problem: Problem) -> ConfigError {
        let origin = match &problem {
            Problem::Syntax(_) => self.file.clone().map(Origin::File),
            problem => problem.key().map(|key| self.origin(key)),
        };
        ConfigError { problem, origin }
    }
}

#[cfg(test)]
mod tests;
