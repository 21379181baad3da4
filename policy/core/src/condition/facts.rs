//! What a condition can ask of a request, in the form conditions see it.
//!
//! In: the request, what `decide` made of it (canonical path, host, tapes). Out: values; absent facts are `None`.
//! Host, country, continent and address are brought into their form when first asked for, and kept.

use core::net::{IpAddr, Ipv6Addr};

use portcullis_bundle::bytecode::Fact;

use super::Fault;
use super::machine::Machine;
use super::time::Time;
use super::value::{List, Map, Memory, Source, TapeOf, Text, Value};
use crate::host::Host;
use crate::properties::{Buffer, Tape};
use crate::request::{Names, Request, Subject, Target};

/// The facts of one request.
pub(crate) struct Facts<'a> {
    pub(crate) request: &'a Request<'a>,
    /// Canonical path; of no account for a target that is not HTTP.
    pub(crate) path: &'a str,
    pub(crate) host: Option<Host<'a>>,
    /// `properties` of the subject.
    pub(crate) subject: Option<Tape<'a>>,
    /// `properties` of the resource.
    pub(crate) resource: Option<Tape<'a>>,
    pub(crate) context: Option<Tape<'a>>,
}

/// Buffers for the tapes of one request.
#[derive(Debug, Default)]
pub(crate) struct Tapes {
    subject: Buffer,
    resource: Buffer,
    context: Buffer,
}

impl<'a> Facts<'a> {
    /// The facts of a request; `None` when its properties or context are not what they must be, so it is malformed.
    pub(crate) fn read(
        request: &'a Request<'a>,
        path: &'a str,
        host: Option<Host<'a>>,
        tapes: &'a mut Tapes,
    ) -> Option<Self> {
        let subject = request.subject.and_then(|subject| subject.properties);
        let resource = match request.target {
            Target::Resource { properties, .. } => properties,
            Target::Http { .. } => None,
        };
        Some(Self {
            request,
            path,
            host,
            subject: tapes.subject.read_some(subject)?,
            resource: tapes.resource.read_some(resource)?,
            context: tapes.context.read_some(request.context)?,
        })
    }

    pub(super) fn tape(&self, of: TapeOf) -> Option<&Tape<'a>> {
        match of {
            TapeOf::Subject => self.subject.as_ref(),
            TapeOf::Resource => self.resource.as_ref(),
            TapeOf::Context => self.context.as_ref(),
        }
    }

    /// A fact that is one text, as the request has it.
    pub(super) fn text(&self, fact: Fact) -> Option<&'a str> {
        let subject = self.request.subject.as_ref();
        match (fact, self.request.target) {
            (Fact::Action, _) | (Fact::RequestMethod, Target::Http { .. }) => Some(self.request.action),
            (Fact::SubjectId, _) => subject.map(|subject| subject.id),
            (Fact::SubjectType, _) => subject.and_then(|subject| subject.kind),
            (Fact::SubjectState, _) => subject.map(|subject| subject.state),
            (Fact::ResourceType, Target::Resource { kind, .. }) => Some(kind),
            (Fact::ResourceId, Target::Resource { id, .. }) => id,
            (Fact::RequestPath, Target::Http { .. }) => Some(self.path),
            (Fact::RequestCredential, _) => Some(self.request.credential.name()),
            _ => None,
        }
    }

    /// A fact that is a list of names.
    pub(super) fn names(&self, fact: Fact) -> Names<'a> {
        match (fact, self.request.subject) {
            (Fact::SubjectRoles, Some(Subject { roles, .. })) => roles,
            (Fact::SubjectPermissionGroups, Some(Subject { permission_groups, .. })) => permission_groups,
            _ => Names::NONE,
        }
    }
}

