//! A request that owns its facts, for hosts that read them off a wire.

use std::net::IpAddr;

use portcullis_core as core_api;
use portcullis_core::{Credential, Names};

/// See `portcullis_core::Request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub action: String,
    pub target: Target,
    pub source_ip: Option<IpAddr>,
    /// ISO 3166-1 alpha-2, in any case.
    pub country: Option<String>,
    /// Two letters, in any case.
    pub continent: Option<String>,
    /// `None` is anonymous.
    pub subject: Option<Subject>,
    pub credential: Credential,
    /// Text of a JSON object.
    pub context: Option<String>,
    /// Unix seconds.
    pub now: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Http {
        host: Option<String>,
        path: String,
    },
    Resource {
        kind: String,
        id: Option<String>,
        /// Text of a JSON object.
        properties: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub id: String,
    pub kind: Option<String>,
    pub state: String,
    pub roles: Vec<String>,
    pub permission_groups: Vec<String>,
    pub level: Option<u32>,
    pub otp: bool,
    /// Unix seconds.
    pub issued_at: Option<u64>,
    /// Text of a JSON object.
    pub properties: Option<String>,
}

impl<'a> From<&'a Request> for core_api::Request<'a> {
    fn from(request: &'a Request) -> Self {
        let Request { action, target, source_ip, country, continent, subject, credential, context, now } = request;
        Self {
            action,
            target: target.into(),
            source_ip: *source_ip,
            country: country.as_deref(),
            continent: continent.as_deref(),
            subject: subject.as_ref().map(core_api::Subject::from),
            credential: *credential,
            context: context.as_deref(),
            now: *now,
        }
    }
}

impl<'a> From<&'a Target> for core_api::Target<'a> {
    fn from(target: &'a Target) -> Self {
        match target {
            Target::Http { host, path } => Self::Http { host: host.as_deref(), path },
            Target::Resource { kind, id, properties } => {
                Self::Resource { kind, id: id.as_deref(), properties: properties.as_deref() }
            }
        }
    }
}

impl<'a> From<&'a Subject> for core_api::Subject<'a> {
    fn from(subject: &'a Subject) -> Self {
        let Subject { id, kind, state, roles, permission_groups, level, otp, issued_at, properties } = subject;
        Self {
            id,
            kind: kind.as_deref(),
            state,
            roles: Names::Owned(roles),
            permission_groups: Names::Owned(permission_groups),
            level: *level,
            otp: *otp,
            issued_at: *issued_at,
            properties: properties.as_deref(),
        }
    }
}
