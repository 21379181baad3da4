//! padlock (`/v1/..`): users with roles, and the two questions of a proxy: `/v1/allow` and `/v1/authenticate`.
//!
//! Roles are those of the policy document, decisions those of the component. What differs from the original, and why, is in
//! docs/dialects/padlock.md.

mod settings;

mod envelope;
mod input;
mod wire;

mod pages;
mod roles;
mod users;

mod allow;
mod authenticate;
mod bypass;
mod forwarded;
mod newcomer;

mod health;

use std::sync::Arc;

use axum::routing::{MethodRouter, get, put};
use portcullis_runtime::{PrepareError, Runtime};

use crate::app::App;
use crate::dialects::padlock::bypass::Bypass;

pub use bypass::{BypassBundle, BypassRules};
pub use envelope::wrap;
pub use settings::{ClaimNames, HeaderNames, Settings};

/// The dialect as it is configured.
pub struct Padlock {
    settings: Settings,
    bypass: Bypass,
}

const ALLOW: &str = "/v1/allow";
const AUTHENTICATE: &str = "/v1/authenticate";

/// First segments of the paths below `/v1/` that are managed.
const MANAGED: [&str; 2] = ["user", "role"];

/// The paths, and what each method does there.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Arc<App>>); 11] {
    [
        ("/v1/alive", get(health::is_alive)),
        ("/v1/ready", get(health::is_ready)),
        ("/liveness/alive", get(health::is_alive)),
        ("/liveness/ready", get(health::is_ready)),
        ("/v1/role", get(roles::list)),
        ("/v1/role/{name}", get(roles::show)),
        ("/v1/user", get(users::list).post(users::create)),
        ("/v1/user/{id}", get(users::show).put(users::replace).delete(users::delete)),
        ("/v1/user/{id}/roles", put(users::replace_roles)),
        (ALLOW, get(allow::allow)),
        (AUTHENTICATE, get(authenticate::authenticate)),
    ]
}

/// Whether a request to this path is a question of a proxy, which is known by its address.
pub fn is_door(path: &str) -> bool {
    matches!(path, ALLOW | AUTHENTICATE)
}

/// Whether the path is one of this dialect.
fn is_ours(path: &str) -> bool {
    is_door(path)
        || is_managed(path)
        || matches!(path, "/v1/alive" | "/v1/ready" | "/liveness/alive" | "/liveness/ready")
}

fn is_managed(path: &str) -> bool {
    let below = path.strip_prefix("/v1/").map(|below| below.split('/').next().unwrap_or_default());
    below.is_some_and(|first| MANAGED.contains(&first))
}

// === impl Padlock ===

impl Padlock {
    pub fn open(runtime: &Runtime, settings: Settings) -> Result<Self, PrepareError> {
        let bypass = Bypass::open(runtime, settings.bypass.as_ref())?;
        if settings.open {
            tracing::warn!("padlock is open: whoever reaches the server can change users and their roles");
        }
        Ok(Self { settings, bypass })
    }

    /// Whether whoever comes without a token may manage users at this path.
    pub fn is_open(&self, path: &str) -> bool {
        self.settings.open && is_managed(path)
    }
}
