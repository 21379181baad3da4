//! A request as flat bytes.

use core::net::IpAddr;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Texts, WIRE_VERSION, Writer};
use crate::request::{Credential, Names, Request, Subject, Target};
use crate::restrict::octets;

/// What comes before the lengths.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RequestHead {
    /// `WIRE_VERSION`.
    version: u8,
    /// Place in `Credential::ALL`.
    credential: u8,
    /// See `has`.
    has: U16,
    level: U32,
    now: U64,
    issued_at: U64,
    /// IPv6, or IPv4-mapped IPv6 for IPv4.
    address: [u8; 16],
    roles: U16,
    groups: U16,
}

/// Bits of `RequestHead::has`: facts of the head, then texts in their order.
mod has {
    pub const SUBJECT: u16 = 1;
    pub const OTP: u16 = 1 << 1;
    pub const RESOURCE: u16 = 1 << 2;
    pub const ADDRESS: u16 = 1 << 3;
    pub const LEVEL: u16 = 1 << 4;
    pub const NOW: u16 = 1 << 5;
    pub const ISSUED_AT: u16 = 1 << 6;
    /// Host, or id of a resource.
    pub const PLACE: u16 = 1 << 7;
    pub const KIND: u16 = 1 << 8;
    pub const PROPERTIES: u16 = 1 << 9;
    pub const RESOURCE_PROPERTIES: u16 = 1 << 10;
    pub const COUNTRY: u16 = 1 << 11;
    pub const CONTINENT: u16 = 1 << 12;
    pub const CONTEXT: u16 = 1 << 13;
    /// Texts that few requests have.
    pub const RARE: u16 = KIND | PROPERTIES | RESOURCE_PROPERTIES | COUNTRY | CONTINENT | CONTEXT;
    pub const TEXTS: u16 = PLACE | RARE;
}

/// Texts of every request: action, path or type.
const TEXTS: usize = 2;
/// Texts of every subject, beside names of roles and groups: id, state.
const SUBJECT_TEXTS: usize = 2;

/// How many texts there are.
fn count(has: u16, roles: usize, groups: usize) -> usize {
    let of_subject = if has & has::SUBJECT != 0 { SUBJECT_TEXTS } else { 0 };
    TEXTS
        .wrapping_add((has & has::TEXTS).count_ones() as usize)
        .wrapping_add(of_subject)
        .wrapping_add(roles)
        .wrapping_add(groups)
}

/// The request in `bytes`; `None` when they are not one. It is checked no more than any other request.
#[inline]
pub fn decode_request(bytes: &[u8]) -> Option<Request<'_>> {
    let (head, rest) = RequestHead::ref_from_prefix(bytes).ok()?;
    if head.version != WIRE_VERSION {
        return None;
    }
    let (roles, groups) = (usize::from(head.roles.get()), usize::from(head.groups.get()));
    let has = head.has.get();
    let (lengths, text) = <[U32]>::ref_from_prefix_with_elems(rest, count(has, roles, groups)).ok()?;
    let mut texts = Texts { lengths, text: core::str::from_utf8(text).ok()? };
    let is = |bit: u16| has & bit != 0;

    let action = texts.required()?;
    let first = texts.required()?;
    let place = if is(has::PLACE) { Some(texts.required()?) } else { None };
    let (id, state) = if is(has::SUBJECT) { (texts.required()?, texts.required()?) } else { ("", "") };
    let (roles, permission_groups) = (names(&mut texts, roles)?, names(&mut texts, groups)?);
    let rare = if has & has::RARE == 0 { Rare::default() } else { Rare::read(texts, has)? };
    Some(Request {
        action,
        target: if is(has::RESOURCE) {
            Target::Resource { kind: first, id: place, properties: rare.of_resource }
        } else {
            Target::Http { host: place, path: first }
        },
        source_ip: is(has::ADDRESS).then(|| IpAddr::from(head.address).to_canonical()),
        country: rare.country,
        continent: rare.continent,
        subject: if is(has::SUBJECT) {
            Some(Subject {
                id,
                state,
                kind: rare.kind,
                properties: rare.properties,
                roles,
                permission_groups,
                level: is(has::LEVEL).then(|| head.level.get()),
                otp: is(has::OTP),
                issued_at: is(has::ISSUED_AT).then(|| head.issued_at.get()),
            })
        } else {
            None
        },
        credential: *Credential::ALL.get(usize::from(head.credential))?,
        context: rare.context,
        now: is(has::NOW).then(|| head.now.get()),
    })
}

