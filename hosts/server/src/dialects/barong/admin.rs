//! The administration: one file for each theme.

pub mod activities;
pub mod api_keys;
pub mod comments;
pub mod documents;
pub mod filters;
pub mod labels;
pub mod levels;
pub mod metrics;
pub mod permissions;
pub mod profiles;
pub mod restrictions;
pub mod storages;
pub mod users;

mod policy;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portcullis_directory::{Account, Change, ChangeError, UserId};

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::params::user_id;
use crate::dialects::barong::views::{SUPERADMIN, role};
use crate::permit::{Author, Permit};

/// How codes about users begin.
pub const USER: &str = "admin.user";

pub const NO_USER: Refusal = Refusal::NotFound("admin.user.doesnt_exist");

/// What a write answers that has nothing to say.
pub fn written(status: StatusCode) -> Response {
    (status, Json(200)).into_response()
}

/// The user whom a write is about, as it is now.
pub async fn target(change: &Change, uid: &str) -> Result<Account, Refusal> {
    let id: UserId = user_id(uid).ok_or(NO_USER)?;
    change.account(&id).await?.ok_or(NO_USER)
}

/// Only a superadmin changes one.
pub fn guard(app: &App, permit: &Permit<Author>, account: &Account, code: &'static str) -> Result<(), Refusal> {
    let is_protected = is_superadmin(account) && !is_above_all(app, permit);
    if is_protected { Err(Refusal::invalid(code)) } else { Ok(()) }
}

pub const SUPERADMIN_CHANGE: &str = "admin.user.superadmin_change";

/// Whether the caller may what the original leaves to superadmins.
pub fn is_above_all(app: &App, permit: &Permit<Author>) -> bool {
    app.gate.has_ability(permit.roles(), ("update", "Superadmin"), app.store.now())
}

fn is_superadmin(account: &Account) -> bool {
    role(&account.user.roles).is_some_and(|role| role.as_str() == SUPERADMIN)
}

/// What can be wrong with a change of a user, in the words of the dialect.
pub fn refused(error: ChangeError) -> Refusal {
    match error {
        ChangeError::Taken { what } => Refusal::invalid(format!("{what}.taken")),
        ChangeError::NotFound { what: "user" } => NO_USER,
        ChangeError::NotFound { .. } => Refusal::NotFound("record.not_found"),
        error => Refusal::Server(error.into()),
    }
}
