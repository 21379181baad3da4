//! Decides about requests to the server itself: facts of the caller + the management policy in the component -> `Decision`.

use std::net::IpAddr;

use portcullis_compiler::{Diagnostic, Options, compile};
use portcullis_directory::UnixSeconds;
use portcullis_runtime::{Credential, Decision, PolicySlot, PrepareError, Request, Runtime, Subject, Target};

use crate::authn::Caller;

/// The built-in management policy, open in the component.
pub struct Gate {
    slot: PolicySlot,
}

/// What a request to the server says about itself.
pub struct Facts<'a> {
    pub method: &'a str,
    /// Canonical, without query.
    pub path: &'a str,
    pub host: Option<&'a str>,
    pub source_ip: Option<IpAddr>,
    pub now: UnixSeconds,
}

#[derive(Debug, thiserror::Error)]
pub enum GateError {
    #[error("the management policy does not compile: {}", .0.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("; "))]
    Compile(Vec<Diagnostic>),
    #[error("the management policy does not open")]
    Prepare(#[from] PrepareError),
}

const MANAGEMENT_POLICY: &str = include_str!("management.yaml");

impl Gate {
    pub fn open(runtime: &Runtime) -> Result<Self, GateError> {
        let options = Options { revision: 1, ..Options::default() };
        let compiled = compile(MANAGEMENT_POLICY, &options).map_err(GateError::Compile)?;
        let slot = PolicySlot::new(runtime);
        slot.install(slot.prepare(compiled.bundle)?);
        Ok(Self { slot })
    }

    pub fn decide(&self, facts: &Facts<'_>, caller: &Caller) -> Decision {
        self.slot.decide(&Request {
            action: facts.method.to_owned(),
            target: Target::Http { host: facts.host.map(str::to_owned), path: facts.path.to_owned() },
            source_ip: facts.source_ip,
            country: None,
            continent: None,
            subject: caller.subject(),
            credential: caller.credential(),
            context: None,
            now: Some(facts.now.0),
        })
    }

    pub fn is_open(&self) -> bool {
        self.slot.revision().is_some()
    }
}

impl Caller {
    /// For logs; a user may be called like the other two.
    pub fn id(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(user) => user.id.as_str(),
            Self::Setup(_) => SETUP,
        }
    }

    fn subject(&self) -> Option<Subject> {
        let (id, state, roles) = match self {
            Self::Anonymous => return None,
            Self::User(user) => {
                let roles = user.roles.iter().map(|role| role.as_str().to_owned()).collect();
                (user.id.as_str(), user.state.as_str(), roles)
            }
            Self::Setup(_) => (SETUP, "active", vec![SETUP.to_owned()]),
        };
        let (id, state) = (id.to_owned(), state.to_owned());
        Some(Subject {
            id,
            kind: None,
            state,
            roles,
            permission_groups: Vec::new(),
            level: None,
            otp: false,
            issued_at: None,
            properties: None,
        })
    }

    fn credential(&self) -> Credential {
        match self {
            Self::Anonymous => Credential::None,
            Self::User(_) | Self::Setup(_) => Credential::Token,
        }
    }
}

/// Id and role of whoever holds the setup token.
const SETUP: &str = "setup";