impl Machine<'_> {
    /// The value of `fact`; `None` when it is absent.
    pub(super) fn fact(&mut self, fact: Fact) -> Result<Option<Value>, Fault> {
        let facts = self.facts;
        let request = facts.request;
        let subject = request.subject.as_ref();
        let seconds = |seconds| Time::timestamp(seconds).map(Value::Timestamp);
        let map = |tape: &Option<Tape<'_>>, of| tape.is_some().then_some(Value::Map(Map::Tape(of, Tape::ROOT)));
        Ok(match fact {
            Fact::Now => request.now.and_then(seconds),
            Fact::Context => map(&facts.context, TapeOf::Context),
            Fact::SubjectRoles | Fact::SubjectPermissionGroups => subject.map(|_| Value::List(List::Names(fact))),
            Fact::SubjectLevel => subject.and_then(|subject| subject.level).map(|level| Value::Int(i64::from(level))),
            Fact::SubjectOtp => subject.map(|subject| Value::Bool(subject.otp)),
            Fact::SubjectIssuedAt => subject.and_then(|subject| subject.issued_at).and_then(seconds),
            Fact::SubjectProperties => map(&facts.subject, TapeOf::Subject),
            Fact::ResourceProperties => map(&facts.resource, TapeOf::Resource),
            Fact::RequestHost => match facts.host.filter(|_| matches!(request.target, Target::Http { .. })) {
                Some(host) => Some(self.computed(0, |memory| memory.cased(host.as_bytes(), u8::to_ascii_lowercase))?),
                None => None,
            },
            Fact::RequestSourceIp => match request.source_ip {
                Some(address) => Some(self.computed(1, |memory| memory.address(address))?),
                None => None,
            },
            Fact::RequestCountry => self.code(2, request.country)?,
            Fact::RequestContinent => self.code(3, request.continent)?,
            Fact::Action
            | Fact::SubjectId
            | Fact::SubjectType
            | Fact::SubjectState
            | Fact::ResourceType
            | Fact::ResourceId
            | Fact::RequestMethod
            | Fact::RequestPath
            | Fact::RequestCredential => facts
                .text(fact)
                .map(|text| Value::String(Text { source: Source::Fact(fact), start: 0, bytes: text.len() as u32 })),
        })
    }

    fn code(&mut self, slot: usize, code: Option<&str>) -> Result<Option<Value>, Fault> {
        let Some(code) = code else { return Ok(None) };
        self.computed(slot, |memory| memory.cased(code.as_bytes(), u8::to_ascii_uppercase)).map(Some)
    }

    /// What `compute` writes, or wrote before.
    fn computed(
        &mut self,
        slot: usize,
        compute: impl FnOnce(&mut Memory) -> Result<Text, Fault>,
    ) -> Result<Value, Fault> {
        let memory = &mut self.scratch.memory;
        if let Some(Some(text)) = memory.computed.get(slot) {
            return Ok(Value::String(*text));
        }
        let text = compute(memory)?;
        if let Some(place) = memory.computed.get_mut(slot) {
            *place = Some(text);
        }
        Ok(Value::String(text))
    }
}

impl Memory {
    fn cased(&mut self, text: &[u8], case: fn(&u8) -> u8) -> Result<Text, Fault> {
        self.reserve_bytes(text.len())?;
        let start = self.bytes.len();
        self.bytes.extend(text.iter().map(case));
        Ok(self.text_since(start))
    }

    /// An address in its usual form (RFC 5952), IPv4 also where it came mapped into IPv6.
    fn address(&mut self, address: IpAddr) -> Result<Text, Fault> {
        match address {
            IpAddr::V4(address) => self.write(format_args!("{address}")),
            IpAddr::V6(address) => self.ip(address.octets()),
        }
    }

    pub(super) fn ip(&mut self, octets: [u8; 16]) -> Result<Text, Fault> {
        let address = Ipv6Addr::from(octets);
        match address.to_ipv4_mapped() {
            Some(address) => self.write(format_args!("{address}")),
            None => self.write(format_args!("{address}")),
        }
    }
}
