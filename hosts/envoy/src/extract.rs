//! What the proxy knows about a request -> the facts that the policy decides on, all but the subject.
//!
//! In: headers and properties, as bytes. Out: `Facts`, or why there are none. Pure.

use std::borrow::Cow;
use std::net::IpAddr;

use portcullis_core::{Reason, canonicalize};

use crate::address;
use crate::claims::of_filter;
use crate::config::{Config, PathMode, Place};
use crate::headers::Headers;
use crate::host::{Host, HostError, Property};
use crate::identity::Payload;

/// Every header whose name starts like this, with `_` read as `-`, is for the filter alone to write.
const IDENTITY_PREFIX: &str = "x-portcullis-";

/// The request, as bytes of the proxy.
#[derive(Debug, Default)]
pub struct Received {
    pub headers: Headers,
    pub source_address: Option<Vec<u8>>,
    pub metadata: Option<Vec<u8>>,
    /// The name in the client's certificate: the first URI, else the first DNS name.
    pub peer: Option<Vec<u8>>,
}

impl Received {
    /// Asks only for what the configuration needs: each property is a call out of the sandbox.
    pub fn read(host: &impl Host, config: &Config) -> Result<Self, HostError> {
        let property = |is_needed: bool, property| if is_needed { host.property(property) } else { Ok(None) };
        let is_metadata = |place: &Option<Place>| matches!(place, Some(Place::Metadata { .. }));
        let places = &config.places;
        let needs_metadata =
            config.jwt_payload_key.is_some() || is_metadata(&places.country) || is_metadata(&places.continent);
        let peer = |property| Ok(host.property(property)?.filter(|name| !name.is_empty()));
        Ok(Self {
            headers: host.request_headers()?,
            source_address: property(config.trusted_hops.is_none(), Property::SourceAddress)?,
            metadata: property(needs_metadata, Property::Metadata)?,
            peer: match config.services.as_slice() {
                [] => None,
                _ => peer(Property::PeerUri)?.map_or_else(|| peer(Property::PeerDns), |name| Ok(Some(name)))?,
            },
        })
    }

    /// Names of the identity headers that the client sent.
    pub fn forged<'a>(&'a self, config: &Config) -> impl Iterator<Item = &'a str> {
        let names = self.headers.iter().map(|(name, _value)| name).filter(|name| is_identity(name, config));
        // A name of `Headers` is a text.
        names.filter_map(|name| core::str::from_utf8(name).ok())
    }

    /// The first header of that name, for records; whatever is no text in it is replaced.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers.first(name).map(String::from_utf8_lossy)
    }
}

/// Whether the upstream would take the header for the filter's. Some upstreams read `_` in a name as `-`.
fn is_identity(name: &[u8], config: &Config) -> bool {
    let spelled = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    let begins =
        |with: &str| name.len() >= with.len() && name.iter().zip(with.bytes()).all(|(a, b)| spelled(*a) == spelled(b));
    begins(IDENTITY_PREFIX) || config.upstream_headers.names().any(|known| known.len() == name.len() && begins(known))
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
    pub authorization: Option<&'a str>,
    pub source_ip: Option<IpAddr>,
    /// Two letters.
    pub country: Option<Cow<'a, str>>,
    /// Two letters.
    pub continent: Option<Cow<'a, str>>,
}

impl<'a> Facts<'a> {
    pub fn read(received: &'a Received, config: &Config, canonical: &mut Vec<u8>) -> Result<Self, Malformed> {
        let headers = &received.headers;
        let single = |name| single(headers, name);
        let method = single(":method")?.ok_or(Malformed)?;
        let path = single(":path")?.ok_or(Malformed)?;
        let host = match (single(":authority")?, single("host")?) {
            (Some(_), Some(_)) => return Err(Malformed),
            (authority, host) => authority.or(host),
        };
        // Envoy joins several `host` headers to one; no host has a comma.
        if host.is_some_and(|host| host.contains(',')) {
            return Err(Malformed);
        }
        let authorization = single("authorization")?;
        if authorization.is_some_and(holds_several_tokens) {
            return Err(Malformed);
        }
        Ok(Self {
            method,
            host,
            path,
            rewritten: rewrite(path, config.path_mode, canonical)?,
            authorization,
            source_ip: match config.trusted_hops {
                Some(hops) => Some(address::forwarded(headers, hops).map_err(|_| Malformed)?),
                None => received.source_address.as_deref().and_then(address::of_connection),
            },
            country: place(received, config.places.country.as_ref())?,
            continent: place(received, config.places.continent.as_ref())?,
        })
    }
}

