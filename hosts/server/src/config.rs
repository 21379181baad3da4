//! Settings of `portcullis serve`: defaults < TOML file < `PORTCULLIS_*` < flags, as typed -> `Raw` -> `Config`, checked.

mod barong;
mod identity;
mod padlock;
mod proxies;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use portcullis_directory::Location;
use serde::{Deserialize, Serialize};

use crate::authn::jwt::{ClaimNames, Issuers, KeyError};
use crate::config::identity::RawIdentity;
use crate::config::padlock::RawPadlock;
use crate::config::proxies::{Addresses, RawIssuer};
use crate::dialects::barong::Settings as Barong;
use crate::dialects::padlock::Settings as Padlock;
use crate::identity::settings::Settings as Identity;
use crate::pep::Proxies;
use crate::retention::Retention;

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
    /// `PORTCULLIS_*`; others do not matter.
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
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("unknown setting `{key}`, known are {known}", known = KEYS.join(", "))]
    UnknownKey { key: String },
    #[error("{}", single_line(.0))]
    Value(Box<figment::Error>),
    #[error("`listen` is `{0}`, which is not an address with a port like `127.0.0.1:8080`")]
    Listen(String),
    #[error("`database` is a URL that this version does not support; it supports `sqlite://PATH` and `postgres://...`")]
    Database,
    #[error("`data_dir` is empty")]
    DataDir,
    #[error("`trusted_proxies` has `{0}`, which is neither an address nor a network like `10.0.0.0/8`")]
    TrustedProxies(String),
    #[error("`{key}` is `{name}`, which is not the name of a header")]
    Header { key: &'static str, name: String },
    #[error("the keys of the issuer `{issuer}`, `{}`, cannot be used", path.display())]
    Keys { issuer: String, path: PathBuf, source: KeyError },
    #[error("`identity.token_algorithm` is `{0}`, it must be EdDSA, ES256 or RS256")]
    Algorithm(String),
    #[error("`identity.mail_from` is `{0}`, which is not an address")]
    MailFrom(String),
    #[error("`{key}` is {number}, it must be {least} to {most}")]
    Number { key: &'static str, number: u64, least: u64, most: u64 },
    #[error("`padlock.bypass` cannot be used: {0}")]
    Bypass(String),
    #[error("`barong.{key}` {why}")]
    Barong { key: &'static str, why: &'static str },
    #[error("the environment variable `{name}` is not UTF-8")]
    NotUtf8 { name: String },
}

const KEYS: [&str; 15] = [
    "listen",
    "data_dir",
    "database",
    "object_store",
    "token_lifetime_s",
    "decision_log_age_s",
    "decision_log_records",
    "trusted_proxies",
    "country_header",
    "continent_header",
    "issuers",
    "claims",
    "identity",
    "padlock",
    "barong",
];
const TOKEN_LIFETIME_S: u64 = 86_400;
const ENVIRONMENT_PREFIX: &str = "PORTCULLIS_";

/// As typed.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Raw {
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

/// A number, or the text of one, which is all that the environment has.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(try_from = "NumberOrText", into = "u64")]
struct Number(u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl TryFrom<NumberOrText> for Number {
    type Error = std::num::ParseIntError;

    fn try_from(value: NumberOrText) -> Result<Self, Self::Error> {
        match value {
            NumberOrText::Number(number) => Ok(Self(number)),
            NumberOrText::Text(text) => text.parse().map(Self),
        }
    }
}

impl From<Number> for u64 {
    fn from(Number(number): Number) -> Self {
        number
    }
}

/// The variables with our prefix; an empty one counts as not set. `__` stands between a section and its key.
struct Environment(BTreeMap<String, String>);

// === impl Config ===

impl Config {
    pub fn load(sources: Sources) -> Result<Self, ConfigError> {
        let Sources { file, environment, flags } = sources;
        let mut figment = Figment::from(Serialized::defaults(Raw::default()));
        if let Some(path) = file {
            let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read { path, source })?;
            figment = figment.merge(Toml::string(&text));
        }
        let raw: Raw = figment
            .merge(Environment(environment))
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(ConfigError::from_figment)?;
        raw.check()
    }
}

/// The variables of a process that are settings.
pub fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let names = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let settings = names.filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX));
    settings
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(ConfigError::NotUtf8 { name }),
        })
        .collect()
}

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
    fn check(self) -> Result<Config, ConfigError> {
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

// === impl Environment ===

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let settings = self.0.iter().filter(|(_, value)| !value.is_empty());
        let mut all = Dict::new();
        for (name, value) in settings {
            let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            put(&mut all, &key.to_lowercase(), value);
        }
        Ok(Map::from([(Profile::Default, all)]))
    }
}

/// `A__B` is key `b` of `[a]`. A section that has a value too is refused by whoever reads the section.
fn put(settings: &mut Dict, key: &str, value: &str) {
    let Some((section, key)) = key.split_once("__") else {
        settings.insert(key.to_owned(), Value::from(value));
        return;
    };
    let section = settings.entry(section.to_owned()).or_insert_with(|| Value::from(Dict::new()));
    if let Value::Dict(_, section) = section {
        put(section, key, value);
    }
}

