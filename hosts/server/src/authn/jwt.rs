//! Tokens of identity providers -> the subject of a policy. Which tokens are valid is said by `portcullis_identity::token`.
//!
//! A claim that is there and cannot be read is never skipped: a token never turns into an anonymous or a role-less subject.
//! The filter reads tokens in the same way.

use portcullis_core::Subject as CoreSubject;
use portcullis_identity::token::{integer, verify};
use portcullis_runtime::{Credential, Subject};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use portcullis_identity::token::{Invalid, Issuer, Key, KeyError};

/// Who may issue tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers {
    pub issuers: Vec<Issuer>,
    pub claims: ClaimNames,
}

/// Names of claims; the id of the subject is always `sub`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimNames {
    pub r#type: String,
    pub roles: String,
    pub state: String,
    pub permission_groups: String,
    pub level: String,
    pub otp: String,
    pub issued_at: String,
    pub credential: String,
}

// === impl Issuers ===

impl Issuers {
    /// Who a token is about, if it is valid at `now` (unix seconds).
    pub fn verify(&self, token: &str, now: u64) -> Result<(Subject, Credential), Invalid> {
        let claims = verify(&self.issuers, token, now)?;
        self.claims.read(&claims)
    }
}

// === impl ClaimNames ===

impl Default for ClaimNames {
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            r#type: name("type"),
            roles: name("roles"),
            state: name("state"),
            permission_groups: name("permission_groups"),
            level: name("level"),
            otp: name("otp"),
            issued_at: name("iat"),
            credential: name("credential"),
        }
    }
}

impl ClaimNames {
    fn read(&self, claims: &Map<String, Value>) -> Result<(Subject, Credential), Invalid> {
        let optional_text = |name: &str| claims.get(name).map(text).transpose();
        let state = optional_text(&self.state)?;
        let subject = Subject {
            id: nonempty(text(claims.get("sub").ok_or(Invalid)?)?)?,
            kind: optional_text(&self.r#type)?,
            state: state.map_or_else(|| Ok(CoreSubject::DEFAULT_STATE.to_owned()), nonempty)?,
            roles: claims.get(&self.roles).map_or(Ok(Vec::new()), texts)?,
            permission_groups: claims.get(&self.permission_groups).map_or(Ok(Vec::new()), texts)?,
            level: match claims.get(&self.level).map(integer).transpose()? {
                Some(level) => Some(u32::try_from(level).map_err(|_| Invalid)?),
                None => None,
            },
            otp: claims.get(&self.otp).map_or(Some(false), Value::as_bool).ok_or(Invalid)?,
            issued_at: claims.get(&self.issued_at).map(integer).transpose()?,
            properties: None,
        };
        let credential = match optional_text(&self.credential)? {
            Some(name) => Credential::parse(&name).ok_or(Invalid)?,
            None => Credential::Token,
        };
        Ok((subject, credential))
    }
}

fn text(value: &Value) -> Result<String, Invalid> {
    value.as_str().map(str::to_owned).ok_or(Invalid)
}

fn nonempty(text: String) -> Result<String, Invalid> {
    if text.is_empty() { Err(Invalid) } else { Ok(text) }
}

/// At most as many as a decision takes.
fn texts(value: &Value) -> Result<Vec<String>, Invalid> {
    let list = value.as_array().filter(|list| list.len() <= CoreSubject::MAX_ROLES).ok_or(Invalid)?;
    list.iter().map(text).collect()
}

#[cfg(test)]
mod tests;
