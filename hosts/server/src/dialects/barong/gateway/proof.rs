//! What a client shows to the gateway, an API key or a session, and who that is.

use axum::http::HeaderMap;
use portcullis_directory::{Account, Holder, ServiceAccount, UnixSeconds};
use portcullis_identity::api_keys::{BarongProof, KeyError, KeyRules};
use portcullis_identity::sessions::SessionError;
use portcullis_identity::{Secret, csrf};
use portcullis_runtime::{Credential, Subject};

use super::denial::{Denial, INVALID_SESSION};
use crate::app::App;
use crate::authn::client::user_subject;
use crate::dialects::barong::visitor::Visitor;
use crate::error::ApiError;
use crate::pep::received::single;
use crate::revocations::read_at;

/// As it came.
pub enum Shown<'a> {
    Key(BarongProof<'a>),
    Cookie(&'a str),
    Nothing,
}

pub enum Who {
    /// By a session.
    User(Box<Account>),
    /// The same by an API key.
    KeyHolder(Box<Account>),
    Service(Box<ServiceAccount>),
}

/// A key is three headers; some of them are none.
const KEY_HEADERS: [&str; 3] = ["x-auth-apikey", "x-auth-nonce", "x-auth-signature"];
const CSRF: &str = "x-csrf-token";

impl<'a> Shown<'a> {
    /// With an API key a cookie does not count.
    pub fn read(headers: &'a HeaderMap, visitor: &'a Visitor) -> Result<Self, Denial> {
        if KEY_HEADERS.iter().all(|&name| !headers.contains_key(name)) {
            return Ok(visitor.cookie.as_deref().map_or(Self::Nothing, Self::Cookie));
        }
        let part = |name| {
            let part = single(headers, name).ok().flatten().filter(|part| !part.trim().is_empty());
            part.ok_or(Denial { status: 422, code: "authz.invalid_api_key_headers" })
        };
        let [kid, nonce, signature] = KEY_HEADERS.map(part);
        Ok(Self::Key(BarongProof { kid: kid?, nonce: nonce?, signature: signature? }))
    }
}

pub async fn who(
    app: &App,
    shown: Result<Shown<'_>, Denial>,
    visitor: &Visitor,
    (headers, method): (&HeaderMap, &str),
) -> Result<Result<Who, Denial>, ApiError> {
    match shown {
        Err(denial) => Ok(Err(denial)),
        Ok(Shown::Key(proof)) => by_key(app, proof).await,
        Ok(Shown::Cookie(cookie)) => match forged(app, Some(cookie), (headers, method)) {
            Some(denial) => Ok(Err(denial)),
            None => by_session(app, cookie, visitor).await,
        },
        Ok(Shown::Nothing) => Ok(Err(forged(app, None, (headers, method)).unwrap_or(INVALID_SESSION))),
    }
}

/// Requests that change something need what only pages of ours can read.
fn forged(app: &App, cookie: Option<&str>, (headers, method): (&HeaderMap, &str)) -> Option<Denial> {
    if !app.barong.csrf_protection || !csrf::is_needed(method) {
        return None;
    }
    let Some(shown) = single(headers, CSRF).ok().flatten() else {
        return Some(Denial { status: 401, code: "authz.missing_csrf_token" });
    };
    let is_it = cookie.and_then(Secret::parse).is_some_and(|cookie| csrf::is_token(&cookie, shown));
    (!is_it).then_some(Denial { status: 401, code: "authz.csrf_token_mismatch" })
}

async fn by_session(app: &App, cookie: &str, visitor: &Visitor) -> Result<Result<Who, Denial>, ApiError> {
    let (identity, now) = (&app.identity, app.store.now());
    let found = identity.settings.sessions.find(&identity.directory, cookie, visitor.client(), now).await;
    let session = match found {
        Ok(session) => session,
        Err(SessionError::None) => return Ok(Err(INVALID_SESSION)),
        Err(SessionError::OtherClient) => {
            return Ok(Err(Denial { status: 401, code: "authz.client_session_mismatch" }));
        }
        Err(SessionError::Store(error)) => return Err(error.into()),
        // Nothing begins here.
        Err(error @ (SessionError::NoRandomness(_) | SessionError::Outdated)) => return Err(ApiError::internal(error)),
    };
    let account = app.store.account(&session.user).await?;
    Ok(account.map(|account| Who::User(Box::new(account))).ok_or(INVALID_SESSION))
}

async fn by_key(app: &App, proof: BarongProof<'_>) -> Result<Result<Who, Denial>, ApiError> {
    let identity = &app.identity;
    let found = KeyRules::default().barong(&identity.directory, &identity.vault, proof, app.store.now_ms()).await;
    let holder = match found {
        Ok((_, holder)) => holder,
        Err(error) => return denial(error).map(Err),
    };
    Ok(match holder {
        Holder::ServiceAccount(account) => Ok(Who::Service(Box::new(account))),
        Holder::User(user) => {
            let account = app.store.account(&user.id).await?;
            account.map(|account| Who::KeyHolder(Box::new(account))).ok_or(INVALID_SESSION)
        }
    })
}

fn denial(error: KeyError) -> Result<Denial, ApiError> {
    let unauthorized = |code| Ok(Denial { status: 401, code });
    match error {
        KeyError::Unknown => unauthorized("authz.unexistent_apikey"),
        KeyError::BadTime => unauthorized("authz.nonce_not_valid_timestamp"),
        KeyError::Expired | KeyError::NonceUsed => unauthorized("authz.nonce_expired"),
        KeyError::BadSignature | KeyError::BadNonce => unauthorized("authz.invalid_signature"),
        KeyError::Inactive => unauthorized("authz.apikey_not_active"),
        KeyError::HolderInactive => Ok(INVALID_SESSION),
        KeyError::OtpOff => unauthorized("authz.disabled_2fa"),
        KeyError::TooMany => Ok(Denial { status: 429, code: "authz.too_many_requests" }),
        KeyError::Store(error) => Err(error.into()),
        error @ (KeyError::NoRandomness(_) | KeyError::Vault(_) | KeyError::Change(_)) => {
            Err(ApiError::internal(error))
        }
    }
}

// === impl Who ===

impl Who {
    pub fn id(&self) -> &str {
        match self {
            Self::User(account) | Self::KeyHolder(account) => account.user.id.as_str(),
            Self::Service(account) => &account.uid,
        }
    }

    pub fn credential(&self) -> Credential {
        match self {
            Self::User(_) => Credential::Token,
            Self::KeyHolder(_) | Self::Service(_) => Credential::ApiKey,
        }
    }

    /// By facts that are true now.
    pub fn subject(&self, now: UnixSeconds) -> Subject {
        let subject = match self {
            Self::User(account) | Self::KeyHolder(account) => user_subject(&account.user, now.0),
            Self::Service(account) => Subject {
                id: account.uid.clone(),
                kind: None,
                state: account.state.clone(),
                roles: vec![account.role.clone()],
                permission_groups: Vec::new(),
                level: u32::try_from(account.level).ok(),
                // Has none and needs none.
                otp: true,
                issued_at: None,
                properties: None,
            },
        };
        Subject { issued_at: Some(read_at(now)), ..subject }
    }
}
