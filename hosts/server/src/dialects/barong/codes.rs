//! Codes of a second factor: counted like failed logins until one is right.

use axum::http::StatusCode;
use portcullis_directory::UserId;
use portcullis_identity::login::{Attempt, LoginError};
use portcullis_identity::totp::{self, TotpError};

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::visitor::Visitor;

pub const TOO_MANY: Refusal = Refusal::Other(StatusCode::TOO_MANY_REQUESTS, "identity.session.too_many_attempts");

/// Whether it is the code of the user, now and for the first time.
pub async fn spend(app: &App, user: &UserId, code: &str, visitor: &Visitor) -> Result<bool, Refusal> {
    let (identity, now) = (&app.identity, app.store.now());
    let account = format!("otp {user}");
    let attempt = Attempt { account: &account, password: "", address: visitor.address };
    let admitted = match identity.settings.throttle.admit(&identity.directory, attempt, now).await {
        Ok(admitted) => admitted,
        Err(LoginError::Throttled) => return Err(TOO_MANY),
        Err(error) => return Err(Refusal::internal(error)),
    };
    match totp::spend(&identity.directory, user, code, &identity.vault, now).await {
        Ok(()) => {
            admitted.succeed(&identity.directory).await?;
            Ok(true)
        }
        Err(TotpError::BadCode) => Ok(false),
        Err(error) => Err(Refusal::internal(error)),
    }
}
