//! The address of the client: from Envoy, or from `x-forwarded-for` by counting the proxies that are trusted.

use std::net::{IpAddr, SocketAddr};

use crate::headers::Headers;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// What stands where the client's address must be is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAddress;

/// The address in `ip:port` or `[ip]:port`; `None` for a Unix socket and the like.
pub fn of_connection(address: &[u8]) -> Option<IpAddr> {
    let address: SocketAddr = core::str::from_utf8(address).ok()?.parse().ok()?;
    Some(address.ip())
}

/// The address before the `hops` last entries of `x-forwarded-for`; the first entry when there are not so many, because
/// then each was written by a trusted proxy.
pub fn forwarded(headers: &Headers, hops: usize) -> Result<IpAddr, NoAddress> {
    let from_the_right = headers.all(FORWARDED_FOR).rev().flat_map(|value| value.rsplit(|&byte| byte == b','));
    let client = from_the_right.take(hops.saturating_add(1)).last().ok_or(NoAddress)?;
    of_entry(core::str::from_utf8(client).map_err(|_| NoAddress)?.trim_matches([' ', '\t'])).ok_or(NoAddress)
}

/// Some proxies write the port too, and IPv6 addresses in brackets.
fn of_entry(entry: &str) -> Option<IpAddr> {
    let in_brackets = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let alone = in_brackets.unwrap_or(entry).parse().ok();
    alone.or_else(|| of_connection(entry.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{NoAddress, forwarded, of_connection};
    use crate::fake::{headers, packed};

    #[test]
    fn reads_the_address_of_the_connection() {
        for (address, expected) in [
            ("203.0.113.9:0", Some("203.0.113.9")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("[fe80::1%2]:1", Some("fe80::1")),
            ("/run/envoy.sock", None),
            ("203.0.113.9", None),
            ("", None),
        ] {
            assert_eq!(of_connection(address.as_bytes()).map(|ip| ip.to_string()).as_deref(), expected, "{address}");
        }
    }

    #[track_caller]
    fn check(values: &[&str], hops: usize, expected: Result<&str, NoAddress>) {
        let pairs: Vec<_> = values.iter().map(|value| ("x-forwarded-for", *value)).collect();
        let found = forwarded(&packed(&headers(&pairs)), hops).map(|ip| ip.to_string());
        assert_eq!(found.as_deref().map_err(|error| *error), expected, "{values:?} {hops}");
    }

    #[test]
    fn the_client_is_before_the_trusted_hops() {
        let entries = &["6.6.6.6, 1.1.1.1, 10.0.0.1,10.0.0.2"];
        check(entries, 0, Ok("10.0.0.2"));
        check(entries, 2, Ok("1.1.1.1"));
        check(&["6.6.6.6,1.1.1.1", "10.0.0.1", "10.0.0.2"], 2, Ok("1.1.1.1"));
        check(&["garbage,1.1.1.1,10.0.0.2"], 1, Ok("1.1.1.1"));
    }

    #[test]
    fn fewer_entries_than_hops_are_all_trusted() {
        check(&["1.1.1.1"], 3, Ok("1.1.1.1"));
        check(&["1.1.1.1,10.0.0.1"], 9, Ok("1.1.1.1"));
    }

    #[test]
    fn takes_both_families_with_and_without_port() {
        for (entry, expected) in [
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("203.0.113.9:8080", "203.0.113.9"),
            ("::ffff:203.0.113.9", "::ffff:203.0.113.9"),
        ] {
            check(&[entry], 0, Ok(expected));
        }
    }

    #[test]
    fn no_address_there_is_an_error() {
        for entry in ["", "unknown", "1.1.1", "1.1.1.1,", "1.1.1.1, ,", "_hidden", "1.1.1.1 2.2.2.2", "[::1", "\u{e9}"]
        {
            check(&[entry], 0, Err(NoAddress));
        }
        check(&[], 0, Err(NoAddress));
    }
}
