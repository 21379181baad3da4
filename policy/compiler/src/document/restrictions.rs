//! Restrictions: which addresses are trusted or refused before anything else.

use core::net::{IpAddr, Ipv6Addr};

use portcullis_bundle::Reason;
use portcullis_bundle::layout::CategoryKind;

use super::Ids;
use crate::model::{Network, Restriction, Scope};
use crate::reader::{Fields, Keys, Reader};
use crate::tree::Node;

const RESTRICTION: Keys =
    Keys { of: "a restriction", known: &["id", "category", "scope", "value", "code", "state"], later: &[] };
const CATEGORIES: [(&str, CategoryKind); 6] = [
    ("whitelist", CategoryKind::Whitelist),
    ("allowlist", CategoryKind::Whitelist),
    ("maintenance", CategoryKind::Maintenance),
    ("blacklist", CategoryKind::Blacklist),
    ("denylist", CategoryKind::Blacklist),
    ("blocklogin", CategoryKind::BlockLogin),
];
const SCOPES: [(&str, ScopeKind); 5] = [
    ("all", ScopeKind::All),
    ("ip", ScopeKind::Address),
    ("ip_subnet", ScopeKind::Network),
    ("country", ScopeKind::Country),
    ("continent", ScopeKind::Continent),
];
const STATES: [(&str, bool); 2] = [("enabled", true), ("disabled", false)];

#[derive(Clone, Copy)]
enum ScopeKind {
    All,
    Address,
    Network,
    Country,
    Continent,
}

/// The enabled restrictions, in document order.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: Option<Node<'_>>,
    overrides: &[Option<u16>; Reason::COUNT],
) -> Vec<Restriction> {
    let items = reader.list(node, "restrictions");
    let mut ids = Ids::default();
    let mut restrictions = Vec::new();
    for (index, node) in items.enumerate() {
        let Some(fields) = reader.fields(node, &RESTRICTION) else { continue };
        let place = ("restrictions", index);
        let id = ids.next(reader, place, fields.at, fields.get("id")).unwrap_or_else(|| Ids::by_position(place));
        let enabled = match fields.get("state") {
            Some(node) => reader.choice(node, "a state of a restriction", &STATES, &[]).unwrap_or(true),
            None => true,
        };
        if let Some(restriction) = restriction(reader, id, &fields, overrides)
            && enabled
        {
            restrictions.push(restriction);
        }
    }
    restrictions
}

fn restriction(
    reader: &mut Reader<'_>,
    id: String,
    fields: &Fields<'_>,
    overrides: &[Option<u16>; Reason::COUNT],
) -> Option<Restriction> {
    let category =
        required(reader, fields, "category").and_then(|node| reader.choice(node, "a category", &CATEGORIES, &[]));
    let scope = required(reader, fields, "scope").and_then(|node| reader.choice(node, "a scope", &SCOPES, &[]));
    let code = fields.get("code").map(|node| reader.status(node));
    let kind = scope?;
    let scope = match kind {
        ScopeKind::All => Scope::All,
        _ => {
            let node = required(reader, fields, "value")?;
            let text = reader.text(node, "a value")?;
            reader.ok(node.at(), value(kind, text))?
        }
    };
    let category = category?;
    let code = match code {
        Some(code) => code?,
        None => default_code(category, kind, overrides),
    };
    Some(Restriction { at: fields.at, id, category, scope, code })
}

fn value(kind: ScopeKind, text: &str) -> Result<Scope, String> {
    match kind {
        ScopeKind::All => Ok(Scope::All),
        ScopeKind::Address => address(text).map(Scope::Address),
        ScopeKind::Network => Network::parse(text).map(Scope::Network),
        ScopeKind::Country => letters(text)
            .map(Scope::Country)
            .ok_or_else(|| format!("`{text}` is not a country: two letters of ISO 3166-1")),
        ScopeKind::Continent => letters(text)
            .filter(|code| CONTINENTS.contains(&code))
            .map(Scope::Continent)
            .ok_or_else(|| format!("`{text}` is not a continent: AF, AN, AS, EU, NA, OC or SA")),
    }
}

const CONTINENTS: [&[u8; 2]; 7] = [b"AF", b"AN", b"AS", b"EU", b"NA", b"OC", b"SA"];

/// Two letters in upper case.
fn letters(text: &str) -> Option<[u8; 2]> {
    let code = <[u8; 2]>::try_from(text.as_bytes()).ok()?;
    code.iter().all(u8::is_ascii_alphabetic).then(|| code.map(|letter| letter.to_ascii_uppercase()))
}

fn required<'n>(reader: &mut Reader<'_>, fields: &Fields<'n>, key: &str) -> Option<Node<'n>> {
    let node = fields.get(key);
    if node.is_none() {
        reader.error(fields.at, format!("restriction has no `{key}`"));
    }
    node
}

/// The document's status for the reason, else the code of the category and scope.
fn default_code(category: CategoryKind, scope: ScopeKind, overrides: &[Option<u16>; Reason::COUNT]) -> u16 {
    let reason = match category {
        CategoryKind::Maintenance => Reason::RestrictedMaintenance,
        CategoryKind::Whitelist | CategoryKind::Blacklist => Reason::RestrictedBlacklist,
        CategoryKind::BlockLogin => Reason::RestrictedLogin,
    };
    let code = match (reason, scope) {
        (Reason::RestrictedMaintenance, _) => reason.default_status(),
        (_, ScopeKind::All | ScopeKind::Address) => 401,
        (_, ScopeKind::Network) => 403,
        (_, ScopeKind::Country | ScopeKind::Continent) => 423,
    };
    overrides.get(reason as usize).copied().flatten().unwrap_or(code)
}

fn address(text: &str) -> Result<Ipv6Addr, String> {
    text.parse().map(as_ipv6).map_err(|_| format!("`{text}` is not an IP address"))
}

impl Network {
    fn parse(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is not a network: an IP address, `/` and a prefix length");
        let (address, prefix) = text.split_once('/').ok_or_else(error)?;
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let is_number = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u8 = prefix.parse().ok().filter(|_| is_number).ok_or_else(error)?;
        let (longest, before) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        if prefix > longest {
            return Err(error());
        }
        let prefix = prefix.saturating_add(before);
        let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
        Ok(Self { address: Ipv6Addr::from_bits(as_ipv6(address).to_bits() & mask), prefix })
    }
}

fn as_ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}
