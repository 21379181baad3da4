//! A request as flat bytes.

use core::net::IpAddr;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Texts, WIRE_VERSION, Writer};
use crate::request::{Credential, Names, Request, Subject, Target};

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

/// Bits of `RequestHead::has`.
mod has {
    pub const SUBJECT: u16 = 1;
    pub const OTP: u16 = 1 << 1;
    pub const RESOURCE: u16 = 1 << 2;
    pub const ADDRESS: u16 = 1 << 3;
    pub const LEVEL: u16 = 1 << 4;
    pub const NOW: u16 = 1 << 5;
    pub const ISSUED_AT: u16 = 1 << 6;
}

/// Texts beside the names of roles and groups: action, path or type, host or id, resource's properties, country,
/// continent, context; subject's id, kind, state, properties.
const TEXTS: usize = 11;

/// The request in `bytes`; `None` when they are not one. It is checked no more than any other request.
#[inline]
pub fn decode_request(bytes: &[u8]) -> Option<Request<'_>> {
    let (head, rest) = RequestHead::ref_from_prefix(bytes).ok()?;
    if head.version != WIRE_VERSION {
        return None;
    }
    let (roles, groups) = (usize::from(head.roles.get()), usize::from(head.groups.get()));
    let count = TEXTS.wrapping_add(roles).wrapping_add(groups);
    let (lengths, text) = <[U32]>::ref_from_prefix_with_elems(rest, count).ok()?;
    let mut texts = Texts { lengths, text: core::str::from_utf8(text).ok()? };
    let has = |bit: u16| head.has.get() & bit != 0;

    let action = texts.required()?;
    let (first, second, properties) = (texts.required()?, texts.next()?, texts.next()?);
    let target = if has(has::RESOURCE) {
        Target::Resource { kind: first, id: second, properties }
    } else {
        Target::Http { host: second, path: first }
    };
    let (country, continent, context) = (texts.next()?, texts.next()?, texts.next()?);
    let (id, kind, state, properties) = (texts.next()?, texts.next()?, texts.next()?, texts.next()?);
    let roles = names(&mut texts, roles)?;
    let permission_groups = names(&mut texts, groups)?;
    let subject = if has(has::SUBJECT) {
        Some(Subject {
            id: id?,
            kind,
            state: state?,
            roles,
            permission_groups,
            level: has(has::LEVEL).then(|| head.level.get()),
            otp: has(has::OTP),
            issued_at: has(has::ISSUED_AT).then(|| head.issued_at.get()),
            properties,
        })
    } else {
        None
    };
    Some(Request {
        action,
        target,
        source_ip: has(has::ADDRESS).then(|| IpAddr::from(head.address).to_canonical()),
        country,
        continent,
        subject,
        credential: *Credential::ALL.get(usize::from(head.credential))?,
        context,
        now: has(has::NOW).then(|| head.now.get()),
    })
}

/// The next `count` texts, each of which must be there.
#[inline]
fn names<'a>(texts: &mut Texts<'a>, count: usize) -> Option<Names<'a>> {
    let (lengths, rest) = texts.lengths.split_at_checked(count)?;
    let mut total: usize = 0;
    for length in lengths {
        let end = total.checked_add(length.get() as usize)?;
        if !texts.text.is_char_boundary(end) {
            return None;
        }
        total = end;
    }
    let (text, behind) = texts.text.split_at_checked(total)?;
    (texts.lengths, texts.text) = (rest, behind);
    Some(Names::Packed { lengths, text })
}

/// Appends the bytes of `request`; false when it has more names than any request may have.
pub fn encode_request(request: &Request<'_>, bytes: &mut Vec<u8>) -> bool {
    let Request { action, target, source_ip, country, continent, subject, credential, context, now } = request;
    let names = |names: fn(&Subject<'_>) -> usize| subject.as_ref().map_or(0, names);
    let (roles, groups) = (names(|subject| subject.roles.len()), names(|subject| subject.permission_groups.len()));
    let (Ok(role_count), Ok(group_count)) = (u16::try_from(roles), u16::try_from(groups)) else { return false };
    let address = source_ip.map(|address| match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    });
    let (level, issued_at) = match subject {
        Some(subject) => (subject.level, subject.issued_at),
        None => (None, None),
    };
    let bits = [
        (has::SUBJECT, subject.is_some()),
        (has::OTP, subject.as_ref().is_some_and(|subject| subject.otp)),
        (has::RESOURCE, matches!(target, Target::Resource { .. })),
        (has::ADDRESS, address.is_some()),
        (has::LEVEL, level.is_some()),
        (has::NOW, now.is_some()),
        (has::ISSUED_AT, issued_at.is_some()),
    ];
    let head = RequestHead {
        version: WIRE_VERSION,
        credential: *credential as u8,
        has: U16::new(bits.into_iter().filter(|(_, is)| *is).fold(0, |all, (bit, _)| all | bit)),
        level: U32::new(level.unwrap_or(0)),
        now: U64::new(now.unwrap_or(0)),
        issued_at: U64::new(issued_at.unwrap_or(0)),
        address: address.unwrap_or_default(),
        roles: U16::new(role_count),
        groups: U16::new(group_count),
    };
    let mut writer = Writer::new(bytes, head.as_bytes(), TEXTS.saturating_add(roles).saturating_add(groups));
    writer.write(Some(action));
    match *target {
        Target::Http { host, path } => [Some(path), host, None].into_iter().for_each(|text| writer.write(text)),
        Target::Resource { kind, id, properties } => {
            [Some(kind), id, properties].into_iter().for_each(|text| writer.write(text));
        }
    }
    [*country, *continent, *context].into_iter().for_each(|text| writer.write(text));
    match subject {
        None => [None; 4].into_iter().for_each(|text| writer.write(text)),
        Some(subject) => {
            let Subject { id, kind, state, properties, .. } = *subject;
            [Some(id), kind, Some(state), properties].into_iter().for_each(|text| writer.write(text));
            subject.roles.for_each(|name| writer.write(Some(name)));
            subject.permission_groups.for_each(|name| writer.write(Some(name)));
        }
    }
    true
}
