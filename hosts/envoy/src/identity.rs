//! Who a request comes from, whoever said so: `jwt_authn`, a token, the gateway, a certificate.
//!
//! A fact that is there and cannot be read is never skipped: nobody turns into an anonymous or a role-less subject.

use portcullis_core::{Credential, Names, Subject};

use crate::config::{ClaimNames, Service};

/// What was verified says something that this filter cannot use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("identity cannot be read")]
pub struct Unreadable;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub id: String,
    pub kind: Option<String>,
    pub state: String,
    pub roles: Vec<String>,
    pub permission_groups: Vec<String>,
    pub level: Option<u32>,
    pub otp: bool,
    /// Unix seconds.
    pub issued_at: Option<u64>,
    pub credential: Credential,
    /// The text of a JSON object.
    pub properties: Option<String>,
    /// Unix seconds; `None` where somebody else watches over it.
    pub expires: Option<u64>,
}

/// Named values of a token or of an answer. Absent is `Ok(None)`, of another type an error.
pub trait Payload {
    fn text(&self, name: &str) -> Result<Option<String>, Unreadable>;
    fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Unreadable>;
    fn integer(&self, name: &str) -> Result<Option<u64>, Unreadable>;
    fn flag(&self, name: &str) -> Result<Option<bool>, Unreadable>;
}

/// Under which name a payload has which fact.
pub struct FactNames<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub roles: &'a str,
    pub state: &'a str,
    pub permission_groups: &'a str,
    pub level: &'a str,
    pub otp: &'a str,
    pub issued_at: &'a str,
    pub credential: &'a str,
}

impl<'a> FactNames<'a> {
    pub fn of_claims(names: &'a ClaimNames) -> Self {
        let ClaimNames { kind, roles, state, permission_groups, level, otp, issued_at, credential } = names;
        Self { id: "sub", kind, roles, state, permission_groups, level, otp, issued_at, credential }
    }

    /// Those of a subject in a decision request.
    pub const OF_SUBJECT: FactNames<'static> = FactNames {
        id: "id",
        kind: "type",
        roles: "roles",
        state: "state",
        permission_groups: "permission_groups",
        level: "level",
        otp: "otp",
        issued_at: "issued_at",
        credential: "credential",
    };
}

impl Identity {
    pub fn read(payload: &dyn Payload, names: &FactNames<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            id: nonempty(payload.text(names.id)?.ok_or(Unreadable)?)?,
            kind: payload.text(names.kind)?,
            state: match payload.text(names.state)? {
                Some(state) => nonempty(state)?,
                None => Subject::DEFAULT_STATE.to_owned(),
            },
            roles: list(payload.texts(names.roles)?)?,
            permission_groups: list(payload.texts(names.permission_groups)?)?,
            level: payload.integer(names.level)?.map(u32::try_from).transpose().map_err(|_| Unreadable)?,
            otp: payload.flag(names.otp)?.unwrap_or(false),
            issued_at: payload.integer(names.issued_at)?,
            credential: match payload.text(names.credential)? {
                Some(name) => Credential::parse(&name).ok_or(Unreadable)?,
                None => Credential::Token,
            },
            properties: None,
            expires: None,
        })
    }

    /// A service that Envoy authenticated by its certificate. Nothing says when it was issued, so that every revocation of
    /// the service counts.
    pub fn of_service(service: &Service) -> Self {
        let Service { san: _, id, roles, permission_groups } = service;
        Self {
            id: id.clone(),
            kind: Some("service".to_owned()),
            state: Subject::DEFAULT_STATE.to_owned(),
            roles: roles.clone(),
            permission_groups: permission_groups.clone(),
            level: None,
            otp: false,
            issued_at: None,
            credential: Credential::Token,
            properties: None,
            expires: None,
        }
    }

    pub fn subject(&self) -> Subject<'_> {
        Subject {
            id: &self.id,
            kind: self.kind.as_deref(),
            state: &self.state,
            roles: Names::Owned(&self.roles),
            permission_groups: Names::Owned(&self.permission_groups),
            level: self.level,
            otp: self.otp,
            issued_at: self.issued_at,
            properties: self.properties.as_deref(),
        }
    }
}

fn nonempty(text: String) -> Result<String, Unreadable> {
    if text.is_empty() { Err(Unreadable) } else { Ok(text) }
}

fn list(names: Option<Vec<String>>) -> Result<Vec<String>, Unreadable> {
    let names = names.unwrap_or_default();
    if names.len() > Subject::MAX_ROLES { Err(Unreadable) } else { Ok(names) }
}
