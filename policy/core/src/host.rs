//! The host a request is for, without what does not matter in comparisons.
//!
//! In: an authority as received (RFC 9110 section 4.2.3). Out: its name, borrowed; port and one trailing dot left
//! out. Refused: user information, empty labels and bytes that no name or address has.

use portcullis_bundle::Policy;
use portcullis_bundle::layout::HostKind;

/// A host name or address in any case, without port and trailing dot.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a>(&'a [u8]);

impl<'a> Host<'a> {
    /// The host of `authority`; `None` when it is not one.
    pub fn parse(authority: &'a str) -> Option<Self> {
        let authority = authority.as_bytes();
        if authority.first() == Some(&b'[') {
            let end = authority.iter().position(|&byte| byte == b']')?;
            let (address, port) = authority.split_at_checked(end.checked_add(1)?)?;
            let text = core::str::from_utf8(address.get(1..end)?).ok()?;
            let is_port = port.is_empty() || port.strip_prefix(b":").is_some_and(is_digits);
            return (is_port && text.parse::<core::net::Ipv6Addr>().is_ok()).then_some(Self(address));
        }
        let name = match authority.iter().position(|&byte| byte == b':') {
            Some(colon) => {
                let (name, port) = authority.split_at_checked(colon)?;
                port.strip_prefix(b":").is_some_and(is_digits).then_some(name)?
            }
            None => authority,
        };
        let name = name.strip_suffix(b".").unwrap_or(name);
        let labels_hold = name.split(|&byte| byte == b'.').all(|label| !label.is_empty());
        (labels_hold && name.iter().all(|&byte| is_name_byte(byte))).then_some(Self(name))
    }

    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Writes the name in lower case to `name`, which is cleared first.
    pub(crate) fn lower(&self, name: &mut Vec<u8>) {
        name.clear();
        name.extend(self.0.iter().map(u8::to_ascii_lowercase));
    }
}

/// RFC 3986 section 3.2.2 `reg-name`, without encodings and what separates lists: proxies join headers with `,`.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'+' | b'=')
}

fn is_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

/// Whether `host` is in host list `hosts - 1` of the policy.
pub(crate) fn matches(policy: &Policy, hosts: u32, host: Option<Host<'_>>) -> Option<bool> {
    for pattern in policy.hosts(hosts)? {
        let text = policy.text(pattern.text)?;
        let holds = match (HostKind::from_byte(pattern.kind)?, host) {
            (_, None) => false,
            (HostKind::Exact, Some(Host(name))) => name.eq_ignore_ascii_case(text),
            (HostKind::Suffix, Some(Host(name))) => {
                let (labels, end) = name.split_at(name.len().saturating_sub(text.len()));
                !labels.is_empty() && end.eq_ignore_ascii_case(text)
            }
        };
        if holds {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[track_caller]
    fn check(authority: &str, expected: Option<&str>) {
        let found = Host::parse(authority).map(|host| std::str::from_utf8(host.0).unwrap());
        assert_eq!(found, expected, "{authority:?}");
    }

    #[test]
    fn ignores_port_and_one_trailing_dot() {
        check("api.example.com", Some("api.example.com"));
        check("API.example.com:443", Some("API.example.com"));
        check("api.example.com.", Some("api.example.com"));
        check("api.example.com.:8080", Some("api.example.com"));
        check("localhost:", Some("localhost"));
        check("[::1]:80", Some("[::1]"));
        check("[::1]", Some("[::1]"));
        check("127.0.0.1:80", Some("127.0.0.1"));
    }

    #[test]
    fn refuses_what_is_no_host() {
        for authority in [
            "", ".", "a..b", "a.b..", ".a", "user@a", "a:b", "a:80:90", "a/b", "a b", "a,b", "\u{e9}", "[::1",
            "[::1]x", "[x]",
        ] {
            check(authority, None);
        }
    }
}
