//! What a proxy tells about the request of its client -> facts for the policy. Pure.
//!
//! The rules are those of the filter (`hosts/envoy/src/extract.rs`): what matters is there once, in visible ASCII; the
//! path is canonical, or has no canonical form and is the policy's to refuse.

use std::net::IpAddr;

use axum::http::HeaderMap;
use portcullis_core::canonicalize;
use portcullis_runtime::{Credential, Reason, Request, Subject, Target};

use crate::pep::Proxies;

/// A request as the proxy tells it.
pub struct Received<'a> {
    pub method: &'a str,
    pub host: Option<&'a str>,
    /// Raw, with the query.
    pub path: &'a str,
    pub source_ip: IpAddr,
    pub headers: &'a HeaderMap,
}

/// A deny before the policy is asked, for this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub Reason);

pub const MALFORMED: Refusal = Refusal(Reason::MalformedRequest);

/// The request as the policy sees it, but for who it is about.
#[derive(Debug)]
pub struct Facts<'a> {
    method: &'a str,
    host: Option<&'a str>,
    path: &'a str,
    source_ip: IpAddr,
    country: Option<&'a str>,
    continent: Option<&'a str>,
    pub authorization: Option<&'a str>,
    pub api_key: Option<&'a str>,
}

impl<'a> Facts<'a> {
    pub fn read(received: Received<'a>, proxies: &Proxies) -> Result<Self, Refusal> {
        let Received { method, host, path, source_ip, headers } = received;
        // Proxies join several headers to one; no host has a comma.
        let is_plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_plain(path) || host.is_some_and(|host| host.contains(',') || !is_plain(host)) || !is_canonical(path) {
            return Err(MALFORMED);
        }
        let authorization = single(headers, "authorization")?;
        if authorization.is_some_and(holds_several_tokens) {
            return Err(MALFORMED);
        }
        Ok(Self {
            method,
            host,
            path,
            source_ip,
            country: place(headers, proxies.country_header.as_deref())?,
            continent: place(headers, proxies.continent_header.as_deref())?,
            authorization,
            api_key: single(headers, "x-api-key")?,
        })
    }

    pub fn into_request(self, subject: Option<Subject>, credential: Credential, now: u64) -> Request {
        Request {
            action: self.method.to_owned(),
            target: Target::Http { host: self.host.map(str::to_owned), path: self.path.to_owned() },
            source_ip: Some(self.source_ip),
            country: self.country.map(str::to_owned),
            continent: self.continent.map(str::to_owned),
            subject,
            credential,
            context: None,
            now: Some(now),
        }
    }
}

/// The value of a header that may be there once, in visible ASCII.
pub fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) if value.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~')) => {
            value.to_str().map(Some).map_err(|_| MALFORMED)
        }
        _ => Err(MALFORMED),
    }
}

/// True also for a path that has no canonical form.
fn is_canonical(raw: &str) -> bool {
    let path = raw.split('?').next().unwrap_or_default();
    let mut canonical = Vec::with_capacity(path.len());
    canonicalize(path, &mut canonical).is_err() || canonical == path.as_bytes()
}

/// Whether a proxy joined several `authorization` headers: of them we would verify one, an upstream may read another.
/// Other schemes have commas of their own (RFC 9110 section 11.4).
fn holds_several_tokens(authorization: &str) -> bool {
    authorization.contains(',') && authorization.to_ascii_lowercase().contains("bearer")
}

/// The code of a country or continent; `None` without a name. What the operator's edge did not write is no code.
pub fn place<'a>(headers: &'a HeaderMap, name: Option<&str>) -> Result<Option<&'a str>, Refusal> {
    let Some(name) = name else { return Ok(None) };
    match single(headers, name)? {
        Some(code) if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_alphabetic()) => Err(MALFORMED),
        code => Ok(code),
    }
}

/// The client behind `peer`: the last entry of `x-forwarded-for` that is no proxy of ours. Entries before it are what
/// clients say about themselves.
pub fn client_address(headers: &HeaderMap, proxies: &Proxies, peer: IpAddr) -> Result<IpAddr, Refusal> {
    let mut client = peer;
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(|line| line.to_str().map_err(|_| MALFORMED))
        .collect::<Result<_, _>>()?;
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !proxies.trusts(client) {
            break;
        }
        let entry: IpAddr = entry.trim().parse().map_err(|_| MALFORMED)?;
        client = entry.to_canonical();
    }
    Ok(client)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
    }

    #[track_caller]
    fn check_client(lines: &[&str], expected: Result<&str, Refusal>) {
        let proxies = Proxies { trusted: vec!["127.0.0.0/8".parse().unwrap()], ..Proxies::default() };
        let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        let found = client_address(&headers(&lines), &proxies, "127.0.0.1".parse().unwrap());
        assert_eq!(found.map(|client| client.to_string()), expected.map(str::to_owned), "{lines:?}");
    }

    #[test]
    fn the_client_is_the_last_who_is_no_proxy_of_ours() {
        check_client(&[], Ok("127.0.0.1"));
        check_client(&["203.0.113.9"], Ok("203.0.113.9"));
        check_client(&["1.1.1.1, 203.0.113.9, 127.0.0.2"], Ok("203.0.113.9"));
        check_client(&["1.1.1.1", "203.0.113.9", "127.0.0.2"], Ok("203.0.113.9"));
        check_client(&["garbage, 203.0.113.9"], Ok("203.0.113.9"));
        check_client(&["127.0.0.3, 127.0.0.2"], Ok("127.0.0.3"));
        check_client(&["::ffff:203.0.113.9"], Ok("203.0.113.9"));
        check_client(&["2001:db8::1,127.0.0.9"], Ok("2001:db8::1"));
        for bad in ["", "unknown", "203.0.113.9:80", "1.2.3, 127.0.0.1", "010.0.0.1"] {
            check_client(&[bad], Err(MALFORMED));
        }
    }

    #[track_caller]
    fn check(path: &str, extra: &[(&str, &str)], is_read: bool) {
        let headers = headers(extra);
        let source_ip = "203.0.113.9".parse().unwrap();
        let received = Received { method: "GET", host: Some("a.example"), path, source_ip, headers: &headers };
        let proxies = Proxies { country_header: Some("x-country".to_owned()), ..Proxies::default() };
        assert_eq!(Facts::read(received, &proxies).is_ok(), is_read, "{path} {extra:?}");
    }

    #[test]
    fn a_path_is_canonical_or_has_no_canonical_form() {
        for path in ["/", "/a?b=//c", "/a/", "/..", "/a%2fb", "/a;b", "*", "/%zz"] {
            check(path, &[], true);
        }
        for path in ["/a//b", "/a/../b", "/%61", "/%2a", "//a", "/a/%2e%2e/b", "/caf\u{e9}"] {
            check(path, &[], false);
        }
    }

    #[test]
    fn a_header_that_matters_is_there_once_and_plain() {
        let country = ("x-country", "UA");
        check("/", &[country], true);
        check("/", &[("authorization", "Digest a, b")], true);
        for extra in [
            [("authorization", "Bearer a"), ("authorization", "Bearer a")].as_slice(),
            &[("authorization", "Bearer a,Bearer b")],
            &[("authorization", "Bearer caf\u{e9}")],
            &[("x-api-key", "a"), ("x-api-key", "a")],
            &[country, country],
            &[("x-country", "UKR")],
            &[("x-country", "")],
        ] {
            check("/", extra, false);
        }
    }
}
