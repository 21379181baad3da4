//! Whose request it is, as far as connection and headers tell before anybody proves who it is.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::request::Parts;
use portcullis_identity::sessions::Client;

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::error::ApiError;
use crate::pep::received::{client_address, place};

#[derive(Clone, Debug)]
pub struct Visitor {
    /// Behind the proxies that are configured, and nobody else's word.
    pub address: IpAddr,
    pub user_agent: Option<String>,
    /// As a configured proxy says.
    pub country: Option<String>,
    /// The value of the session's cookie.
    pub cookie: Option<String>,
}

impl Visitor {
    pub fn read(headers: &HeaderMap, peer: IpAddr, app: &App) -> Result<Self, ApiError> {
        let unusable = |_| ApiError::malformed("`x-forwarded-for` or the country of the client cannot be used");
        let address = client_address(headers, &app.proxies, peer).map_err(unusable)?;
        let country = match app.proxies.trusts(peer) {
            true => place(headers, app.proxies.country_header.as_deref()).map_err(unusable)?,
            false => None,
        };
        let user_agent = headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned());
        let cookie = cookie(headers, &app.barong.session_name);
        Ok(Self { address, user_agent, country: country.map(str::to_owned), cookie })
    }

    pub fn client(&self) -> Client<'_> {
        Client { address: self.address, user_agent: self.user_agent.as_deref() }
    }
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let peer = peer.ok_or_else(|| ApiError::internal("a request without an address"))?;
        Ok(Self::read(&parts.headers, peer, app)?)
    }
}

/// Of that name; none when there are two that differ, of which others would read the other one.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|&(found, _)| found == name).map(|(_, value)| value);
    let first = values.next()?;
    values.all(|value| value == first).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_of_a_name_is_one() {
        for (lines, expected) in [
            (&["s=abc"][..], Some("abc")),
            (&["a=1; s=abc;b=2"], Some("abc")),
            (&["a=1", "s=abc"], Some("abc")),
            (&["s=abc; s=abc"], Some("abc")),
            (&["s=abc; s=def"], None),
            (&["s=abc", "s=def"], None),
            (&["S=abc"], None),
            (&["xs=abc"], None),
            (&["s"], None),
            (&[], None),
        ] {
            let headers: HeaderMap = lines.iter().map(|line| (COOKIE, line.parse().unwrap())).collect();
            assert_eq!(cookie(&headers, "s").as_deref(), expected, "{lines:?}");
        }
    }
}
