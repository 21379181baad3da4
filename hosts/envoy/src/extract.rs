//! What the proxy knows about a request -> the facts that the policy decides on.
//!
//! In: headers, client address and metadata, as bytes. Out: `Facts`, or why there are none. Pure.

use std::net::{IpAddr, SocketAddr};

use portcullis_core::{Reason, canonicalize};

use crate::claims::Claims;
use crate::config::{Config, PathMode};
use crate::host::{Headers, Host, HostError};

/// Every header whose name starts like this, with `_` read as `-`, is for the filter alone to write.
const IDENTITY_PREFIX: &str = "x-portcullis-";

/// The request, as bytes of the proxy.
#[derive(Debug)]
pub struct Received {
    pub headers: Headers,
    pub source_address: Option<Vec<u8>>,
    pub metadata: Option<Vec<u8>>,
}

impl Received {
    pub fn read(host: &impl Host) -> Result<Self, HostError> {
        Ok(Self {
            headers: host.request_headers()?,
            source_address: host.source_address()?,
            metadata: host.metadata()?,
        })
    }

    /// Names of the identity headers that the client sent.
    pub fn forged(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _value)| name.as_str()).filter(|name| is_identity(name))
    }
}

fn is_identity(name: &str) -> bool {
    let spelled = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.len() >= IDENTITY_PREFIX.len() && name.bytes().map(spelled).zip(IDENTITY_PREFIX.bytes()).all(|(a, b)| a == b)
}

/// The request, as the policy sees it.
#[derive(Debug)]
pub struct Facts<'a> {
    pub method: &'a str,
    /// `:authority`, as received.
    pub host: Option<&'a str>,
    /// Raw path, with or without query.
    pub path: &'a str,
    /// What the upstream must get as `:path` instead.
    pub rewritten: Option<String>,
    pub source_ip: Option<IpAddr>,
    /// Two letters, from the header that the configuration names.
    pub country: Option<&'a str>,
    /// The same for the continent.
    pub continent: Option<&'a str>,
    /// `None` is anonymous.
    pub claims: Option<Claims<'a>>,
}

impl<'a> Facts<'a> {
    /// The reason is that of the refusal: `MalformedRequest` or `Unauthenticated`.
    pub fn read(received: &'a Received, config: &Config, canonical: &mut Vec<u8>) -> Result<Self, Reason> {
        let Received { headers, source_address, metadata } = received;
        let single = |name| single(headers, name).map_err(|Malformed| Reason::MalformedRequest);
        let method = single(":method")?.ok_or(Reason::MalformedRequest)?;
        let path = single(":path")?.ok_or(Reason::MalformedRequest)?;
        let host = match (single(":authority")?, single("host")?) {
            (Some(_), Some(_)) => return Err(Reason::MalformedRequest),
            (authority, host) => authority.or(host),
        };
        // Envoy joins several `host` headers to one; no host has a comma.
        if host.is_some_and(|host| host.contains(',')) {
            return Err(Reason::MalformedRequest);
        }
        if single("authorization")?.is_some_and(holds_several_tokens) {
            return Err(Reason::MalformedRequest);
        }
        Ok(Self {
            method,
            host,
            path,
            rewritten: rewrite(path, config.path_mode, canonical)?,
            source_ip: source_address.as_deref().and_then(parse_address),
            country: place(headers, config.country_header.as_deref())?,
            continent: place(headers, config.continent_header.as_deref())?,
            claims: match metadata {
                Some(metadata) => Claims::read(metadata, config).map_err(|_| Reason::Unauthenticated)?,
                None => None,
            },
        })
    }
}

struct Malformed;

/// The value of a header that may be there once, in visible ASCII.
fn single<'a>(headers: &'a Headers, name: &str) -> Result<Option<&'a str>, Malformed> {
    let mut values = headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) if value.iter().all(|byte| matches!(byte, b' '..=b'~')) => {
            core::str::from_utf8(value).map(Some).map_err(|_| Malformed)
        }
        _ => Err(Malformed),
    }
}

/// The code of a country or continent in the header of that name. What the operator's edge did not write is no code.
fn place<'a>(headers: &'a Headers, name: Option<&str>) -> Result<Option<&'a str>, Reason> {
    let Some(name) = name else { return Ok(None) };
    match single(headers, name) {
        Ok(Some(code)) if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            Err(Reason::MalformedRequest)
        }
        code => code.map_err(|Malformed| Reason::MalformedRequest),
    }
}