/// The texts that few requests have.
#[derive(Default)]
struct Rare<'a> {
    kind: Option<&'a str>,
    properties: Option<&'a str>,
    of_resource: Option<&'a str>,
    country: Option<&'a str>,
    continent: Option<&'a str>,
    context: Option<&'a str>,
}

impl<'a> Rare<'a> {
    #[cold]
    fn read(mut texts: Texts<'a>, has: u16) -> Option<Self> {
        let mut next = |bit: u16| if has & bit == 0 { Some(None) } else { texts.required().map(Some) };
        Some(Self {
            kind: next(has::KIND)?,
            properties: next(has::PROPERTIES)?,
            of_resource: next(has::RESOURCE_PROPERTIES)?,
            country: next(has::COUNTRY)?,
            continent: next(has::CONTINENT)?,
            context: next(has::CONTEXT)?,
        })
    }
}

/// The next `count` texts, each of which must be there.
#[inline]
fn names<'a>(texts: &mut Texts<'a>, count: usize) -> Option<Names<'a>> {
    if count == 0 {
        return Some(Names::NONE);
    }
    let (lengths, rest) = texts.lengths.split_at_checked(count)?;
    let mut total: usize = 0;
    for length in lengths {
        total = total.checked_add(length.get() as usize)?;
        // Behind the end of the text is what the last length finds out.
        if texts.text.as_bytes().get(total).is_some_and(|&byte| byte & 0xC0 == 0x80) {
            return None;
        }
    }
    let (text, behind) = texts.text.split_at_checked(total)?;
    (texts.lengths, texts.text) = (rest, behind);
    Some(Names::Packed { lengths, text })
}

/// Appends the bytes of `request`; false when it has more names than any request may have.
pub fn encode_request(request: &Request<'_>, bytes: &mut Vec<u8>) -> bool {
    let Request { action, target, source_ip, country, continent, subject, credential, context, now } = *request;
    let (is_resource, first, place, properties) = match target {
        Target::Http { host, path } => (false, path, host, None),
        Target::Resource { kind, id, properties } => (true, kind, id, properties),
    };
    let address = source_ip.map(octets);
    let bit = |is: bool, bit: u16| if is { bit } else { 0 };
    let mut has = bit(is_resource, has::RESOURCE)
        | bit(address.is_some(), has::ADDRESS)
        | bit(now.is_some(), has::NOW)
        | bit(place.is_some(), has::PLACE)
        | bit(properties.is_some(), has::RESOURCE_PROPERTIES)
        | bit(country.is_some(), has::COUNTRY)
        | bit(continent.is_some(), has::CONTINENT)
        | bit(context.is_some(), has::CONTEXT);
    let (mut roles, mut groups, mut level, mut issued_at) = (0, 0, None, None);
    if let Some(subject) = &subject {
        has |= has::SUBJECT
            | bit(subject.otp, has::OTP)
            | bit(subject.level.is_some(), has::LEVEL)
            | bit(subject.issued_at.is_some(), has::ISSUED_AT)
            | bit(subject.kind.is_some(), has::KIND)
            | bit(subject.properties.is_some(), has::PROPERTIES);
        (level, issued_at) = (subject.level, subject.issued_at);
        (roles, groups) = (subject.roles.len(), subject.permission_groups.len());
    }
    let (Ok(role_count), Ok(group_count)) = (u16::try_from(roles), u16::try_from(groups)) else { return false };
    let head = RequestHead {
        version: WIRE_VERSION,
        credential: credential as u8,
        has: U16::new(has),
        level: U32::new(level.unwrap_or(0)),
        now: U64::new(now.unwrap_or(0)),
        issued_at: U64::new(issued_at.unwrap_or(0)),
        address: address.unwrap_or_default(),
        roles: U16::new(role_count),
        groups: U16::new(group_count),
    };
    let mut writer = Writer::new(bytes, head.as_bytes(), count(has, roles, groups));
    writer.write(action);
    writer.write(first);
    place.into_iter().for_each(|text| writer.write(text));
    let (mut kind, mut of_subject) = (None, None);
    if let Some(subject) = subject {
        writer.write(subject.id);
        writer.write(subject.state);
        subject.roles.for_each(|name| writer.write(name));
        subject.permission_groups.for_each(|name| writer.write(name));
        (kind, of_subject) = (subject.kind, subject.properties);
    }
    let rare = [kind, of_subject, properties, country, continent, context];
    rare.into_iter().flatten().for_each(|text| writer.write(text));
    true
}
