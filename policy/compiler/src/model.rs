//! The policy as checked: true by construction, nothing about text and positions.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use portcullis_bundle::Reason;
use portcullis_bundle::layout::{CategoryKind, Class, PathKind, PrincipalKind};

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) rules: Vec<Rule>,
    pub(crate) public: Vec<Target>,
    pub(crate) blocked: Vec<Target>,
    pub(crate) restrictions: Vec<Restriction>,
    pub(crate) states: Vec<String>,
    pub(crate) api_key_requires_otp: bool,
    /// By `Reason`.
    pub(crate) statuses: [u16; Reason::COUNT],
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    /// `Deny`, `Allow` or `Audit`.
    pub(crate) class: Class,
    pub(crate) who: Who,
    pub(crate) target: Target,
    /// Empty unless the class is `Audit`.
    pub(crate) topic: String,
}

/// Whom a rule is for: any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who {
    pub(crate) anyone: bool,
    pub(crate) authenticated: bool,
    /// Inheritance and permissions resolved.
    pub(crate) principals: BTreeSet<Principal>,
}

pub(crate) type Principal = (PrincipalKind, String);

/// An HTTP target; what it does not name, it does not ask.
#[derive(Debug, Default)]
pub(crate) struct Target {
    /// Empty is any host.
    pub(crate) hosts: Vec<Host>,
    /// In upper case; empty is any method.
    pub(crate) methods: BTreeSet<String>,
    pub(crate) path: Option<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    /// In lower case.
    Exact(String),
    /// In lower case, with the leading dot.
    Suffix(String),
}

/// A path pattern that some canonical path matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) kind: PathKind,
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct Restriction {
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
}

/// Addresses that share their first `prefix` of 128 bits; IPv4 in its mapped form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) address: Ipv6Addr,
    pub(crate) prefix: u8,
}
