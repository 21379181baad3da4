//! A request and a bundle in one input: two bytes that say how long the request is, the request, the bundle.

use std::net::IpAddr;

use arbitrary::{Arbitrary, Unstructured};
use portcullis_core::{Credential, Names, Request, Subject, Target, wire};

/// An input of the target `decide`.
pub struct Question<'a> {
    request: &'a [u8],
    pub bundle: &'a [u8],
}

impl<'a> Question<'a> {
    pub fn new(input: &'a [u8]) -> Option<Self> {
        let (length, rest) = input.split_first_chunk()?;
        let (request, bundle) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        Some(Self { request, bundle })
    }

    /// The input that is this question; `None` when the request is too long.
    pub fn input(request: &[u8], bundle: &[u8]) -> Option<Vec<u8>> {
        let length = u16::try_from(request.len()).ok()?;
        Some([&length.to_le_bytes(), request, bundle].concat())
    }

    /// The encoded request, or whatever `arbitrary` makes of bytes that are none.
    pub fn ask(&self, ask: impl FnOnce(&Request<'_>)) {
        match wire::decode_request(self.request) {
            Some(request) => ask(&request),
            None => with_request(self.request, ask),
        }
    }
}

/// Makes a request of any bytes.
fn with_request(bytes: &[u8], ask: impl FnOnce(&Request<'_>)) {
    let mut bytes = Unstructured::new(bytes);
    // Bytes that run out are zeros to `arbitrary`; only what is not UTF-8 has no meaning.
    let Ok(facts) = Facts::arbitrary(&mut bytes) else { return };
    let Facts { action, target, source_ip, country, continent, subject, credential, context, now } = &facts;
    ask(&Request {
        action,
        target: match *target {
            Asked::Http { host, path } => Target::Http { host, path },
            Asked::Resource { kind, id, properties } => Target::Resource { kind, id, properties },
        },
        source_ip: *source_ip,
        country: *country,
        continent: *continent,
        subject: subject.as_ref().map(Who::subject),
        credential: Credential::ALL[usize::from(credential % 4)],
        context: *context,
        now: *now,
    });
}

#[derive(Arbitrary)]
struct Facts<'a> {
    action: &'a str,
    target: Asked<'a>,
    source_ip: Option<IpAddr>,
    country: Option<&'a str>,
    continent: Option<&'a str>,
    subject: Option<Who<'a>>,
    credential: u8,
    context: Option<&'a str>,
    now: Option<u64>,
}

#[derive(Arbitrary)]
enum Asked<'a> {
    Http { host: Option<&'a str>, path: &'a str },
    Resource { kind: &'a str, id: Option<&'a str>, properties: Option<&'a str> },
}

#[derive(Arbitrary)]
struct Who<'a> {
    id: &'a str,
    kind: Option<&'a str>,
    state: &'a str,
    roles: Vec<&'a str>,
    permission_groups: Vec<&'a str>,
    level: Option<u32>,
    otp: bool,
    issued_at: Option<u64>,
    properties: Option<&'a str>,
}

impl Who<'_> {
    fn subject(&self) -> Subject<'_> {
        let Self { id, kind, state, roles, permission_groups, level, otp, issued_at, properties } = self;
        Subject {
            id,
            kind: *kind,
            state,
            roles: Names::Borrowed(roles),
            permission_groups: Names::Borrowed(permission_groups),
            level: *level,
            otp: *otp,
            issued_at: *issued_at,
            properties: *properties,
        }
    }
}
