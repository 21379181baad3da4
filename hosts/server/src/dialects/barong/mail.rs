//! Mail of the dialect: a code that works once, for whoever reads it.

use portcullis_directory::{Email, PASSWORD_RESET, User, UserId};
use portcullis_identity::one_time::{self, Offer};

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::identity::RANDOM;
use crate::identity::mail::Message;

/// What a code is for.
#[derive(Clone, Copy)]
pub struct Letter {
    pub purpose: &'static str,
    subject: &'static str,
    text: &'static str,
    lifetime_s: u64,
}

pub const CONFIRMATION: Letter = Letter {
    purpose: "barong.confirmation",
    subject: "Confirm your address",
    text: "This code confirms that the address is yours. It works once, for a day.",
    lifetime_s: 86_400,
};
pub const RESET: Letter = Letter {
    purpose: PASSWORD_RESET,
    subject: "A new password",
    text: "With this code you choose a new password. It works once, for an hour. If you did not ask for it, do nothing.",
    lifetime_s: 3600,
};

/// Codes of that kind before this one no longer work; this one only while the user has that address.
pub async fn send(app: &App, letter: Letter, (user, to): (&UserId, &Email)) -> Result<(), Refusal> {
    let now = app.store.now();
    let Letter { purpose, subject, text, lifetime_s } = letter;
    let address = to.key();
    let offer = Offer { purpose, subject: user.as_str(), data: Some(&address), lifetime_s };
    let code = one_time::issue(&app.identity.directory, offer, now, &RANDOM).await.map_err(Refusal::internal)?;
    let text = format!("{text}\n\n{}\n", code.reveal());
    let message = Message { to: to.to_string(), subject, text };
    app.identity.mail.send(message, now).await.map_err(Refusal::internal)
}

/// The user of an address, and the address as it is stored.
pub async fn addressee(app: &App, email: &str) -> Result<Option<(User, Email)>, Refusal> {
    let Ok(email) = Email::parse(email) else { return Ok(None) };
    let Some(user) = app.identity.directory.user_by_email(&email).await? else { return Ok(None) };
    let Some(account) = app.store.account(&user.id).await? else { return Ok(None) };
    Ok(account.details.email.map(|email| (account.user, email)))
}
