//! The policy as checked: true by construction. Of the text only the places are left that lints and tests name.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use portcullis_bundle::Reason;
use portcullis_bundle::layout::{CategoryKind, Class, PrincipalKind};

use crate::conditions::Conditions;
use crate::decision::Obligation;
use crate::request::Request;
use crate::schema::Schemas;
use crate::shared::Shared;
use crate::tree::Position;

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) rules: Vec<Rule>,
    pub(crate) routes: Vec<Route>,
    pub(crate) public: Vec<Target>,
    pub(crate) blocked: Vec<Target>,
    pub(crate) login: Vec<Target>,
    pub(crate) levels: Vec<(String, String)>,
    /// The conditions that rules name by number.
    pub(crate) conditions: Conditions,
    pub(crate) restrictions: Vec<Restriction>,
    pub(crate) states: Vec<String>,
    pub(crate) api_key_requires_otp: bool,
    /// By `Reason`.
    pub(crate) statuses: [u16; Reason::COUNT],
    pub(crate) tests: Vec<PolicyTest>,
    pub(crate) schemas: Schemas,
    pub(crate) validations: Vec<Validation>,
}

/// Request bodies that must satisfy a schema.
#[derive(Debug)]
pub(crate) struct Validation {
    pub(crate) target: Target,
    /// Name of the schema.
    pub(crate) schema: String,
    /// In lower case; empty is any.
    pub(crate) content_types: Vec<String>,
}

/// A request, and what of the decision on it is expected.
#[derive(Debug)]
pub(crate) struct PolicyTest {
    pub(crate) at: Position,
    pub(crate) name: String,
    pub(crate) request: Request,
    pub(crate) expect: Expect,
}

/// `None` is not asked.
#[derive(Debug)]
pub(crate) struct Expect {
    pub(crate) decision: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) status: Option<u16>,
    pub(crate) rules: Option<Vec<String>>,
    #[expect(clippy::option_option, reason = "`null` is an expectation too")]
    pub(crate) restriction: Option<Option<String>>,
    pub(crate) obligations: Option<Vec<Obligation>>,
    pub(crate) errors: Option<Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) at: Position,
    /// As given; a rule without one is called by its position.
    pub(crate) id: Option<Box<str>>,
    /// `Deny`, `Allow` or `Audit`.
    pub(crate) class: Class,
    pub(crate) who: Shared<Who>,
    pub(crate) on: On,
    pub(crate) min_level: u16,
    /// Number of the condition.
    pub(crate) condition: Option<u32>,
    /// Audit stream; every audit rule has one, no other.
    pub(crate) topic: Option<Box<str>>,
}

impl Rule {
    /// What decisions call the rule when it is the `index`th of the document.
    pub(crate) fn name(&self, index: usize) -> String {
        self.id.as_deref().map_or_else(|| format!("rules[{index}]"), str::to_owned)
    }
}

/// What a rule is about.
#[derive(Debug)]
pub(crate) enum On {
    Http(Target),
    Resource(Box<ResourceTarget>),
}

/// Whom a rule is for: any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Who {
    pub(crate) anyone: bool,
    pub(crate) authenticated: bool,
    /// Inheritance and permissions resolved.
    pub(crate) principals: BTreeSet<Principal>,
}

pub(crate) type Principal = (PrincipalKind, String);

/// An HTTP target; what it does not name, it does not ask.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) at: Position,
    /// Empty is any host.
    pub(crate) hosts: Shared<Vec<Host>>,
    /// In upper case; empty is any method.
    pub(crate) methods: Shared<BTreeSet<String>>,
    pub(crate) path: Option<Pattern>,
}

/// Things that are not HTTP. No list is empty but `ids`, which then is any id and none.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ResourceTarget {
    pub(crate) actions: BTreeSet<Name>,
    pub(crate) kinds: BTreeSet<Name>,
    pub(crate) ids: BTreeSet<ResourceId>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Name {
    Any,
    Exact(String),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ResourceId {
    Exact(String),
    Prefix(String),
}

/// The path patterns of one host.
#[derive(Debug)]
pub(crate) struct Route {
    /// In lower case; `None` is any host.
    pub(crate) host: Option<String>,
    pub(crate) paths: Vec<RoutePath>,
}

#[derive(Debug)]
pub(crate) struct RoutePath {
    pub(crate) at: Position,
    /// A regular expression.
    pub(crate) pattern: String,
    pub(crate) methods: Vec<RouteMethod>,
}

#[derive(Debug)]
pub(crate) struct RouteMethod {
    /// In upper case; `None` is any method.
    pub(crate) method: Option<String>,
    /// Who has one of the permissions.
    pub(crate) who: Shared<Who>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Host {
    /// In lower case.
    Exact(String),
    /// In lower case, with the leading dot.
    Suffix(String),
}

/// How a path pattern is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PathKind {
    Exact,
    Under,
    Prefix,
    Template,
    Regex,
}

/// A path pattern that some canonical path matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) kind: PathKind,
    pub(crate) text: Box<str>,
}

#[derive(Debug)]
pub(crate) struct Restriction {
    pub(crate) at: Position,
    pub(crate) id: String,
    pub(crate) category: CategoryKind,
    pub(crate) scope: Scope,
    /// HTTP status.
    pub(crate) code: u16,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    All,
    /// IPv4 in its mapped form.
    Address(Ipv6Addr),
    Network(Network),
    /// Two letters in upper case.
    Country([u8; 2]),
    Continent([u8; 2]),
}

/// Addresses that share their first `prefix` of 128 bits; IPv4 in its mapped form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) address: Ipv6Addr,
    pub(crate) prefix: u8,
}
