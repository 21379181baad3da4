//! What a host asks: the facts of one request, borrowed from wherever the host keeps them.
//!
//! Nothing here is checked; `decide` checks. Facts that are absent never help the caller.

use core::net::IpAddr;

/// One request for a decision (design: "Request").
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// HTTP method, or the name of an action on a resource.
    pub action: &'a str,
    pub target: Target<'a>,
    /// Address of the client as the host trusts it; an IPv4-mapped IPv6 address counts as IPv4.
    pub source_ip: Option<IpAddr>,
    /// `None` is anonymous.
    pub subject: Option<Subject<'a>>,
    pub credential: Credential,
}

#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    Http {
        /// As received: any case, with or without port and trailing dot.
        host: Option<&'a str>,
        /// As received: raw path, with or without query.
        path: &'a str,
    },
    /// Something that is not HTTP.
    Resource { kind: &'a str, id: Option<&'a str> },
}

/// Who the decision is about, as the host verified it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub id: &'a str,
    /// Compared with the policy's `subject.states`.
    pub state: &'a str,
    /// Names the policy does not know are ignored.
    pub roles: &'a [&'a str],
    /// Names the policy does not know are ignored.
    pub permission_groups: &'a [&'a str],
    /// Whether the subject has a second factor.
    pub otp: bool,
}

impl Subject<'_> {
    /// State of a subject whose host does not say: the one a plain identity provider means.
    pub const DEFAULT_STATE: &'static str = "active";
    /// Longest list of roles, and of permission groups, of one subject; a longer one is malformed.
    pub const MAX_ROLES: usize = 256;
}

/// How the subject proved who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credential {
    #[default]
    None,
    Token,
    Session,
    ApiKey,
}

impl Credential {
    pub const ALL: [Self; 4] = [Self::None, Self::Token, Self::Session, Self::ApiKey];

    /// Name in JSON and in token claims.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token => "token",
            Self::Session => "session",
            Self::ApiKey => "api_key",
        }
    }

    /// The credential of that name; `None` for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}
