//! `/api/v2/barong/identity/..`: what people do before they are known: sign up, confirm an address, log in and out, get a new
//! password. Paths and codes are those of the original.

mod passwords;
mod sessions;
mod users;

use std::sync::Arc;

use axum::routing::{MethodRouter, post};

use crate::app::App;
use crate::dialects::barong::is_under;

pub use passwords::hashed;

const PREFIX: &str = "/api/v2/barong/identity";

/// The paths, and what each method does there.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Arc<App>>); 6] {
    [
        ("/api/v2/barong/identity/sessions", post(sessions::create).delete(sessions::end)),
        ("/api/v2/barong/identity/users", post(users::create)),
        ("/api/v2/barong/identity/users/email/generate_code", post(users::send_code)),
        ("/api/v2/barong/identity/users/email/confirm_code", post(users::confirm)),
        ("/api/v2/barong/identity/users/password/generate_code", post(passwords::send_code)),
        ("/api/v2/barong/identity/users/password/confirm_code", post(passwords::replace)),
    ]
}

/// Whether it does not matter who calls.
pub fn is_identity(path: &str) -> bool {
    is_under(path, PREFIX)
}
