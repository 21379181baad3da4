//! Why settings are refused: one line that names the key.

use std::path::PathBuf;

use crate::authn::jwt::KeyError;

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

// === impl ConfigError ===

impl ConfigError {
    pub fn from_figment(error: figment::Error) -> Self {
        match error.kind {
            figment::error::Kind::UnknownField(key, _) => Self::UnknownKey { key },
            _ => Self::Value(Box::new(error)),
        }
    }
}

fn single_line(error: &figment::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
