//! Mail addresses: `Mailbox` of RFC 5321 section 4.1.2.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::hostname::is_label;

pub(super) fn is_email(text: &str) -> bool {
    // The domain has no `@`, the local part may.
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    is_local_part(local) && is_domain(domain)
}

fn is_local_part(text: &str) -> bool {
    match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').is_some_and(is_quoted),
        None => is_dotted(text, |atom| !atom.is_empty() && atom.iter().all(is_atom_byte)),
    }
}

/// `atext` of RFC 5322 section 3.2.3.
fn is_atom_byte(byte: &u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'='
        | b'?' | b'^' | b'_' | b'`' | b'{'..=b'~')
}

/// `QcontentSMTP`, any number of them.
fn is_quoted(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let holds = match byte {
            b'\\' => bytes.next().is_some_and(|byte| matches!(byte, b' '..=b'~')),
            b'"' => false,
            byte => matches!(byte, b' '..=b'~'),
        };
        if !holds {
            return false;
        }
    }
    true
}

fn is_domain(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(is_literal),
        None => is_dotted(text, is_label),
    }
}

/// Whether every part between dots is as it should be.
fn is_dotted(text: &str, is_part: impl FnMut(&[u8]) -> bool) -> bool {
    text.as_bytes().split(|&byte| byte == b'.').all(is_part)
}

fn is_literal(text: &str) -> bool {
    let prefix = "IPv6:";
    match text.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix)) {
        Some(_) => text.get(prefix.len()..).is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => text.parse::<Ipv4Addr>().is_ok(),
    }
}
