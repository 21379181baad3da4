//! `/api/v2/barong/resource/..`: what users do about their own accounts, known by an access token of the gateway. Paths and codes
//! are those of the original.

mod api_keys;
mod otp;
mod users;

use std::sync::Arc;

use axum::routing::{MethodRouter, get, patch, post, put};
use portcullis_directory::Account;

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::is_under;
use crate::permit::{Author, Permit};

const PREFIX: &str = "/api/v2/barong/resource";

/// The paths, and what each method does there.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Arc<App>>); 8] {
    [
        ("/api/v2/barong/resource/users/me", get(users::me)),
        ("/api/v2/barong/resource/users/password", put(users::replace_password)),
        ("/api/v2/barong/resource/otp/generate_qrcode", post(otp::generate)),
        ("/api/v2/barong/resource/otp/enable", post(otp::enable)),
        ("/api/v2/barong/resource/otp/disable", post(otp::disable)),
        ("/api/v2/barong/resource/otp/verify", post(otp::verify)),
        ("/api/v2/barong/resource/api_keys", get(api_keys::list).post(api_keys::create)),
        ("/api/v2/barong/resource/api_keys/{kid}", patch(api_keys::update).delete(api_keys::delete)),
    ]
}

/// Whether access tokens of the gateway say who calls.
pub fn is_resource(path: &str) -> bool {
    is_under(path, PREFIX)
}

/// The account of the caller.
async fn caller(app: &App, permit: &Permit<Author>) -> Result<Account, Refusal> {
    app.store.account(permit.author()).await?.ok_or(Refusal::NotFound("record.not_found"))
}
