//! What design/decision.md says, in loops. Slow on purpose, never optimised, shares no code with the core.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use portcullis_runtime::{Credential, Decision, Effect, Obligation, Reason, Request, Subject, Target as RequestTarget};
use serde::{Deserialize, Serialize};

// === the document, section 1 ===

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Document {
    pub version: u32,
    pub roles: BTreeMap<String, Role>,
    pub permission_groups: BTreeMap<String, Group>,
    pub rules: Vec<Rule>,
    pub public: Vec<Target>,
    pub blocked: Vec<Target>,
    pub restrictions: Vec<Restriction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectPolicy>,
    pub statuses: BTreeMap<String, u16>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Role {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub inherits: Vec<String>,
    pub permissions: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    pub permissions: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub effect: String,
    pub who: Who,
    pub target: Target,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Who {
    pub roles: Vec<String>,
    pub permissions: Vec<String>,
    pub permission_groups: Vec<String>,
    pub subjects: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub authenticated: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anyone: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    pub hosts: Vec<String>,
    pub methods: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Path>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    Exact(String),
    Under(String),
    Prefix(String),
    Template(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub category: String,
    pub scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_requires_otp: Option<bool>,
}

// === the order of evaluation, section 3 ===

pub fn decide(document: &Document, request: &Request, revision: u64) -> Decision {
    let answer = |effect, reason: Reason, default: u16| Decision {
        effect,
        status: match document.statuses.get(reason.name()) {
            Some(status) if effect == Effect::Deny => *status,
            _ => default,
        },
        reason,
        rules: Vec::new(),
        restriction: None,
        obligations: Vec::new(),
        errors: Vec::new(),
        revision,
    };
    let deny = |reason, default| answer(Effect::Deny, reason, default);
    let subject = request.subject.as_ref();

    let Some(facts) = normalize(request) else { return deny(Reason::MalformedRequest, 400) };
    if let Some((reason, id, status)) = restrict(document, request.source_ip) {
        return Decision { restriction: Some(id), status, ..deny(reason, status) };
    }
    if document.blocked.iter().any(|target| hits(target, &facts)) {
        return deny(Reason::Blocked, 403);
    }
    let applicable = |effect: &str| -> Vec<(String, &Rule)> {
        let rules = document.rules.iter().enumerate().filter(|(_, rule)| {
            rule.effect == effect && hits(&rule.target, &facts) && is_for(document, &rule.who, subject)
        });
        rules.map(|(at, rule)| (rule.id.clone().unwrap_or(format!("rules[{at}]")), rule)).collect()
    };
    let audits = || {
        let audits = applicable("audit").into_iter();
        audits.map(|(id, rule)| Obligation::Audit(rule.topic.clone().unwrap_or(id))).collect()
    };
    if document.public.iter().any(|target| hits(target, &facts)) {
        return Decision { obligations: audits(), ..answer(Effect::Allow, Reason::Public, 200) };
    }
    let policy = document.subject.clone().unwrap_or_default();
    if let Some(subject) = subject {
        let states = policy.states.unwrap_or(vec!["active".into(), "pending".into()]);
        if !states.contains(&subject.state) {
            return deny(Reason::SubjectInactive, 403);
        }
        let needs_otp = policy.api_key_requires_otp.unwrap_or(true) && request.credential == Credential::ApiKey;
        if needs_otp && !subject.otp {
            return deny(Reason::OtpRequired, 403);
        }
    }
    let ids = |rules: Vec<(String, &Rule)>| rules.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let denied = if subject.is_some() { vec![Obligation::Denied] } else { Vec::new() };
    let denies = ids(applicable("deny"));
    if !denies.is_empty() {
        return Decision { rules: denies, obligations: denied, ..deny(Reason::Rule, 403) };
    }
    let allows = ids(applicable("allow"));
    if !allows.is_empty() {
        return Decision { rules: allows, obligations: audits(), ..answer(Effect::Allow, Reason::Rule, 200) };
    }
    match subject {
        None => deny(Reason::Unauthenticated, 401),
        Some(_) => Decision { obligations: denied, ..deny(Reason::NoMatch, 403) },
    }
}

fn is_for(document: &Document, who: &Who, subject: Option<&Subject>) -> bool {
    if who.anyone {
        return true;
    }
    let Some(subject) = subject else { return false };
    let mut roles = BTreeSet::new();
    let mut open = subject.roles.clone();
    while let Some(name) = open.pop() {
        if roles.insert(name.clone()) {
            open.extend(document.roles.get(&name).map_or(Vec::new(), |role| role.inherits.clone()));
        }
    }
    let by_role = roles.iter().filter_map(|role| document.roles.get(role)).flat_map(|role| &role.permissions);
    let groups = subject.permission_groups.iter().filter_map(|group| document.permission_groups.get(group));
    let permissions: Vec<&String> = by_role.chain(groups.flat_map(|group| &group.permissions)).collect();
    who.authenticated
        || who.roles.iter().any(|role| roles.contains(role))
        || who.permissions.iter().any(|permission| permissions.contains(&permission))
        || who.permission_groups.iter().any(|group| subject.permission_groups.contains(group))
        || who.subjects.contains(&subject.id)
}

// === HTTP targets ===

struct Facts {
    method: String,
    host: Option<String>,
    path: String,
}

fn hits(target: &Target, facts: &Option<Facts>) -> bool {
    let Some(facts) = facts else { return false };
    let host = |pattern: &String| match (pattern.to_lowercase(), &facts.host) {
        (pattern, _) if pattern == "*" => true,
        (pattern, Some(host)) => match pattern.strip_prefix('*') {
            Some(end) => host.len() > end.len() && host.ends_with(end),
            None => *host == pattern,
        },
        (_, None) => false,
    };
    let method = |pattern: &String| {
        let pattern = pattern.to_uppercase();
        pattern == "*" || pattern == "ALL" || pattern == facts.method
    };
    let path = match &target.path {
        None => true,
        Some(Path::Exact(pattern)) => facts.path == *pattern,
        Some(Path::Under(pattern)) => {
            pattern == "/" || facts.path == *pattern || facts.path.starts_with(&format!("{pattern}/"))
        }
        Some(Path::Prefix(pattern)) => facts.path.starts_with(pattern),
        Some(Path::Template(pattern)) => {
            let expected: Vec<&str> = pattern.split('/').collect();
            let found: Vec<&str> = facts.path.split('/').collect();
            let is_rest = pattern.ends_with("*}");
            let same_length = if is_rest { found.len() >= expected.len() } else { found.len() == expected.len() };
            let holds = |(expected, found): (&&str, &&str)| {
                if expected.starts_with('{') { !found.is_empty() } else { expected == found }
            };
            same_length && expected.iter().zip(&found).all(holds)
        }
    };
    path && (target.hosts.is_empty() || target.hosts.iter().any(host))
        && (target.methods.is_empty() || target.methods.iter().any(method))
}

// === restrictions, section 4 ===

/// Reason, id and status of the restriction that denies.
fn restrict(document: &Document, address: Option<IpAddr>) -> Option<(Reason, String, u16)> {
    let address = address.map(unmapped);
    for category in [["whitelist", "allowlist"], ["maintenance", "maintenance"], ["blacklist", "denylist"]] {
        for scope in ["all", "ip", "ip_subnet"] {
            for (at, one) in document.restrictions.iter().enumerate() {
                let enabled = one.state.as_deref() != Some("disabled");
                if !enabled || !category.contains(&one.category.as_str()) || one.scope != scope {
                    continue;
                }
                let value = one.value.as_deref().unwrap_or_default();
                let matches = match (scope, address) {
                    ("all", _) => true,
                    ("ip", Some(address)) => value.parse().map(unmapped) == Ok(address),
                    ("ip_subnet", Some(address)) => contains(value, address),
                    _ => false,
                };
                if !matches {
                    continue;
                }
                let (reason, default) = match (category[0], scope) {
                    ("whitelist", _) => return None,
                    ("maintenance", _) => (Reason::RestrictedMaintenance, 471),
                    (_, "ip_subnet") => (Reason::RestrictedBlacklist, 403),
                    _ => (Reason::RestrictedBlacklist, 401),
                };
                let status = one.code.or(document.statuses.get(reason.name()).copied()).unwrap_or(default);
                return Some((reason, one.id.clone().unwrap_or(format!("restrictions[{at}]")), status));
            }
        }
    }
    None
}

/// An IPv4-mapped IPv6 address is its IPv4 address.
fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn contains(network: &str, address: IpAddr) -> bool {
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

// === normalization, section 2 ===

/// `None` is malformed; the inner `None` is a request for something that is not HTTP.
#[expect(clippy::option_option, reason = "malformed and not HTTP are different answers")]
fn normalize(request: &Request) -> Option<Option<Facts>> {
    if request.subject.as_ref().is_some_and(|one| one.roles.len() > 256 || one.permission_groups.len() > 256) {
        return None;
    }
    let RequestTarget::Http { host, path } = &request.target else {
        return if request.action.is_empty() { None } else { Some(None) };
    };
    let method = request.action.clone();
    let is_token = |byte: char| byte.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(byte);
    if method.is_empty() || !method.chars().all(is_token) {
        return None;
    }
    let host = match host {
        Some(host) if !host.is_empty() => Some(plain_host(host)?),
        _ => None,
    };
    Some(Some(Facts { method, host, path: canonical(path)? }))
}

fn plain_host(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    let (name, port) = match host.rfind(':') {
        Some(colon) if !host.ends_with(']') => (&host[..colon], &host[colon + 1..]),
        _ => (host.as_str(), ""),
    };
    if !port.chars().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if let Some(address) = name.strip_prefix('[') {
        return address.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok().map(|_| name.to_owned());
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_name_byte = |byte: char| byte.is_ascii_alphanumeric() || "-_~!$&'()+=".contains(byte);
    let holds = name.split('.').all(|label| !label.is_empty() && label.chars().all(is_name_byte));
    holds.then(|| name.to_owned())
}

pub fn canonical(raw: &str) -> Option<String> {
    let path = raw.split('?').next().unwrap_or_default();
    if path.len() > 8192 || !path.starts_with('/') || path.contains(['\\', '#', ';']) {
        return None;
    }
    let mut bytes = Vec::new();
    let mut spelled = Vec::new();
    let mut at = 0;
    while let Some(byte) = path.as_bytes().get(at) {
        let encoded = *byte == b'%';
        let byte = if encoded {
            let digits = path.get(at + 1..at + 3).filter(|digits| digits.chars().all(|one| one.is_ascii_hexdigit()))?;
            at += 3;
            u8::from_str_radix(digits, 16).ok()?
        } else {
            at += 1;
            *byte
        };
        if byte.is_ascii_control() || (encoded && (byte == b'/' || byte == b'\\')) {
            return None;
        }
        let kept = if encoded { "-._~" } else { "-._~!$&'()*+,=:@/" };
        let stays = byte.is_ascii_alphanumeric() || kept.contains(byte as char) && byte.is_ascii();
        spelled.push(if stays { (byte as char).to_string() } else { format!("%{byte:02X}") });
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()?;
    let mut segments: Vec<String> = Vec::new();
    let spelled = spelled.concat();
    let mut parts = spelled.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        match part {
            "." => {}
            ".." => drop(segments.pop()?),
            other => segments.push(other.to_owned()),
        }
        if parts.peek().is_none() && (part == "." || part == "..") {
            segments.push(String::new());
        }
    }
    let mut path = format!("/{}", segments.join("/"));
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    (path.len() <= 8192).then_some(path)
}
