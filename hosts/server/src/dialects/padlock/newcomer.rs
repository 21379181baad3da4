//! Auto-add: whom nobody knows is stored, without roles, when it asks for something that a route governs.

use axum::http::HeaderMap;
use portcullis_core::Subject as CoreSubject;
use portcullis_directory::{ChangeError, NewUser, RoleSet, UserState};
use portcullis_runtime::{Reason, Subject};

use crate::app::App;
use crate::dialects::padlock::forwarded::{Forwarded, described};
use crate::dialects::padlock::input::UserConfig;
use crate::error::ApiError;
use crate::permit::{Author, Permit};
use crate::tenant::Tenant;
use crate::valid;

/// The answer stays a deny, whatever comes of it.
pub async fn add(
    app: &App,
    author: &Permit<Author>,
    tenant: &Tenant,
    forwarded: &Forwarded<'_>,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let probe = forwarded.request(Some(stranger(forwarded)), app.store.now().0);
    if tenant.decide(&probe).reason != Reason::MissingPermission {
        return Ok(());
    }
    let said = described(headers, &app.padlock.settings.headers, &forwarded.user)?;
    let said = serde_json::to_vec(&said).map_err(ApiError::internal)?;
    let said: UserConfig = valid::valid(app, &said).map_err(ApiError::into_malformed)?;
    let user = NewUser { id: forwarded.user.clone(), state: UserState::active(), roles: RoleSet::default() };
    match app.store.create_account(author, &user, &said.into_details(None)?).await {
        // Two first requests at once, or an address that another user has.
        Ok(_) | Err(ChangeError::Taken { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The user that it would become.
fn stranger(forwarded: &Forwarded<'_>) -> Subject {
    Subject {
        id: forwarded.user.to_string(),
        kind: None,
        state: CoreSubject::DEFAULT_STATE.to_owned(),
        roles: Vec::new(),
        permission_groups: Vec::new(),
        level: Some(0),
        otp: false,
        issued_at: None,
        properties: None,
    }
}
