//! Who calls: the `authorization` header -> `Caller`.

pub mod client;
pub mod jwt;
pub mod secret;

use std::net::IpAddr;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use portcullis_directory::{EdgeId, SecretHash, StoreError, User};

use crate::authn::secret::{AccessSecret, EdgeSecret, Secret as _, SetupSecret};
use crate::store::Store;

/// Where a proxy shows its own token when it asks about a request of somebody else.
pub const EDGE_TOKEN: HeaderName = HeaderName::from_static("x-portcullis-edge-token");

/// Who is calling the server right now.
#[derive(Clone, Debug)]
pub enum Caller {
    /// No `authorization` header.
    Anonymous,
    /// As the directory knows it at this request.
    User(User),
    /// A proxy, which sees one tenant.
    Edge(EdgeId),
    /// Whoever holds the setup token.
    Setup(SecretHash),
    /// A proxy that is known by its address.
    Peer(IpAddr),
    /// Nobody, where a dialect is configured as open.
    Open,
}

#[derive(Debug, thiserror::Error)]
pub enum AuthnError {
    /// More than one header, another scheme, not a token, or a token that nobody has.
    #[error("the token is not valid")]
    BadToken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a header offers.
enum Token {
    Access(SecretHash),
    Edge(SecretHash),
    Setup(SecretHash),
}

/// Who calls the server's own API.
pub async fn authenticate(headers: &HeaderMap, store: &Store) -> Result<Caller, AuthnError> {
    match bearer(headers)? {
        None => Ok(Caller::Anonymous),
        Some(token) => owner(token, store).await,
    }
}

/// Which proxy asks about a request of somebody else, whose `authorization` is not its own.
pub async fn authenticate_proxy(headers: &HeaderMap, store: &Store) -> Result<Caller, AuthnError> {
    match one(headers, &EDGE_TOKEN)? {
        None => Ok(Caller::Anonymous),
        Some(value) => owner(Token::parse(value).ok_or(AuthnError::BadToken)?, store).await,
    }
}

async fn owner(token: Token, store: &Store) -> Result<Caller, AuthnError> {
    let caller = match token {
        Token::Access(hash) => store.user_by_token(hash).await?.map(Caller::User),
        Token::Edge(hash) => store.edge_by_token(hash).await?.map(Caller::Edge),
        Token::Setup(hash) => store.is_setup_token(hash).await?.then_some(Caller::Setup(hash)),
    };
    caller.ok_or(AuthnError::BadToken)
}

/// Exactly one header, `Bearer` in any case, one space, the token (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Result<Option<Token>, AuthnError> {
    let Some(value) = one(headers, &AUTHORIZATION)? else { return Ok(None) };
    let (scheme, token) = value.split_once(' ').ok_or(AuthnError::BadToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthnError::BadToken);
    }
    Token::parse(token).map(Some).ok_or(AuthnError::BadToken)
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, AuthnError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| value.to_str()).transpose().map_err(|_| AuthnError::BadToken)?;
    if values.next().is_some() { Err(AuthnError::BadToken) } else { Ok(value) }
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let access = AccessSecret::parse(text).map(|secret| Self::Access(secret.hash()));
        let edge = || EdgeSecret::parse(text).map(|secret| Self::Edge(secret.hash()));
        let setup = || SetupSecret::parse(text).map(|secret| Self::Setup(secret.hash()));
        access.or_else(edge).or_else(setup)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "ptc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
    }

    #[test]
    fn one_header_with_scheme_space_and_token() {
        assert!(matches!(bearer(&headers(&[])), Ok(None)));
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let found = bearer(&headers(&[&format!("{scheme} {TOKEN}")]));
            assert!(matches!(found, Ok(Some(Token::Access(_)))), "{scheme}");
        }
    }

    #[test]
    fn anything_else_is_a_bad_token() {
        let good = format!("Bearer {TOKEN}");
        for values in [
            vec![good.as_str(), good.as_str()],
            vec![""],
            vec!["Bearer"],
            vec![TOKEN],
            vec![&good[..good.len() - 1]],
            vec!["Bearer  ptc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],
            vec!["Bearer\tptc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],
            vec!["Basic ptc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],
            vec!["Bearer PTC_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],
            vec!["Bearer ptc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"],
        ] {
            assert!(matches!(bearer(&headers(&values)), Err(AuthnError::BadToken)), "{values:?}");
        }
    }
}
