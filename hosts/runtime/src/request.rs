//! A request that owns its facts, for hosts that read them off a wire.

use std::net::IpAddr;

use portcullis_core as core_api;
use portcullis_core::Credential;

/// See `portcullis_core::Request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub action: String,
    pub target: Target,
    pub source_ip: Option<IpAddr>,
    /// `None` is anonymous.
    pub subject: Option<Subject>,
    pub credential: Credential,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Http { host: Option<String>, path: String },
    Resource { kind: String, id: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub id: String,
    pub state: String,
    pub roles: Vec<String>,
    pub permission_groups: Vec<String>,
    pub otp: bool,
}

/// A request with the lists of names that the core borrows.
pub(crate) struct Lent<'a> {
    request: &'a Request,
    roles: Vec<&'a str>,
    permission_groups: Vec<&'a str>,
}

impl<'a> From<&'a Request> for Lent<'a> {
    fn from(request: &'a Request) -> Self {
        let names = |names: Option<&'a Vec<String>>| names.into_iter().flatten().map(String::as_str).collect();
        let subject = request.subject.as_ref();
        Self {
            request,
            roles: names(subject.map(|subject| &subject.roles)),
            permission_groups: names(subject.map(|subject| &subject.permission_groups)),
        }
    }
}

impl Lent<'_> {
    /// The request as the core takes it.
    pub(crate) fn view(&self) -> core_api::Request<'_> {
        let Request { action, target, source_ip, subject, credential } = self.request;
        core_api::Request {
            action,
            target: match target {
                Target::Http { host, path } => core_api::Target::Http { host: host.as_deref(), path },
                Target::Resource { kind, id } => core_api::Target::Resource { kind, id: id.as_deref() },
            },
            source_ip: *source_ip,
            subject: subject.as_ref().map(|subject| core_api::Subject {
                id: &subject.id,
                state: &subject.state,
                roles: &self.roles,
                permission_groups: &self.permission_groups,
                otp: subject.otp,
            }),
            credential: *credential,
        }
    }
}