/// Whether Envoy joined several `authorization` headers: `jwt_authn` verifies the first token that it finds in them,
/// an upstream may read another. Other schemes have commas of their own (RFC 9110 section 11.4).
fn holds_several_tokens(authorization: &str) -> bool {
    authorization.contains(',') && authorization.to_ascii_lowercase().contains("bearer")
}

/// The path for the upstream where it differs from the one received. A path without a canonical form stays: the policy
/// refuses it, with the status that it has for that.
fn rewrite(raw: &str, mode: PathMode, canonical: &mut Vec<u8>) -> Result<Option<String>, Reason> {
    let (path, query) = raw.split_at(raw.find('?').unwrap_or(raw.len()));
    if canonicalize(path, canonical).is_err() || canonical == path.as_bytes() {
        return Ok(None);
    }
    match mode {
        PathMode::Strict => Err(Reason::MalformedRequest),
        PathMode::Rewrite => {
            let path = core::str::from_utf8(canonical).map_err(|_| Reason::MalformedRequest)?;
            Ok(Some(format!("{path}{query}")))
        }
    }
}

/// The address in `ip:port` or `[ip]:port`; `None` for a Unix socket and the like.
fn parse_address(address: &[u8]) -> Option<IpAddr> {
    let address: SocketAddr = core::str::from_utf8(address).ok()?.parse().ok()?;
    Some(address.ip())
}

#[cfg(test)]
mod tests {
    use portcullis_core::Reason;
    use serde_json::json;

    use super::{Facts, Received};
    use crate::fake::{config, headers, metadata};
    use crate::host::Headers;

    fn received(headers: Headers) -> Received {
        Received { headers, source_address: None, metadata: None }
    }

    #[track_caller]
    fn check(headers: Headers, path_mode: &str, expected: Result<Option<&str>, Reason>) {
        let received = received(headers);
        let facts = Facts::read(&received, &config(json!({"path_mode": path_mode})), &mut Vec::new());
        let found = facts.map(|facts| facts.rewritten);
        assert_eq!(found.as_ref().map(Option::as_deref), expected.as_ref().map(|path| *path), "{received:?}");
    }

    #[test]
    fn takes_method_host_and_path_as_they_are() {
        let received = received(headers(&[(":method", "GET"), (":authority", "A.example.:80"), (":path", "/a?b=%2F")]));
        let facts = Facts::read(&received, &config(json!({})), &mut Vec::new()).unwrap();
        assert_eq!((facts.method, facts.host, facts.path), ("GET", Some("A.example.:80"), "/a?b=%2F"));
        assert!(facts.claims.is_none() && facts.source_ip.is_none());
    }

    #[test]
    fn a_header_that_matters_is_there_once_and_plain() {
        let base = [(":method", "GET"), (":authority", "a"), (":path", "/")];
        check(headers(&base), "strict", Ok(None));
        for extra in [
            (":method", "GET"),
            (":path", "/"),
            (":authority", "a"),
            ("host", "a"),
            ("authorization", "Bearer a,Bearer b"),
            ("authorization", "Basic a,bEaReR b"),
            ("authorization", "Bearer caf\u{e9}"),
            ("authorization", "Bearer \u{1}"),
        ] {
            check(headers(&[base.as_slice(), &[extra]].concat()), "strict", Err(Reason::MalformedRequest));
        }
        let twice = [("authorization", "Bearer a"), ("authorization", "Bearer a")];
        check(
            headers(&[base, [twice[0], twice[1], ("x", "\u{e9}")]].concat()),
            "strict",
            Err(Reason::MalformedRequest),
        );
        for missing in [":method", ":path"] {
            let rest: Vec<_> = base.into_iter().filter(|(name, _)| *name != missing).collect();
            check(headers(&rest), "strict", Err(Reason::MalformedRequest));
        }
        for (name, value) in
            [(":path", "/\u{e9}"), (":authority", "a\u{7f}"), (":authority", "a,b"), (":method", "G\u{e9}T")]
        {
            let changed: Vec<_> =
                base.iter().map(|&header| if header.0 == name { (name, value) } else { header }).collect();
            check(headers(&changed), "rewrite", Err(Reason::MalformedRequest));
        }
    }

