//! What is configured about the dialect.

use serde::{Deserialize, Serialize};

/// `[barong]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Key `uid_prefix`: how ids of new users begin, 2 to 6 letters. Default `ID`.
    pub uid_prefix: String,
    /// Key `role`: of new users. Default `member`.
    pub role: String,
    /// Key `session_name`: of the cookie. Default `_barong_session`.
    pub session_name: String,
    /// Key `session_secure`: browsers send the cookie over TLS only. Default true.
    pub session_secure: bool,
    /// Key `csrf_protection`: requests with a session that change something need `X-CSRF-Token`. Default true.
    pub csrf_protection: bool,
    /// Key `activation_requirements`: private labels that make a user active. Default `email: verified`.
    pub activation_requirements: Vec<LabelOf>,
    /// Key `state_triggers`: keys of private labels that force a state; the last one that applies counts.
    pub state_triggers: Vec<Trigger>,
    /// Key `user_storage_titles`: what data storages may be called. None by default.
    pub user_storage_titles: Vec<String>,
    /// Key `profile_double_verification`: who made a profile does not verify it. Default false.
    pub profile_double_verification: bool,
    /// Key `profile_verification_roles`: who may verify what it made all the same. Default `superadmin`.
    pub profile_verification_roles: Vec<String>,
    /// Key `tokens`: what access tokens say.
    pub tokens: Tokens,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LabelOf {
    pub key: String,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    pub state: String,
    pub keys: Vec<String>,
}

/// Claims of the access tokens of the gateway, by which the other parts know them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// Key `issuer`. Default `barong`.
    pub issuer: String,
    /// Key `audiences`; the last one is this server. Default `["peatio", "barong"]`.
    pub audiences: Vec<String>,
    /// Key `lifetime_s`. Default 3600.
    pub lifetime_s: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let trigger = |state: &str, keys: &[&str]| Trigger {
            state: state.to_owned(),
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
        };
        Self {
            uid_prefix: "ID".to_owned(),
            role: "member".to_owned(),
            session_name: "_barong_session".to_owned(),
            session_secure: true,
            csrf_protection: true,
            activation_requirements: vec![LabelOf { key: "email".to_owned(), value: "verified".to_owned() }],
            state_triggers: vec![
                trigger("locked", &["suspicious", "lock"]),
                trigger("deleted", &["delete"]),
                trigger("banned", &["ban", "fraud"]),
            ],
            user_storage_titles: Vec::new(),
            profile_double_verification: false,
            profile_verification_roles: vec!["superadmin".to_owned()],
            tokens: Tokens::default(),
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            issuer: "barong".to_owned(),
            audiences: vec!["peatio".to_owned(), "barong".to_owned()],
            lifetime_s: 3600,
        }
    }
}
