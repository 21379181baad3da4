//! The facts of a request in the form that rules compare; refuses malformed ones.
//!
//! In: a request as the host has it. Out: canonical path, host and method bit, or action, type and id; or that the
//! request is malformed (design: "Normalization").

use portcullis_bundle::Records;
use portcullis_bundle::layout::OTHER_METHOD;
use portcullis_bundle::limits::RESOURCE_ID_BYTES;

use crate::condition::{Facts, Tapes};
use crate::host::Host;
use crate::path::{PathBuffer, Segments};
use crate::request::{Request, Subject, Target};

/// A request that is not malformed.
pub(crate) enum Normalized<'a> {
    Http(Http<'a>),
    Resource { action: &'a str, kind: &'a str, id: Option<&'a str> },
}

/// What HTTP targets compare.
pub(crate) struct Http<'a> {
    pub(crate) path: Segments<'a>,
    pub(crate) host: Option<Host<'a>>,
    /// Bit in `Guard::methods`.
    pub(crate) method: u64,
}

impl<'a> Normalized<'a> {
    /// `None` when the request is malformed.
    #[inline]
    pub(crate) fn new(records: &Records<'_>, request: &Request<'a>, buffer: &'a mut PathBuffer) -> Option<Self> {
        if let Some(subject) = &request.subject
            && subject.roles.len().max(subject.permission_groups.len()) > Subject::MAX_ROLES
        {
            return None;
        }
        let action = request.action;
        match request.target {
            Target::Resource { kind, id, .. } => {
                let is_id = id.is_none_or(|id| id.len() <= RESOURCE_ID_BYTES);
                (!action.is_empty() && is_id).then_some(Self::Resource { action, kind, id })
            }
            Target::Http { host, path: raw } => {
                let path = buffer.canonical(raw).ok()?;
                let host = match host {
                    None | Some("") => None,
                    Some(authority) => Some(Host::parse(authority)?),
                };
                let method = match records.method_bit(action) {
                    Some(bit) => bit,
                    None if is_method(action.as_bytes()) => OTHER_METHOD,
                    None => return None,
                };
                Some(Self::Http(Http { path, host, method }))
            }
        }
    }

    /// The facts for conditions; `None` when properties or context are malformed.
    #[inline]
    pub(crate) fn facts<'t>(&self, request: &'t Request<'t>, tapes: &'t mut Tapes) -> Option<Facts<'t>>
    where
        'a: 't,
    {
        let (path, host) = match self {
            Self::Http(http) => (core::str::from_utf8(http.path.text).ok()?, http.host),
            Self::Resource { .. } => ("", None),
        };
        Facts::read(request, path, host, tapes)
    }

    pub(crate) fn http(&self) -> Option<&Http<'a>> {
        match self {
            Self::Http(http) => Some(http),
            Self::Resource { .. } => None,
        }
    }
}

/// Whether `method` is an HTTP method: a token (RFC 9110 sections 9.1 and 5.6.2).
pub fn is_method(method: &[u8]) -> bool {
    let is_token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !method.is_empty() && method.iter().all(is_token_byte)
}
