//! The client of a proxy: what it offered as credentials -> a user of the directory, nobody, or nobody valid.

use axum::http::{HeaderMap, HeaderName};
use portcullis_directory::{SecretHash, StoreError, User};
use portcullis_runtime::Subject;

use crate::authn::secret::{AccessSecret, EdgeSecret, Secret, SetupSecret};
use crate::error::ApiError;
use crate::store::Store;

/// API keys that were offered. Credentials of other kinds are none of this server's.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offered(Vec<Key>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Access(SecretHash),
    /// Looks like a key of this server and is none that a client may use.
    Invalid,
}

/// Whose credentials they are.
pub enum Owner {
    /// Nothing that this server knows was offered.
    Nobody,
    Invalid,
    User(User),
}

const API_KEY: HeaderName = HeaderName::from_static("x-portcullis-forwarded-api-key");
const AUTHORIZATION: HeaderName = HeaderName::from_static("x-portcullis-forwarded-authorization");

impl Offered {
    /// What a proxy forwards for its client.
    pub fn forwarded(headers: &HeaderMap) -> Result<Self, ApiError> {
        let one = |name: &HeaderName| {
            let mut values = headers.get_all(name).iter();
            match (values.next().map(|value| value.to_str()), values.next()) {
                (None, _) => Ok(None),
                (Some(Ok(value)), None) => Ok(Some(value)),
                _ => Err(ApiError::malformed(format!("the header `{name}` is there twice, or not ASCII"))),
            }
        };
        Ok(Self::new(one(&API_KEY)?, one(&AUTHORIZATION)?))
    }

    pub fn new(api_key: Option<&str>, authorization: Option<&str>) -> Self {
        let bearer = authorization.and_then(bearer);
        Self([api_key, bearer].into_iter().flatten().filter_map(Key::parse).collect())
    }

    /// Two keys are of nobody, unless they are the same.
    pub async fn owner(&self, store: &Store) -> Result<Owner, StoreError> {
        let Some((first, others)) = self.0.split_first() else { return Ok(Owner::Nobody) };
        let Key::Access(hash) = *first else { return Ok(Owner::Invalid) };
        if others.iter().any(|other| other != first) {
            return Ok(Owner::Invalid);
        }
        Ok(store.user_by_token(hash).await?.map_or(Owner::Invalid, Owner::User))
    }
}

impl Key {
    /// `None` for what is no key of this server.
    fn parse(text: &str) -> Option<Self> {
        let is_ours = [AccessSecret::PREFIX, EdgeSecret::PREFIX, SetupSecret::PREFIX];
        let is_ours = is_ours.iter().any(|prefix| text.starts_with(prefix));
        is_ours.then(|| AccessSecret::parse(text).map_or(Self::Invalid, |secret| Self::Access(secret.hash())))
    }
}

/// The token of `Bearer TOKEN`; `None` for another scheme.
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The user as policies see it, by facts that were true at `now`.
pub fn user_subject(user: &User, now: u64) -> Subject {
    Subject {
        id: user.id.to_string(),
        kind: None,
        state: user.state.to_string(),
        roles: user.roles.iter().map(|role| role.to_string()).collect(),
        permission_groups: user.groups.iter().map(|group| group.to_string()).collect(),
        level: Some(user.level),
        otp: user.otp,
        issued_at: Some(now),
        properties: None,
    }
}
