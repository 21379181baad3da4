//! Settings of the dialect padlock: `[padlock]`.

use axum::http::HeaderName;
use portcullis_compiler::Diagnostic;
use serde::Deserialize;

use crate::config::ConfigError;
use crate::dialects::padlock::{BypassRules, ClaimNames, HeaderNames, Settings};

/// As typed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawPadlock {
    open: bool,
    auto_add: bool,
    headers: RawHeaders,
    claims: ClaimNames,
    bypass: BypassRules,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawHeaders {
    request_id: Option<String>,
    host: Option<String>,
    path: Option<String>,
    method: Option<String>,
    user_id: Option<String>,
    username: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
}

impl RawPadlock {
    pub fn check(self) -> Result<Settings, ConfigError> {
        let Self { open, auto_add, headers, claims, bypass } = self;
        let bypass = bypass.compile().map_err(|diagnostics| {
            let lines = diagnostics.iter().map(|Diagnostic { message, .. }| message.as_str());
            ConfigError::Bypass(lines.collect::<Vec<_>>().join("; "))
        })?;
        Ok(Settings { open, auto_add, headers: headers.check()?, claims, bypass })
    }
}

impl RawHeaders {
    fn check(self) -> Result<HeaderNames, ConfigError> {
        let Self { request_id, host, path, method, user_id, username, first_name, last_name, email } = self;
        let default = HeaderNames::default();
        Ok(HeaderNames {
            request_id: header("padlock.headers.request_id", request_id, default.request_id)?,
            host: header("padlock.headers.host", host, default.host)?,
            path: header("padlock.headers.path", path, default.path)?,
            method: header("padlock.headers.method", method, default.method)?,
            user_id: header("padlock.headers.user_id", user_id, default.user_id)?,
            username: header("padlock.headers.username", username, default.username)?,
            first_name: header("padlock.headers.first_name", first_name, default.first_name)?,
            last_name: header("padlock.headers.last_name", last_name, default.last_name)?,
            email: header("padlock.headers.email", email, default.email)?,
        })
    }
}

fn header(key: &'static str, name: Option<String>, default: HeaderName) -> Result<HeaderName, ConfigError> {
    match name {
        None => Ok(default),
        Some(name) => name.parse().map_err(|_| ConfigError::Header { key, name }),
    }
}
