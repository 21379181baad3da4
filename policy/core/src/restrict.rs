//! Where a request comes from -> verdict of the restrictions (design: "Restrictions").
//!
//! In: address, country and continent as a host trusts them, or none. Out: trusted, denied by one restriction, or
//! nothing. Categories in order, inside one the scopes in order; inside a scope the first in the document.

use core::net::IpAddr;

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{Address, Category, CategoryKind, NONE, Range};

use crate::request::Request;

/// What the restrictions say about a request.
#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    Unrestricted,
    /// On the whitelist: no other category counts.
    Trusted,
    /// `BlockLogin` only counts where a login target matches.
    Denied {
        category: CategoryKind,
        restriction: u32,
    },
}

#[inline]
pub(crate) fn restrict(policy: &Policy, request: &Request<'_>) -> Option<Verdict> {
    if policy.has_restrictions() { by_category(policy, request) } else { Some(Verdict::Unrestricted) }
}

fn by_category(policy: &Policy, request: &Request<'_>) -> Option<Verdict> {
    let origin = Origin {
        address: request.source_ip.map(octets),
        country: request.country.and_then(code),
        continent: request.continent.and_then(code),
    };
    for kind in CategoryKind::ALL {
        let Some(restriction) = first(policy, policy.category(kind)?, &origin)? else { continue };
        return Some(match kind {
            CategoryKind::Whitelist => Verdict::Trusted,
            category => Verdict::Denied { category, restriction },
        });
    }
    Some(Verdict::Unrestricted)
}

struct Origin {
    /// As IPv6.
    address: Option<[u8; 16]>,
    /// In upper case.
    country: Option<[u8; 2]>,
    continent: Option<[u8; 2]>,
}

/// The restriction of `category` that applies; the outer option is for bytes that cannot be read.
#[expect(clippy::option_option, reason = "not found and not readable are different answers")]
fn first(policy: &Policy, category: &Category, origin: &Origin) -> Option<Option<u32>> {
    if category.all.get() != NONE {
        return Some(Some(category.all.get()));
    }
    if let Some(address) = origin.address {
        let found = match find(policy.addresses(category.addresses)?, address) {
            Some(found) => Some(found),
            None => network(policy, category, address)?,
        };
        if found.is_some() {
            return Some(found);
        }
    }
    Some(match place(policy, category.countries, origin.country)? {
        Some(found) => Some(found),
        None => place(policy, category.continents, origin.continent)?,
    })
}

#[expect(clippy::option_option, reason = "as in `first`")]
fn network(policy: &Policy, category: &Category, address: [u8; 16]) -> Option<Option<u32>> {
    let mut found: Option<u32> = None;
    for network in policy.networks(category.networks)? {
        // A shorter prefix is an IPv6 network that only happens to hold the range of mapped addresses.
        if is_ipv4(address) && network.prefix < IPV4_PREFIX {
            continue;
        }
        let key = masked(address, network.prefix);
        if let Some(restriction) = find(policy.addresses(network.addresses)?, key) {
            found = Some(found.map_or(restriction, |before| before.min(restriction)));
        }
    }
    Some(found)
}

#[expect(clippy::option_option, reason = "as in `first`")]
fn place(policy: &Policy, places: Range, code: Option<[u8; 2]>) -> Option<Option<u32>> {
    let Some(code) = code else { return Some(None) };
    let places = policy.places(places)?;
    let at = places.binary_search_by(|place| place.code.cmp(&code)).ok();
    Some(at.and_then(|at| places.get(at)).map(|place| place.restriction.get()))
}

/// Two letters in upper case; any other text is no place.
fn code(text: &str) -> Option<[u8; 2]> {
    <[u8; 2]>::try_from(text.as_bytes()).ok().map(|code| code.map(|letter| letter.to_ascii_uppercase()))
}

fn find(addresses: &[Address], octets: [u8; 16]) -> Option<u32> {
    let at = addresses.binary_search_by(|address| address.octets.cmp(&octets)).ok()?;
    Some(addresses.get(at)?.restriction.get())
}

/// Bits before the IPv4 address in an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2).
pub(crate) const IPV4_PREFIX: u8 = 96;

/// The address as IPv6; IPv4 in its mapped form.
pub(crate) fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

pub(crate) fn is_ipv4(address: [u8; 16]) -> bool {
    core::net::Ipv6Addr::from(address).to_ipv4_mapped().is_some()
}

/// The address with all but its first `prefix` bits zero.
pub(crate) fn masked(address: [u8; 16], prefix: u8) -> [u8; 16] {
    let shift = 128_u32.saturating_sub(u32::from(prefix));
    let mask = u128::MAX.checked_shl(shift).unwrap_or(0);
    (u128::from_be_bytes(address) & mask).to_be_bytes()
}
