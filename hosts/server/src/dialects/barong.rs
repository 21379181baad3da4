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

pub mod gateway;
pub mod identity;
pub mod resource;

mod activity;
mod codes;
mod mail;
pub mod standing;
mod syntax;
mod visitor;

use std::sync::Arc;

use axum::routing::MethodRouter;

use crate::app::App;

pub use abilities::Ability;
pub use caller::authenticate;
pub use errors::wrap;
pub use settings::{LabelOf, Settings, Tokens, Trigger};

const ADMIN: &str = "/api/v2/barong/admin";

/// The paths, and what each method does there.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Arc<App>>); 0] {
    []
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
