//! Normalization (section 2): what of a request is compared, or that it is malformed.

use portcullis_runtime::{Request, Target};

use super::paths::canonical;
use super::properties;

/// The HTTP request that is asked about.
pub struct Http {
    pub method: String,
    /// In lower case, without port and trailing dot.
    pub host: Option<String>,
    /// Canonical.
    pub path: String,
}

/// What is asked about.
pub enum Facts {
    Http(Http),
    NotHttp,
}

impl Facts {
    pub fn http(&self) -> Option<&Http> {
        match self {
            Self::Http(http) => Some(http),
            Self::NotHttp => None,
        }
    }
}

/// `None` is malformed.
pub fn normalize(request: &Request) -> Option<Facts> {
    let subject = request.subject.as_ref();
    if subject.is_some_and(|one| one.roles.len() > 256 || one.permission_groups.len() > 256) {
        return None;
    }
    let of_resource = match &request.target {
        Target::Resource { properties, .. } => properties.as_ref(),
        Target::Http { .. } => None,
    };
    let of_subject = subject.and_then(|subject| subject.properties.as_ref());
    for text in [of_subject, of_resource, request.context.as_ref()].into_iter().flatten() {
        properties::read(text)?;
    }
    let Target::Http { host, path } = &request.target else {
        let id = if let Target::Resource { id, .. } = &request.target { id.as_ref() } else { None };
        let is_one = !request.action.is_empty() && id.is_none_or(|id| id.len() <= 8 << 10);
        return is_one.then_some(Facts::NotHttp);
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
    Some(Facts::Http(Http { method, host, path: canonical(path)? }))
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
