//! What a host asks: the facts of one request, borrowed from wherever the host keeps them.
//!
//! Nothing here is checked; `decide` checks. Facts that are absent never help the caller.

use core::net::IpAddr;

use zerocopy::little_endian::U32;

/// One request for a decision (design: "Request").
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// HTTP method, or the name of an action on a resource.
    pub action: &'a str,
    pub target: Target<'a>,
    /// Address of the client as the host trusts it; an IPv4-mapped IPv6 address counts as IPv4.
    pub source_ip: Option<IpAddr>,
    /// ISO 3166-1 alpha-2, in any case.
    pub country: Option<&'a str>,
    /// Two letters, in any case.
    pub continent: Option<&'a str>,
    /// `None` is anonymous.
    pub subject: Option<Subject<'a>>,
    pub credential: Credential,
    /// Facts about this request only, for conditions.
    pub context: Option<Properties<'a>>,
    /// Unix seconds.
    pub now: Option<u64>,
}

impl Request<'_> {
    /// Whether there is a text of JSON in it.
    #[inline]
    pub(crate) fn has_properties(&self) -> bool {
        let of_resource = matches!(self.target, Target::Resource { properties: Some(_), .. });
        let of_subject = matches!(self.subject, Some(Subject { properties: Some(_), .. }));
        self.context.is_some() || of_subject || of_resource
    }
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
    Resource { kind: &'a str, id: Option<&'a str>, properties: Option<Properties<'a>> },
}

/// Who the decision is about, as the host verified it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub id: &'a str,
    pub kind: Option<&'a str>,
    /// Compared with the policy's `subject.states`.
    pub state: &'a str,
    /// Names the policy does not know are ignored.
    pub roles: Names<'a>,
    /// Names the policy does not know are ignored.
    pub permission_groups: Names<'a>,
    /// How many of the policy's levels the subject has reached; absent counts as 0 for `min_level`.
    pub level: Option<u32>,
    /// Whether the subject has a second factor.
    pub otp: bool,
    /// When the token was issued, in unix seconds; absent is before every revocation.
    pub issued_at: Option<u64>,
    pub properties: Option<Properties<'a>>,
}

/// The text of a JSON object (RFC 8259): no duplicate keys, at most `limits::PROPERTIES_BYTES`.
/// Anything else makes the request malformed.
pub type Properties<'a> = &'a str;

/// A list of names, wherever the host keeps it.
#[derive(Clone, Copy, Debug)]
pub enum Names<'a> {
    Borrowed(&'a [&'a str]),
    Owned(&'a [String]),
    /// One behind the other; the lengths are in bytes, sum up to the text's, and end between characters.
    Packed {
        lengths: &'a [U32],
        text: &'a str,
    },
}

impl<'a> Names<'a> {
    pub const NONE: Names<'static> = Names::Borrowed(&[]);

    pub fn len(self) -> usize {
        match self {
            Self::Borrowed(names) => names.len(),
            Self::Owned(names) => names.len(),
            Self::Packed { lengths, .. } => lengths.len(),
        }
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub(crate) fn get(self, index: usize) -> Option<&'a str> {
        match self {
            Self::Borrowed(names) => names.get(index).copied(),
            Self::Owned(names) => names.get(index).map(String::as_str),
            Self::Packed { .. } => self.iter().nth(index),
        }
    }

    /// Faster than `iter` in a loop.
    #[inline]
    pub fn for_each(self, visit: impl FnMut(&'a str)) {
        match self {
            Self::Borrowed(names) => names.iter().copied().for_each(visit),
            Self::Owned(names) => names.iter().map(String::as_str).for_each(visit),
            Self::Packed { lengths, text } => unpack(lengths, text).for_each(visit),
        }
    }

    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        let (borrowed, owned): (&[&str], &[String]) = match self {
            Self::Borrowed(names) => (names, &[]),
            Self::Owned(names) => (&[], names),
            Self::Packed { .. } => (&[], &[]),
        };
        let packed = match self {
            Self::Packed { lengths, text } => Some(unpack(lengths, text)),
            Self::Borrowed(_) | Self::Owned(_) => None,
        };
        borrowed.iter().copied().chain(owned.iter().map(String::as_str)).chain(packed.into_iter().flatten())
    }
}

#[inline]
fn unpack<'a>(lengths: &'a [U32], mut text: &'a str) -> impl Iterator<Item = &'a str> {
    lengths.iter().map(move |length| {
        let (name, rest) = text.split_at_checked(length.get() as usize).unwrap_or((text, ""));
        text = rest;
        name
    })
}

impl<'a> From<&'a [&'a str]> for Names<'a> {
    fn from(names: &'a [&'a str]) -> Self {
        Self::Borrowed(names)
    }
}

impl<'a> From<&'a [String]> for Names<'a> {
    fn from(names: &'a [String]) -> Self {
        Self::Owned(names)
    }
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