/// A request of which nothing is decided: its answer is that of `Reason::MalformedRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl From<Malformed> for Reason {
    fn from(Malformed: Malformed) -> Self {
        Self::MalformedRequest
    }
}

/// The value of a header that may be there once, in visible ASCII.
pub fn single<'a>(headers: &'a Headers, name: &str) -> Result<Option<&'a str>, Malformed> {
    let mut values = headers.all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) if is_visible(value) => core::str::from_utf8(value).map(Some).map_err(|_| Malformed),
        _ => Err(Malformed),
    }
}

/// Whether each byte is one of ` ` to `~`. Tokens are long, so eight are looked at at once.
fn is_visible(value: &[u8]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES.wrapping_mul(0x80);
    const SPACES: u64 = ONES.wrapping_mul(b' ' as u64);
    let (words, rest) = value.as_chunks();
    let strange = words.iter().map(|word| u64::from_le_bytes(*word)).fold(0, |strange, word| {
        let (above_space, delete) = ((word | HIGH).wrapping_sub(SPACES), (word & !HIGH).wrapping_add(ONES));
        strange | word | !above_space | delete
    });
    strange & HIGH == 0 && rest.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The code of a country or continent from where the configuration says. What nobody wrote is no code.
fn place<'a>(received: &'a Received, place: Option<&Place>) -> Result<Option<Cow<'a, str>>, Malformed> {
    let code = match place {
        None => None,
        Some(Place::Header(name)) => single(&received.headers, name)?.map(Cow::Borrowed),
        Some(Place::Metadata { filter, key }) => {
            let metadata = received.metadata.as_deref().unwrap_or_default();
            let of_filter = of_filter(metadata, filter.as_bytes()).map_err(|_| Malformed)?;
            let code = of_filter.map(|of_filter| of_filter.text(key)).transpose().map_err(|_| Malformed)?;
            code.flatten().map(Cow::Owned)
        }
    };
    let is_code = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    if code.as_deref().is_some_and(|code| !is_code(code)) { Err(Malformed) } else { Ok(code) }
}

/// Whether Envoy joined several `authorization` headers: `jwt_authn` verifies the first token that it finds in them,
/// an upstream may read another. Other schemes have commas of their own (RFC 9110 section 11.4).
fn holds_several_tokens(authorization: &str) -> bool {
    authorization.contains(',') && authorization.to_ascii_lowercase().contains("bearer")
}

/// Whether the path is there once and canonical as it came.
pub fn is_canonical(received: &Received, canonical: &mut Vec<u8>) -> bool {
    let Ok(Some(raw)) = single(&received.headers, ":path") else { return false };
    let path = raw.split('?').next().unwrap_or_default();
    canonicalize(path, canonical).is_ok() && canonical == path.as_bytes()
}