// === impl ConfigError ===

impl ConfigError {
    fn from_figment(error: figment::Error) -> Self {
        match error.kind {
            figment::error::Kind::UnknownField(key, _) => Self::UnknownKey { key },
            _ => Self::Value(Box::new(error)),
        }
    }
}

fn single_line(error: &figment::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[track_caller]
    fn refused(sources: Sources, expected: &str) {
        let message = Config::load(sources).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    fn flag_database(url: &str) -> Sources {
        Sources { flags: Flags { database: Some(url.to_owned()), ..Flags::default() }, ..Sources::default() }
    }

    #[test]
    fn without_settings_everything_has_a_default() {
        let config = Config::load(Sources::default()).unwrap();
        assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(config.data_dir, Path::new("./portcullis-data"));
        assert_eq!(config.database, Location::File("./portcullis-data/portcullis.db".into()));
    }

    #[test]
    fn a_flag_beats_the_environment_and_the_environment_beats_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portcullis.toml");
        std::fs::write(&file, "listen = '127.0.0.1:1'\ndata_dir = '/file'\ndatabase = 'sqlite:///file.db'").unwrap();
        let sources = Sources {
            file: Some(file),
            environment: variables(&[
                ("PORTCULLIS_LISTEN", "127.0.0.1:2"),
                ("PORTCULLIS_DATA_DIR", "/env"),
                ("PATH", "/bin"),
            ]),
            flags: Flags { listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() },
        };
        let config = Config::load(sources).unwrap();
        assert_eq!(config.listen, "127.0.0.1:3".parse().unwrap());
        assert_eq!(config.data_dir, Path::new("/env"));
        assert_eq!(config.database, Location::File("/file.db".into()));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portcullis.toml");
        std::fs::write(&file, "lisden = '127.0.0.1:1'").unwrap();
        refused(Sources { file: Some(file), ..Sources::default() }, "unknown setting `lisden`, known are listen");
        let sources = Sources { environment: variables(&[("PORTCULLIS_DATADIR", "/x")]), ..Sources::default() };
        refused(sources, "unknown setting `datadir`");
    }

    #[test]
    fn wrong_values_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portcullis.toml");
        std::fs::write(&file, "listen = 8080").unwrap();
        refused(Sources { file: Some(file.clone()), ..Sources::default() }, "invalid type: found signed int `8080`");
        std::fs::write(&file, "listen = ").unwrap();
        refused(Sources { file: Some(file), ..Sources::default() }, "TOML parse error");
        refused(Sources { file: Some("/no/such/file".into()), ..Sources::default() }, "cannot read the configuration");
        let flags = Flags { listen: Some("localhost".to_owned()), ..Flags::default() };
        refused(Sources { flags, ..Sources::default() }, "`listen` is `localhost`");
    }

    #[test]
    fn a_setting_that_is_not_utf8_is_not_ignored() {
        use std::os::unix::ffi::OsStringExt as _;
        let given = |name: &str| environment([(name.into(), OsString::from_vec(vec![0xff]))].into_iter());
        assert_eq!(given("LANG").unwrap(), BTreeMap::new());
        let message = given("PORTCULLIS_DATA_DIR").unwrap_err().to_string();
        assert_eq!(message, "the environment variable `PORTCULLIS_DATA_DIR` is not UTF-8");
    }

    #[test]
    fn the_environment_can_say_it_too() {
        let environment = variables(&[
            ("PORTCULLIS_TOKEN_LIFETIME_S", "600"),
            ("PORTCULLIS_DECISION_LOG_AGE_S", "60"),
            ("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,::1"),
            ("PORTCULLIS_OBJECT_STORE", "file:///x"),
            ("PORTCULLIS_COUNTRY_HEADER", "X-Country"),
        ]);
        let config = Config::load(Sources { environment, ..Sources::default() }).unwrap();
        let trusted: Vec<String> = config.proxies.trusted.iter().map(ToString::to_string).collect();
        assert_eq!(trusted, ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]);
        assert_eq!((config.token_lifetime_s, config.object_store.as_deref()), (600, Some("file:///x")));
        assert_eq!(config.retention, Retention { age_s: 60, ..Retention::default() });
        assert_eq!(config.proxies.country_header.as_deref(), Some("x-country"));
    }

    #[test]
    fn issuers_have_their_keys_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (file, keys) = (folder.path().join("portcullis.toml"), folder.path().join("keys.json"));
        let text = format!(
            "trusted_proxies = ['::1']\nclaims.roles = 'groups'\n[[issuers]]\nissuer = 'https://a'\n\
             audience = 'us'\njwks_file = '{}'\n",
            keys.display()
        );
        std::fs::write(&file, text).unwrap();
        let load = || Config::load(Sources { file: Some(file.clone()), ..Sources::default() });
        assert!(load().unwrap_err().to_string().starts_with("cannot read the configuration"));
        std::fs::write(&keys, r#"{"keys": []}"#).unwrap();
        assert!(load().unwrap_err().to_string().starts_with("the keys of the issuer `https://a`"));
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        std::fs::write(&keys, format!(r#"{{"keys": [{{"kty": "OKP", "crv": "Ed25519", "x": "{x}"}}]}}"#)).unwrap();
        let issuers = load().unwrap().proxies.issuers;
        assert_eq!((issuers.issuers[0].name.as_str(), issuers.issuers[0].keys.len()), ("https://a", 1));
        assert_eq!((issuers.claims.roles.as_str(), issuers.claims.issued_at.as_str()), ("groups", "iat"));
    }

    #[test]
    fn padlock_is_closed_and_has_the_names_of_the_original() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portcullis.toml");
        let load = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Config::load(Sources { file: Some(file.clone()), ..Sources::default() }).map(|config| config.padlock)
        };
        let settings = load("").unwrap();
        assert_eq!(settings, Padlock::default());
        assert!(!settings.open && !settings.auto_add && settings.bypass.is_none());
        let text =
            "[padlock]\nopen = true\nheaders.user_id = 'X-User'\nclaims.email = 'mail'\nbypass.methods = ['options']";
        let settings = load(text).unwrap();
        assert!(settings.open && settings.bypass.is_some());
        assert_eq!((settings.headers.user_id.as_str(), settings.headers.email.as_str()), ("x-user", "x-caller-email"));
        assert_eq!((settings.claims.user_id.as_str(), settings.claims.email.as_deref()), ("sub", Some("mail")));
        for (text, expected) in [
            ("[padlock]\nheaders.user_id = 'a b'", "`padlock.headers.user_id` is `a b`"),
            ("[padlock]\nbypass.paths = ['(']", "`padlock.bypass` cannot be used"),
            ("[padlock]\nopenn = true", "unknown setting `openn`"),
        ] {
            let message = load(text).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn identity_is_configured_by_file_and_environment() {
        let load = |pairs: &[(&str, &str)]| {
            Config::load(Sources { environment: variables(pairs), ..Sources::default() }).map(|config| config.identity)
        };
        let settings = load(&[]).unwrap();
        assert_eq!(settings.keys_file, Path::new("./portcullis-data/vault.keys"));
        assert_eq!((settings.algorithm.name(), settings.sessions.idle_s), ("EdDSA", 1800));
        let settings = load(&[
            ("PORTCULLIS_IDENTITY__TOKEN_ALGORITHM", "RS256"),
            ("PORTCULLIS_IDENTITY__SESSION_IDLE_S", "60"),
            ("PORTCULLIS_IDENTITY__MAIL_FOLDER", "/var/mail/portcullis"),
        ]);
        let settings = settings.unwrap();
        assert_eq!((settings.algorithm.name(), settings.sessions.idle_s), ("RS256", 60));
        assert_eq!(settings.mail_folder, Path::new("/var/mail/portcullis"));
        for (name, value, expected) in [
            ("TOKEN_ALGORITHM", "HS256", "`identity.token_algorithm` is `HS256`"),
            ("PASSWORD_MEMORY_KIB", "4", "`identity.password_memory_kib` is 4, it must be 8 to 4194304"),
            ("SESSION_IDLE_S", "0", "`identity.session_idle_s` is 0"),
            ("MAIL_FROM", "nobody", "`identity.mail_from` is `nobody`"),
            ("SESSION", "1", "unknown setting `session`"),
        ] {
            let message = load(&[(&format!("PORTCULLIS_IDENTITY__{name}"), value)]).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn wrong_settings_of_proxies_are_named() {
        for (name, value, expected) in [
            ("PORTCULLIS_TRUSTED_PROXIES", "127.0.0.1, x", "`trusted_proxies` has `x`"),
            ("PORTCULLIS_COUNTRY_HEADER", "a b", "`country_header` is `a b`"),
            ("PORTCULLIS_TOKEN_LIFETIME_S", "a day", "invalid digit"),
        ] {
            let message = Config::load(Sources { environment: variables(&[(name, value)]), ..Sources::default() });
            let message = message.unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn databases_are_sqlite_files_and_postgresql() {
        for url in ["mysql://u:secret@db/x", "sqlite://", "sqlite::memory:", "sqlite://:memory:", "x.db"] {
            refused(flag_database(url), "`database` is a URL that this version does not support");
        }
        let config = Config::load(flag_database("sqlite://data/x.db")).unwrap();
        assert_eq!(config.database, Location::File("data/x.db".into()));
        let url = "postgres://u:secret@db/x?sslmode=require";
        let config = Config::load(flag_database(url)).unwrap();
        assert_eq!(config.database, Location::Postgres(url.to_owned()));
        assert_eq!(config.database.to_string(), "postgres://db/x", "shown without credentials");
    }
}
