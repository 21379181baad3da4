//! Requests that begin or end a session come from no page of another site: its form would log a visitor in as somebody else.
//!
//! Browsers tell in `sec-fetch-site`, older ones and those without TLS in `origin`; who tells neither is no browser.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use url::Url;

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::pep::received::single;

pub struct OwnPage;

const OTHER: Refusal = Refusal::Other(StatusCode::FORBIDDEN, "identity.session.other_origin");
const SITE: &str = "sec-fetch-site";
/// Where proxies that change `host` keep it.
const FORWARDED_HOST: &str = "x-forwarded-host";

impl FromRequestParts<Arc<App>> for OwnPage {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let one = |name: &str| single(&parts.headers, name).map_err(|_| OTHER);
        let is_own = match one(SITE)? {
            Some(site) => matches!(site, "same-origin" | "same-site" | "none"),
            None => match one(ORIGIN.as_str())? {
                Some(origin) => {
                    let authority = parts.uri.authority().map(|authority| authority.as_str());
                    let direct = authority.or(one(HOST.as_str())?);
                    let forwarded = if is_proxied(parts, app) { one(FORWARDED_HOST)? } else { None };
                    [direct, forwarded].into_iter().flatten().any(|host| is_of(origin, host))
                }
                None => true,
            },
        };
        if is_own { Ok(Self) } else { Err(OTHER) }
    }
}

fn is_proxied(parts: &Parts, app: &App) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| app.proxies.trusts(peer.ip().to_canonical()))
}

/// Whatever the port: proxies leave it out, and cookies do not tell ports apart.
fn is_of(origin: &str, host: &str) -> bool {
    let name = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    name(origin).is_some_and(|origin| name(&format!("http://{host}")) == Some(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_of_a_host_by_name() {
        for (origin, host, expected) in [
            ("https://a.test", "a.test", true),
            ("https://A.test:8443", "a.TEST", true),
            ("http://[2001:db8::1]:80", "[2001:DB8::1]", true),
            ("https://b.test", "a.test", false),
            ("https://a.test.b.test", "a.test", false),
            ("null", "a.test", false),
            ("null", "null", false),
            ("", "", false),
            ("https://a.test", "b.test/@a.test", false),
        ] {
            assert_eq!(is_of(origin, host), expected, "{origin} {host}");
        }
    }
}
