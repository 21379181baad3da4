//! Client address -> verdict of the restrictions (design: "Restrictions").
//!
//! In: the address a host trusts, or none. Out: trusted, denied by one restriction, or nothing.
//! Categories in order, inside one the scopes `all`, `ip`, `ip_subnet`; inside a scope the first in the document.

use core::net::IpAddr;

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{Address, Category, CategoryKind, NONE};

/// What the restrictions say about a request.
pub(crate) enum Verdict {
    Unrestricted,
    /// On the whitelist: no other category counts.
    Trusted,
    Denied {
        category: CategoryKind,
        restriction: u32,
    },
}

pub(crate) fn restrict(policy: &Policy, source_ip: Option<IpAddr>) -> Option<Verdict> {
    let address = source_ip.map(octets);
    for kind in CategoryKind::ALL {
        let Some(restriction) = first(policy, policy.category(kind)?, address)? else { continue };
        return Some(match kind {
            CategoryKind::Whitelist => Verdict::Trusted,
            category => Verdict::Denied { category, restriction },
        });
    }
    Some(Verdict::Unrestricted)
}

/// The restriction of `category` that applies; the outer option is for bytes that cannot be read.
#[expect(clippy::option_option, reason = "not found and not readable are different answers")]
fn first(policy: &Policy, category: &Category, address: Option<[u8; 16]>) -> Option<Option<u32>> {
    if category.all.get() != NONE {
        return Some(Some(category.all.get()));
    }
    let Some(address) = address else { return Some(None) };
    if let Some(found) = find(policy.addresses(category.addresses)?, address) {
        return Some(Some(found));
    }
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

fn find(addresses: &[Address], octets: [u8; 16]) -> Option<u32> {
    let at = addresses.binary_search_by(|address| address.octets.cmp(&octets)).ok()?;
    Some(addresses.get(at)?.restriction.get())
}

/// Bits before the IPv4 address in an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2).
const IPV4_PREFIX: u8 = 96;

/// The address as IPv6; IPv4 in its mapped form.
fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn is_ipv4(address: [u8; 16]) -> bool {
    core::net::Ipv6Addr::from(address).to_ipv4_mapped().is_some()
}

/// The address with all but its first `prefix` bits zero.
fn masked(address: [u8; 16], prefix: u8) -> [u8; 16] {
    let shift = 128_u32.saturating_sub(u32::from(prefix));
    let mask = u128::MAX.checked_shl(shift).unwrap_or(0);
    (u128::from_be_bytes(address) & mask).to_be_bytes()
}
