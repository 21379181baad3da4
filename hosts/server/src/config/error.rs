//! Why settings are refused: one line that names the key and where its value comes from.

use std::fmt;
use std::path::PathBuf;

use figment::error::{Actual, Kind};

use crate::authn::jwt::KeyError;
use crate::config::origin::Origin;

#[derive(Debug)]
pub struct ConfigError {
    pub problem: Problem,
    /// Of the value; `None` where there is none.
    pub origin: Option<Origin>,
}

#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("cannot read the configuration `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration is no TOML: {0}")]
    Syntax(String),
    /// `key` with its section.
    #[error("unknown setting `{key}`, known are {known}", known = known.join(", "))]
    UnknownKey { key: String, known: &'static [&'static str] },
    /// `why` is the rest of the sentence.
    #[error("`{key}` {why}")]
    Unusable { key: String, why: String },
    #[error("the keys of the issuer `{issuer}`, `{}`, cannot be used", path.display())]
    Keys { issuer: String, path: PathBuf, source: KeyError },
    #[error("the environment variable `{name}` is not UTF-8")]
    NotUtf8 { name: String },
}

// === impl ConfigError ===

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)?;
        match &self.origin {
            None | Some(Origin::Default) => Ok(()),
            Some(origin) => write!(f, " ({origin})"),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problem.source()
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { problem, origin: None }
    }
}

// === impl Problem ===

impl Problem {
    pub fn unusable(key: &str, why: impl Into<String>) -> Self {
        Self::Unusable { key: key.to_owned(), why: why.into() }
    }

    pub fn header(key: &str, name: &str) -> Self {
        Self::unusable(key, format!("is `{name}`, which is not the name of a header"))
    }

    /// The setting that is wrong, with its section.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::UnknownKey { key, .. } | Self::Unusable { key, .. } => Some(key),
            Self::Keys { .. } => Some("issuers"),
            Self::Read { .. } | Self::Syntax(_) | Self::NotUtf8 { .. } => None,
        }
    }
}

impl From<figment::Error> for Problem {
    fn from(error: figment::Error) -> Self {
        let section = error.path.join(".");
        match error.kind {
            // The path may end with the key or with its section.
            Kind::UnknownField(key, known) if error.path.last() == Some(&key) => {
                Self::UnknownKey { key: section, known }
            }
            Kind::UnknownField(key, known) if section.is_empty() => Self::UnknownKey { key, known },
            Kind::UnknownField(key, known) => Self::UnknownKey { key: format!("{section}.{key}"), known },
            // Nothing of the text is repeated: the wrong line may be the one with a password.
            Kind::Message(text) if section.is_empty() => Self::Syntax(first_and_last(&text)),
            Kind::InvalidType(Actual::Str(found), expected) => {
                Self::Unusable { key: section, why: format!("is `{found}`, it must be {}", noun(&expected)) }
            }
            Kind::InvalidType(found, expected) => {
                Self::Unusable { key: section, why: format!("is the {found}, it must be {}", noun(&expected)) }
            }
            Kind::InvalidValue(_, expected) => {
                Self::Unusable { key: section, why: format!("must be {}", noun(&expected)) }
            }
            Kind::MissingField(key) => Self::Unusable { key: section, why: format!("has no `{key}`") },
            kind => {
                let why = kind.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
                Self::Unusable { key: section, why: format!("cannot be used: {why}") }
            }
        }
    }
}

/// What a reader knows by the name of a type.
fn noun(expected: &str) -> &str {
    match expected {
        "u64" | "u32" => "a whole number, 0 or more",
        "path string" => "a path",
        expected => expected,
    }
}

/// The place and the reason; between them stands what was typed.
fn first_and_last(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.next_back() {
        Some(last) => format!("{first}: {last}"),
        None => first.to_owned(),
    }
}