    #[test]
    fn other_headers_may_be_anything() {
        let odd =
            [(":method", "GET"), (":path", "/"), ("x", "\u{e9}"), ("x", "\u{1}"), ("authorization", "Digest a, b")];
        check(headers(&odd), "strict", Ok(None));
    }

    #[test]
    fn a_path_that_is_not_canonical_is_refused_or_replaced() {
        let get = |path| headers(&[(":method", "GET"), (":path", path)]);
        for (path, canonical) in [
            ("/a//b", "/a/b"),
            ("/a/../b?q=//x", "/b?q=//x"),
            ("/%61?", "/a?"),
            ("/%2a", "/%2A"),
            ("/a/%2e%2e/b", "/b"),
        ] {
            check(get(path), "strict", Err(Reason::MalformedRequest));
            check(get(path), "rewrite", Ok(Some(canonical)));
        }
        for path in ["/", "/a?b=/../c", "/a/", "/a?"] {
            check(get(path), "strict", Ok(None));
            check(get(path), "rewrite", Ok(None));
        }
    }

    #[test]
    fn a_path_without_canonical_form_is_left_to_the_policy() {
        for path in ["/..", "/a%2fb", "/a;b", "*", "/%zz", "/a\\b"] {
            for mode in ["strict", "rewrite"] {
                check(headers(&[(":method", "GET"), (":path", path)]), mode, Ok(None));
            }
        }
    }

    #[test]
    fn finds_identity_headers_under_every_spelling() {
        let received = received(headers(&[
            ("x-portcullis-roles", ""),
            ("x_portcullis_subject", ""),
            ("X-Portcullis_New", ""),
            ("x-portcullis", ""),
            ("x-portcullis.roles", ""),
            ("my-x-portcullis-roles", ""),
        ]));
        assert_eq!(
            received.forged().collect::<Vec<_>>(),
            ["x-portcullis-roles", "x_portcullis_subject", "X-Portcullis_New"]
        );
    }

    #[test]
    fn reads_the_address_of_the_client() {
        for (address, expected) in [
            ("203.0.113.9:0", Some("203.0.113.9")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("[fe80::1%2]:1", Some("fe80::1")),
            ("/run/envoy.sock", None),
            ("203.0.113.9", None),
            ("", None),
        ] {
            let received = Received {
                source_address: Some(address.as_bytes().to_vec()),
                ..received(headers(&[(":method", "GET"), (":path", "/")]))
            };
            let facts = Facts::read(&received, &config(json!({})), &mut Vec::new()).unwrap();
            assert_eq!(facts.source_ip.map(|ip| ip.to_string()).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn reads_country_and_continent_from_the_configured_headers() {
        let base = [(":method", "GET"), (":path", "/")];
        let keys = json!({"country_header": "X-Country", "continent_header": "x-continent"});
        let read = |extra: &[(&str, &str)], keys: serde_json::Value| {
            let received = received(headers(&[base.as_slice(), extra].concat()));
            let facts = Facts::read(&received, &config(keys), &mut Vec::new());
            facts.map(|facts| [facts.country, facts.continent].map(|code| code.map(str::to_owned)))
        };
        let both = [("x-country", "ua"), ("x-continent", "EU")];
        assert_eq!(read(&both, keys.clone()), Ok([Some("ua".to_owned()), Some("EU".to_owned())]));
        assert_eq!(read(&both, json!({})), Ok([None, None]));
        assert_eq!(read(&[], keys.clone()), Ok([None, None]));
        for country in ["", "UKR", "U1", "U ", "\u{e9}"] {
            assert_eq!(read(&[("x-country", country)], keys.clone()), Err(Reason::MalformedRequest), "{country:?}");
        }
        let twice = [("x-continent", "EU"), ("x-continent", "EU")];
        assert_eq!(read(&twice, keys), Err(Reason::MalformedRequest));
    }

    #[test]
    fn a_token_that_cannot_be_read_is_not_anonymous() {
        let received = Received {
            metadata: Some(metadata("jwt_payload", &json!({"sub": "u1", "roles": "admin"}))),
            ..received(headers(&[(":method", "GET"), (":path", "/")]))
        };
        let reason = Facts::read(&received, &config(json!({})), &mut Vec::new()).unwrap_err();
        assert_eq!(reason, Reason::Unauthenticated);
    }
}
