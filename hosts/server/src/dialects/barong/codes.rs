//! Codes of a second factor and from mails; attempts are counted like failed logins.

use axum::http::StatusCode;
use portcullis_directory::{Account, Change, UserId};
use portcullis_identity::login::{Admitted, Attempt, LoginError};
use portcullis_identity::one_time::OneTimeError;
use portcullis_identity::totp::{self, TotpError};

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::visitor::Visitor;
use crate::permit::Permit;

pub const TOO_MANY: Refusal = Refusal::Other(StatusCode::TOO_MANY_REQUESTS, "identity.session.too_many_attempts");

/// A write that a code of a second factor allows: the code is used up with it, or not at all.
pub struct Allowed {
    pub change: Change,
    /// `None` where no code was wanted.
    attempt: Option<Admitted>,
}

impl Allowed {
    pub async fn commit(self, app: &App) -> Result<(), Refusal> {
        app.store.commit(self.change).await?;
        match self.attempt {
            Some(attempt) => Ok(attempt.succeed(&app.identity.directory).await?),
            None => Ok(()),
        }
    }
}

/// A write of a user that needs no code.
pub async fn without<W>(app: &App, permit: &Permit<W>, user: &UserId) -> Result<Allowed, Refusal> {
    Ok(Allowed { change: app.store.begin_as(permit, user).await?, attempt: None })
}

/// A write of a user by a code; `None` when it is not the code of this user, now and for the first time.
pub async fn spend<W>(
    app: &App,
    permit: &Permit<W>,
    visitor: &Visitor,
    (user, code): (&UserId, &str),
) -> Result<Option<Allowed>, Refusal> {
    let attempt = admit(app, &format!("otp {user}"), visitor).await?;
    let change = app.store.begin_as(permit, user).await?;
    match totp::spend(&change, user, code, &app.identity.vault, app.store.now()).await {
        Ok(()) => Ok(Some(Allowed { change, attempt: Some(attempt) })),
        Err(TotpError::BadCode) => Ok(None),
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

/// A write by a code from a mail, and whose code it is; it is used up with the write.
pub async fn spend_mailed<W>(
    app: &App,
    permit: &Permit<W>,
    code: &str,
    purpose: &str,
) -> Result<(Change, Account), Refusal> {
    app.store.begin_by_mail(permit, (code, purpose)).await.map_err(|error| match error {
        OneTimeError::BadToken => Refusal::invalid("identity.user.utilized_token"),
        error => Refusal::internal(error),
    })
}
