//! Decides about requests to the server itself: facts of the caller + the management policy in the component -> `Decision`.

mod peers;

use std::net::IpAddr;

use portcullis_compiler::{Diagnostic, Options, compile};
use portcullis_directory::{RoleSet, TenantId, UnixSeconds, UserState};
use portcullis_runtime::{
    Credential, Decision, PolicySlot, PrepareError, Report, Request, Runtime, Subject, Target, ValidateError,
    ValidateOptions, Verdict,
};
use serde_json::json;

use crate::authn::Caller;
use crate::pdp::peers::Peers;

/// The built-in management policy, open in the component.
pub struct Gate {
    slot: PolicySlot,
    peers: Peers,
}

/// What a request to the server says about itself.
pub struct Facts<'a> {
    pub asked: Asked<&'a str>,
    /// The tenant that it is about.
    pub tenant: &'a str,
    pub source_ip: Option<IpAddr>,
    pub now: UnixSeconds,
}

/// What is asked for.
#[derive(PartialEq, Eq)]
pub enum Asked<S> {
    Endpoint {
        method: S,
        /// Canonical, without query.
        path: S,
        host: Option<S>,
    },
    /// A proxy wants to know what to do with a request of its own client, whose method and path say nothing about what
    /// the proxy may do.
    ProxyDecision,
    /// An ability of Barong, which is a kind of thing and what is done to it.
    Ability { action: S, on: S },
}

#[derive(Debug, thiserror::Error)]
pub enum GateError {
    #[error("the management policy does not compile: {}", .0.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("; "))]
    Compile(Vec<Diagnostic>),
    #[error("the management policy does not open")]
    Prepare(#[from] PrepareError),
}

pub const MANAGEMENT_POLICY: &str = include_str!("management.yaml");

impl Gate {
    pub fn open(runtime: &Runtime) -> Result<Self, GateError> {
        let options = Options { revision: 1, ..Options::default() };
        let compiled = compile(MANAGEMENT_POLICY, &options).map_err(GateError::Compile)?;
        let slot = PolicySlot::new(runtime);
        slot.install(slot.prepare(compiled.bundle)?);
        Ok(Self { slot, peers: Peers::default() })
    }

    pub fn decide(&self, facts: &Facts<'_>, caller: &Caller) -> Decision {
        match caller {
            Caller::Peer(_) => self.peers.answer(facts, || self.ask(facts, caller)),
            _ => self.ask(facts, caller),
        }
    }

    fn ask(&self, facts: &Facts<'_>, caller: &Caller) -> Decision {
        let (action, target) = match facts.asked {
            Asked::Endpoint { method, path, host } => {
                (method, Target::Http { host: host.map(str::to_owned), path: path.to_owned() })
            }
            Asked::ProxyDecision => ("decide", resource("proxy")),
            Asked::Ability { action, on } => (action, resource(on)),
        };
        self.slot.decide_as_bytes(&Request {
            action: action.to_owned(),
            target,
            source_ip: facts.source_ip,
            country: None,
            continent: None,
            subject: caller.subject(),
            credential: caller.credential(),
            context: Some(json!({"tenant": facts.tenant}).to_string()),
            now: Some(facts.now.0),
        })
    }

    /// Whether whoever has these roles has that ability.
    pub fn has_ability(&self, roles: &RoleSet, (action, on): (&str, &str), now: UnixSeconds) -> bool {
        let subject = Subject {
            id: "role".to_owned(),
            kind: None,
            state: UserState::active().to_string(),
            roles: roles.iter().map(ToString::to_string).collect(),
            permission_groups: Vec::new(),
            level: None,
            otp: false,
            issued_at: None,
            properties: None,
        };
        let request = Request {
            action: action.to_owned(),
            target: resource(on),
            source_ip: None,
            country: None,
            continent: None,
            subject: Some(subject),
            credential: Credential::Token,
            context: Some(json!({"tenant": TenantId::default().as_str()}).to_string()),
            now: Some(now.0),
        };
        self.slot.decide(&request).is_allow()
    }

    /// Checks input against a schema of the management policy; valid, it comes back as JSON.
    pub fn validate(&self, schema: &str, document: &[u8]) -> Result<Report, ValidateError> {
        let options = ValidateOptions { normalized: true, ..ValidateOptions::default() };
        self.slot.validate(schema, document, &options)
    }

    /// Whether a text satisfies a schema of the management policy.
    pub fn is_valid(&self, schema: &str, text: &str) -> Result<bool, ValidateError> {
        Ok(self.validate(schema, json!(text).to_string().as_bytes())?.verdict == Verdict::Valid)
    }

    pub fn is_open(&self) -> bool {
        self.slot.revision().is_some()
    }
}

impl Caller {
    /// For logs; a user may be called like the others.
    pub fn id(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(user) => user.id.as_str(),
            Self::Edge(edge) => edge.name.as_str(),
            Self::Setup(_) => SETUP,
            Self::Peer(_) => PEER,
            Self::Open => OPEN,
        }
    }

    /// The one tenant that the caller may see; `None` for whoever sees all.
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Edge(edge) => Some(&edge.tenant),
            Self::Anonymous | Self::User(_) | Self::Setup(_) | Self::Peer(_) | Self::Open => None,
        }
    }

    fn subject(&self) -> Option<Subject> {
        let (id, state, roles) = match self {
            Self::Anonymous => return None,
            Self::User(user) => {
                let roles = user.roles.iter().map(|role| role.as_str().to_owned()).collect();
                (user.id.as_str(), user.state.as_str(), roles)
            }
            Self::Edge(edge) => (edge.name.as_str(), "active", vec![EDGE.to_owned()]),
            Self::Setup(_) | Self::Peer(_) | Self::Open => (self.id(), "active", vec![self.id().to_owned()]),
        };
        let kind = matches!(self, Self::Edge(_)).then(|| EDGE.to_owned());
        let properties = self.tenant().map(|tenant| json!({"tenant": tenant.as_str()}).to_string());
        let (id, state) = (id.to_owned(), state.to_owned());
        Some(Subject {
            id,
            kind,
            state,
            roles,
            permission_groups: Vec::new(),
            level: None,
            otp: false,
            issued_at: None,
            properties,
        })
    }

    fn credential(&self) -> Credential {
        match self {
            Self::Anonymous | Self::Peer(_) | Self::Open => Credential::None,
            Self::User(_) | Self::Edge(_) | Self::Setup(_) => Credential::Token,
        }
    }
}

fn resource(kind: &str) -> Target {
    Target::Resource { kind: kind.to_owned(), id: None, properties: None }
}

/// Id and role of whoever holds the setup token.
const SETUP: &str = "setup";

/// Id and role of a proxy that is known by its address.
const PEER: &str = "peer";

/// Id and role of whoever comes without a token to what is configured as open.
const OPEN: &str = "open";

/// Type and role of an edge.
const EDGE: &str = "edge";
