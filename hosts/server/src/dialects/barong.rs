//! Barong (`/api/v2/barong/...`): its administration of users, labels, permissions and restrictions.
//!
//! Permissions, restrictions and levels are those of the policy document. Who may do what is the table of abilities in the
//! management policy. What differs from the original, and why, is in docs/dialects/barong.md.

mod settings;

mod errors;
mod params;

mod pages;
mod views;

mod abilities;
mod caller;

mod admin;
pub mod gateway;
pub mod identity;
pub mod resource;

mod activity;
mod codes;
mod facts;
mod mail;
mod own_page;
mod standing;
mod syntax;
mod visitor;

use std::sync::Arc;

use axum::routing::{MethodRouter, delete, get, post};

use crate::app::App;
use crate::dialects::barong::admin::{
    activities, api_keys, comments, documents, labels, levels, metrics, permissions, profiles, restrictions, storages,
    users,
};

pub use abilities::Ability;
pub use caller::authenticate;
pub use errors::wrap;
pub use settings::{LabelOf, Settings, Tokens, Trigger};

const ADMIN: &str = "/api/v2/barong/admin";

/// The paths, and what each method does there.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Arc<App>>); 20] {
    [
        ("/api/v2/barong/admin/users", get(users::list).put(users::update)),
        ("/api/v2/barong/admin/users/role", post(users::update_role).get(users::show_word)),
        ("/api/v2/barong/admin/users/update", post(users::update_state).get(users::show_word)),
        ("/api/v2/barong/admin/users/{uid}", get(users::show)),
        ("/api/v2/barong/admin/users/documents/pending", get(documents::pending)),
        ("/api/v2/barong/admin/users/data_storage", delete(storages::delete).get(users::show_word)),
        (
            "/api/v2/barong/admin/users/labels",
            get(labels::users).post(labels::create).put(labels::update).delete(labels::delete),
        ),
        ("/api/v2/barong/admin/users/labels/update", post(labels::replace)),
        ("/api/v2/barong/admin/users/labels/list", get(labels::list)),
        (
            "/api/v2/barong/admin/users/comments",
            post(comments::create).put(comments::update).delete(comments::delete).get(users::show_word),
        ),
        ("/api/v2/barong/admin/api_keys", get(api_keys::list)),
        (
            "/api/v2/barong/admin/permissions",
            get(permissions::list).post(permissions::create).put(permissions::update).delete(permissions::delete),
        ),
        ("/api/v2/barong/admin/activities", get(activities::of_users)),
        ("/api/v2/barong/admin/activities/admin", get(activities::of_admins)),
        ("/api/v2/barong/admin/metrics", get(metrics::show)),
        (
            "/api/v2/barong/admin/restrictions",
            get(restrictions::list).post(restrictions::create).put(restrictions::update).delete(restrictions::delete),
        ),
        ("/api/v2/barong/admin/restrictions/whitelink", post(restrictions::create_whitelink)),
        ("/api/v2/barong/admin/profiles", get(profiles::list).post(profiles::create).put(profiles::update)),
        ("/api/v2/barong/admin/levels", get(levels::list)),
        ("/api/v2/barong/admin/abilities", get(abilities::show)),
    ]
}

/// Whether the path is one of this dialect.
fn is_ours(path: &str) -> bool {
    is_under(path, "/api/v2/barong") || is_under(path, "/api/v2/auth")
}

/// Whether access tokens of the gateway say who calls, and abilities who may.
pub fn is_admin(path: &str) -> bool {
    is_under(path, ADMIN)
}

fn is_under(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