/// The path for the upstream where it differs from the one received. A path without a canonical form stays: the policy
/// refuses it, with the status that it has for that.
fn rewrite(raw: &str, mode: PathMode, canonical: &mut Vec<u8>) -> Result<Option<String>, Malformed> {
    let (path, query) = raw.split_at(raw.find('?').unwrap_or(raw.len()));
    if canonicalize(path, canonical).is_err() || canonical == path.as_bytes() {
        return Ok(None);
    }
    match mode {
        PathMode::Strict => Err(Malformed),
        PathMode::Rewrite => {
            let path = core::str::from_utf8(canonical).map_err(|_| Malformed)?;
            Ok(Some(format!("{path}{query}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Facts, Malformed, Received};
    use crate::fake::{Pairs, config, filter_metadata, headers, packed};

    fn received(headers: Pairs) -> Received {
        Received { headers: packed(&headers), ..Received::default() }
    }

    #[track_caller]
    fn check(headers: Pairs, path_mode: &str, expected: Result<Option<&str>, Malformed>) {
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
        assert_eq!((facts.source_ip, facts.authorization), (None, None));
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
            check(headers(&[base.as_slice(), &[extra]].concat()), "strict", Err(Malformed));
        }
        let twice = [("authorization", "Bearer a"), ("authorization", "Bearer a")];
        check(headers(&[base, [twice[0], twice[1], ("x", "\u{e9}")]].concat()), "strict", Err(Malformed));
        for missing in [":method", ":path"] {
            let rest: Vec<_> = base.into_iter().filter(|(name, _)| *name != missing).collect();
            check(headers(&rest), "strict", Err(Malformed));
        }
        for (name, value) in
            [(":path", "/\u{e9}"), (":authority", "a\u{7f}"), (":authority", "a,b"), (":method", "G\u{e9}T")]
        {
            let changed: Vec<_> =
                base.iter().map(|&header| if header.0 == name { (name, value) } else { header }).collect();
            check(headers(&changed), "rewrite", Err(Malformed));
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
            check(get(path), "strict", Err(Malformed));
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
            ("x_auth_user", ""),
            ("X-Auth-User", ""),
            ("x-auth-users", ""),
        ]));
        let forged = |keys| received.forged(&config(keys)).map(str::to_owned).collect::<Vec<_>>();
        let always = ["x-portcullis-roles", "x_portcullis_subject", "X-Portcullis_New"];
        assert_eq!(forged(json!({})), always);
        let named = json!({"upstream_headers": {"subject": "X-Auth-User"}});
        assert_eq!(forged(named), [always.as_slice(), &["x_auth_user", "X-Auth-User"]].concat());
    }

    #[test]
    fn the_address_is_the_one_before_the_trusted_hops() {
        let hop = |entry| headers(&[(":method", "GET"), (":path", "/"), ("x-forwarded-for", entry)]);
        let read = |entry, keys| {
            let received = Received { source_address: Some(b"10.0.0.9:1".to_vec()), ..received(hop(entry)) };
            let facts = Facts::read(&received, &config(keys), &mut Vec::new());
            facts.map(|facts| facts.source_ip.map(|ip| ip.to_string()))
        };
        assert_eq!(read("6.6.6.6,1.1.1.1,10.0.0.1", json!({})), Ok(Some("10.0.0.9".to_owned())));
        let hops = json!({"trusted_hops": 1});
        assert_eq!(read("6.6.6.6,1.1.1.1,10.0.0.1", hops.clone()), Ok(Some("1.1.1.1".to_owned())));
        assert_eq!(read("6.6.6.6,unknown,10.0.0.1", hops), Err(Malformed));
    }

    #[test]
    fn reads_country_and_continent_from_the_configured_headers() {
        let base = [(":method", "GET"), (":path", "/")];
        let keys = json!({"country_header": "X-Country", "continent_header": "x-continent"});
        let read = |extra: &[(&str, &str)], keys: serde_json::Value| {
            let received = received(headers(&[base.as_slice(), extra].concat()));
            let facts = Facts::read(&received, &config(keys), &mut Vec::new());
            facts.map(|facts| [facts.country, facts.continent].map(|code| code.map(|code| code.into_owned())))
        };
        let both = [("x-country", "ua"), ("x-continent", "EU")];
        assert_eq!(read(&both, keys.clone()), Ok([Some("ua".to_owned()), Some("EU".to_owned())]));
        assert_eq!(read(&both, json!({})), Ok([None, None]));
        assert_eq!(read(&[], keys.clone()), Ok([None, None]));
        for country in ["", "UKR", "U1", "U ", "\u{e9}"] {
            assert_eq!(read(&[("x-country", country)], keys.clone()), Err(Malformed), "{country:?}");
        }
        let twice = [("x-continent", "EU"), ("x-continent", "EU")];
        assert_eq!(read(&twice, keys), Err(Malformed));
    }

    #[test]
    fn reads_country_and_continent_from_the_metadata_of_geoip() {
        let keys = json!({"geoip": {"country": "cc", "continent": "ct"}});
        let read = |metadata: Vec<u8>| {
            let received = Received {
                metadata: Some(metadata),
                ..received(headers(&[(":method", "GET"), (":path", "/"), ("x-country", "UA")]))
            };
            let facts = Facts::read(&received, &config(keys.clone()), &mut Vec::new());
            facts.map(|facts| [facts.country, facts.continent].map(|code| code.map(|code| code.into_owned())))
        };
        let of_geoip = |payload| filter_metadata("envoy.filters.http.geoip", &payload);
        let both = read(of_geoip(json!({"cc": "UA", "ct": "EU"})));
        assert_eq!(both, Ok([Some("UA".to_owned()), Some("EU".to_owned())]));
        assert_eq!(read(of_geoip(json!({"asn": 1}))), Ok([None, None]));
        assert_eq!(read(Vec::new()), Ok([None, None]));
        for wrong in [json!({"cc": "UKR"}), json!({"cc": 1}), json!({"ct": ""})] {
            assert_eq!(read(of_geoip(wrong.clone())), Err(Malformed), "{wrong}");
        }
        assert_eq!(read(b"\x0a\x05abc".to_vec()), Err(Malformed));
    }
}
