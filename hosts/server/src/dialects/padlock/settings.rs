//! What is configured about the dialect.

use axum::http::HeaderName;
use serde::{Deserialize, Serialize};

use crate::dialects::padlock::BypassBundle;

/// `[padlock]` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Key `open`: users are managed without a token. Default false.
    pub open: bool,
    /// Key `auto_add`: whom nobody knows is stored when asking for what a route governs. Default false.
    pub auto_add: bool,
    /// Key `[padlock.headers]`.
    pub headers: HeaderNames,
    /// Key `[padlock.claims]`.
    pub claims: ClaimNames,
    /// Key `[padlock.bypass]`.
    pub bypass: Option<BypassBundle>,
}

/// Where a proxy writes about the request of its client, and where it is told who that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderNames {
    pub request_id: HeaderName,
    pub host: HeaderName,
    pub path: HeaderName,
    pub method: HeaderName,
    pub user_id: HeaderName,
    pub username: HeaderName,
    pub first_name: HeaderName,
    pub last_name: HeaderName,
    pub email: HeaderName,
}

/// Claims of a token that become headers; what is not named is not told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimNames {
    pub user_id: String,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
}

impl Default for HeaderNames {
    fn default() -> Self {
        let name = HeaderName::from_static;
        Self {
            request_id: name("padlock-request-id"),
            host: name("x-forwarded-host"),
            path: name("x-forwarded-uri"),
            method: name("x-forwarded-method"),
            user_id: name("x-caller-userid"),
            username: name("x-caller-username"),
            first_name: name("x-caller-firstname"),
            last_name: name("x-caller-lastname"),
            email: name("x-caller-email"),
        }
    }
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { user_id: "sub".to_owned(), username: None, first_name: None, last_name: None, email: None }
    }
}
