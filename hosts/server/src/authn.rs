//! Who calls: the `authorization` header -> `Caller`.

pub mod secret;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use portcullis_directory::{SecretHash, StoreError, User};

use crate::authn::secret::{AccessSecret, Secret as _, SetupSecret};
use crate::store::Store;

/// Who is calling the server right now.
#[derive(Clone, Debug)]
pub enum Caller {
    /// No `authorization` header.
    Anonymous,
    /// As the directory knows it at this request.
    User(User),
    /// Whoever holds the setup token.
    Setup(SecretHash),
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
    Setup(SecretHash),
}

pub async fn authenticate(headers: &HeaderMap, store: &Store) -> Result<Caller, AuthnError> {
    match bearer(headers)? {
        None => Ok(Caller::Anonymous),
        Some(Token::Access(hash)) => store.user_by_token(hash).await?.map(Caller::User).ok_or(AuthnError::BadToken),
        Some(Token::Setup(hash)) if store.is_setup_token(hash).await? => Ok(Caller::Setup(hash)),
        Some(Token::Setup(_)) => Err(AuthnError::BadToken),
    }
}

/// Exactly one header, `Bearer` in any case, one space, the token (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Result<Option<Token>, AuthnError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(AuthnError::BadToken);
    }
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(AuthnError::BadToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthnError::BadToken);
    }
    let access = AccessSecret::parse(token).map(|secret| Token::Access(secret.hash()));
    access
        .or_else(|| SetupSecret::parse(token).map(|secret| Token::Setup(secret.hash())))
        .map(Some)
        .ok_or(AuthnError::BadToken)
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
