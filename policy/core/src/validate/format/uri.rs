//! Uniform resource identifiers: RFC 3986.

use core::net::Ipv6Addr;

pub(super) fn is_uri(text: &str) -> bool {
    split_scheme(text).is_some_and(is_rest)
}

pub(super) fn is_uri_reference(text: &str) -> bool {
    match split_scheme(text) {
        Some(rest) => is_rest(rest),
        // Section 4.2: the first segment of a relative path has no colon.
        None => is_rest(text) && !text.split(['/', '?', '#']).next().unwrap_or_default().contains(':'),
    }
}

/// What follows the scheme and its colon.
fn split_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    (scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(is_scheme_byte))
        .then_some(rest)
}

/// Authority, path, query and fragment.
fn is_rest(text: &str) -> bool {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let is_query = |text: &str| are(text, |byte| is_path_byte(byte) || byte == b'?');
    let path = match text.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
            if !is_authority(authority) {
                return false;
            }
            path
        }
        None => text,
    };
    are(path, is_path_byte) && is_query(query) && is_query(fragment)
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.split_once('@').unwrap_or(("", text));
    if !are(user, |byte| is_name_byte(byte) || byte == b':') {
        return false;
    }
    let (is_host, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((literal, port)) = rest.split_once(']') else { return false };
            (is_literal(literal), port)
        }
        None => {
            let (name, port) = host.split_at_checked(host.find(':').unwrap_or(host.len())).unwrap_or((host, ""));
            (are(name, is_name_byte), port)
        }
    };
    let is_port =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    is_host && is_port
}

/// What stands in brackets.
fn is_literal(text: &str) -> bool {
    let Some(future) = text.strip_prefix(['v', 'V']) else { return text.parse::<Ipv6Addr>().is_ok() };
    let Some((version, address)) = future.split_once('.') else { return false };
    let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_byte = |byte| byte == b':' || (byte != b'%' && is_name_byte(byte));
    is_version && !address.is_empty() && address.bytes().all(is_byte)
}

/// Unreserved and delimiters within a part; `%` is checked by `are`.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte)
}

fn is_path_byte(byte: u8) -> bool {
    is_name_byte(byte) || matches!(byte, b':' | b'@' | b'/')
}

/// Whether all bytes are of a kind, and `%` stands before two hexadecimal digits.
fn are(text: &str, is: impl Fn(u8) -> bool) -> bool {
    let is_encoding = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    text.bytes().all(is) && text.split('%').skip(1).all(is_encoding)
}
