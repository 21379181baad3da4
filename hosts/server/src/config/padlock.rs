//! Settings of the dialect padlock: `[padlock]`.

use axum::http::HeaderName;
use portcullis_compiler::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::config::error::Problem;
use crate::dialects::padlock::{BypassRules, ClaimNames, HeaderNames, Settings};

/// As typed.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawPadlock {
    open: bool,
    auto_add: bool,
    headers: RawHeaders,
    claims: ClaimNames,
    bypass: BypassRules,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawHeaders {
    request_id: String,
    host: String,
    path: String,
    method: String,
    user_id: String,
    username: String,
    first_name: String,
    last_name: String,
    email: String,
}

impl RawPadlock {
    pub fn check(self) -> Result<Settings, Problem> {
        let Self { open, auto_add, headers, claims, bypass } = self;
        let bypass = bypass.compile().map_err(|diagnostics| {
            let lines = diagnostics.iter().map(|Diagnostic { message, .. }| message.as_str());
            let lines = lines.collect::<Vec<_>>().join("; ");
            Problem::unusable("padlock.bypass", format!("cannot be used: {lines}"))
        })?;
        Ok(Settings { open, auto_add, headers: headers.check()?, claims, bypass })
    }
}

impl Default for RawHeaders {
    fn default() -> Self {
        let HeaderNames { request_id, host, path, method, user_id, username, first_name, last_name, email } =
            HeaderNames::default();
        let text = |name: HeaderName| name.as_str().to_owned();
        Self {
            request_id: text(request_id),
            host: text(host),
            path: text(path),
            method: text(method),
            user_id: text(user_id),
            username: text(username),
            first_name: text(first_name),
            last_name: text(last_name),
            email: text(email),
        }
    }
}

impl RawHeaders {
    fn check(self) -> Result<HeaderNames, Problem> {
        let Self { request_id, host, path, method, user_id, username, first_name, last_name, email } = self;
        Ok(HeaderNames {
            request_id: header("request_id", request_id)?,
            host: header("host", host)?,
            path: header("path", path)?,
            method: header("method", method)?,
            user_id: header("user_id", user_id)?,
            username: header("username", username)?,
            first_name: header("first_name", first_name)?,
            last_name: header("last_name", last_name)?,
            email: header("email", email)?,
        })
    }
}

fn header(key: &str, name: String) -> Result<HeaderName, Problem> {
    name.parse().map_err(|_| Problem::header(&format!("padlock.headers.{key}"), &name))
}
