//! Restrictions (section 4).

use std::net::IpAddr;

use portcullis_runtime::{Reason, Request};

use super::document::{Document, Restriction};

const CATEGORIES: [[&str; 2]; 4] = [
    ["whitelist", "allowlist"],
    ["maintenance", "maintenance"],
    ["blacklist", "denylist"],
    ["blocklogin", "blocklogin"],
];
const SCOPES: [&str; 5] = ["all", "ip", "ip_subnet", "country", "continent"];

/// Reason, id and status of the restriction that denies.
pub fn restrict(document: &Document, request: &Request, is_login: bool) -> Option<(Reason, String, u16)> {
    for category in CATEGORIES {
        for scope in SCOPES {
            for (at, one) in document.restrictions.iter().enumerate() {
                let is_enabled = one.state.as_deref() != Some("disabled");
                let is_of_category = category.contains(&one.category.as_str());
                if !is_enabled || !is_of_category || one.scope != scope || !matches(one, request) {
                    continue;
                }
                let reason = match category[0] {
                    "whitelist" => return None,
                    "maintenance" => Reason::RestrictedMaintenance,
                    "blacklist" => Reason::RestrictedBlacklist,
                    _ if !is_login => continue,
                    _ => Reason::RestrictedLogin,
                };
                let default = match (category[0], scope) {
                    ("maintenance", _) => 471,
                    (_, "continent" | "country") => 423,
                    (_, "ip_subnet") => 403,
                    _ => 401,
                };
                let status = one.code.or(document.statuses.get(reason.name()).copied()).unwrap_or(default);
                return Some((reason, one.id.clone().unwrap_or(format!("restrictions[{at}]")), status));
            }
        }
    }
    None
}

fn matches(restriction: &Restriction, request: &Request) -> bool {
    let value = restriction.value.as_deref().unwrap_or_default();
    let address = request.source_ip.map(unmapped);
    let is_code = |code: &Option<String>| code.as_ref().is_some_and(|code| code.eq_ignore_ascii_case(value));
    match (&*restriction.scope, address) {
        ("all", _) => true,
        ("ip", Some(address)) => value.parse().map(unmapped) == Ok(address),
        ("ip_subnet", Some(address)) => contains(value, address),
        ("country", _) => is_code(&request.country),
        ("continent", _) => is_code(&request.continent),
        _ => false,
    }
}

/// An IPv4-mapped IPv6 address is its IPv4 address.
pub fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

pub fn contains(network: &str, address: IpAddr) -> bool {
    let (start, bits) = network.split_once('/').unwrap_or((network, ""));
    let (Ok(start), Ok(bits)) = (start.parse::<IpAddr>(), bits.parse::<usize>()) else { return false };
    let (start, bits) = match unmapped(start) {
        v4 if v4 != start && bits >= 96 => (v4, bits - 96),
        _ => (start, bits),
    };
    let digits = |address: IpAddr| -> String {
        match address {
            IpAddr::V4(v4) => v4.octets().iter().map(|byte| format!("{byte:08b}")).collect(),
            IpAddr::V6(v6) => v6.octets().iter().map(|byte| format!("{byte:08b}")).collect(),
        }
    };
    start.is_ipv4() == address.is_ipv4() && digits(start).get(..bits) == digits(address).get(..bits)
}
