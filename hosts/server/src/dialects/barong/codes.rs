//! Codes of a second factor and from mails; attempts are counted like failed logins.

use axum::http::StatusCode;
use portcullis_directory::UserId;
use portcullis_identity::login::{Admitted, Attempt, LoginError};
use portcullis_identity::one_time::{self, OneTimeError};
use portcullis_identity::totp::{self, TotpError};

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::visitor::Visitor;

pub const TOO_MANY: Refusal = Refusal::Other(StatusCode::TOO_MANY_REQUESTS, "identity.session.too_many_attempts");

/// Whether it is the code of the user, now and for the first time.
pub async fn spend(app: &App, user: &UserId, code: &str, visitor: &Visitor) -> Result<bool, Refusal> {
    let (identity, now) = (&app.identity, app.store.now());
    let admitted = admit(app, &format!("otp {user}"), visitor).await?;
    match totp::spend(&identity.directory, user, code, &identity.vault, now).await {
        Ok(()) => {
            admitted.succeed(&identity.directory).await?;
            Ok(true)
        }
        Err(TotpError::BadCode) => Ok(false),
        Err(error) => Err(Refusal::internal(error)),
    }
}

/// Counts an attempt of `account`, which has the kind of what is tried in front, and of the address.
pub async fn admit(app: &App, account: &str, visitor: &Visitor) -> Result<Admitted, Refusal> {
    let (identity, now) = (&app.identity, app.store.now());
    let attempt = Attempt { account, password: "", address: visitor.address };
    match identity.settings.throttle.admit(&identity.directory, attempt, now).await {
        Ok(admitted) => Ok(admitted),
        Err(LoginError::Throttled) => Err(TOO_MANY),
        Err(error) => Err(Refusal::internal(error)),
    }
}

/// Whose code from a mail it is; it was good this once.
pub async fn spend_mailed(app: &App, code: &str, purpose: &str) -> Result<UserId, Refusal> {
    let token = one_time::spend(&app.identity.directory, code, purpose, app.store.now()).await;
    let token = token.map_err(|error| match error {
        OneTimeError::BadToken => Refusal::invalid("identity.user.utilized_token"),
        error => Refusal::internal(error),
    })?;
    UserId::parse(&token.subject).map_err(Refusal::internal)
}
