//! Which ability an operation needs. Who has it is said by the management policy, and decided by the component.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use portcullis_directory::RoleSet;
use serde::Serialize;

use crate::app::App;
use crate::dialects::barong::ADMIN;
use crate::permit::{Author, Permit};

/// An action on a kind of thing, as the table of abilities names both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ability {
    pub action: &'static str,
    pub on: &'static str,
}

pub const READ: &str = "read";
pub const CREATE: &str = "create";
pub const UPDATE: &str = "update";
pub const DESTROY: &str = "destroy";

impl Ability {
    /// Of an operation; `None` where there is none.
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        let rest = path.strip_prefix(ADMIN)?.strip_prefix('/')?;
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let action = match *method {
            _ if reads => READ,
            Method::POST => CREATE,
            Method::PUT => UPDATE,
            Method::DELETE => DESTROY,
            _ => return None,
        };
        let ability = |action, on| Some(Self { action, on });
        match rest {
            "abilities" if reads => ability(READ, "Ability"),
            "levels" if reads => ability(READ, "Level"),
            "metrics" if reads => ability(READ, "User"),
            "activities" | "activities/admin" if reads => ability(READ, "Activity"),
            "api_keys" if reads => ability(READ, "APIKey"),
            "profiles" => ability(action, "Profile"),
            "permissions" => ability(action, "Permission"),
            "restrictions" => ability(action, "Restriction"),
            "restrictions/whitelink" if action == CREATE => ability(CREATE, "Restriction"),
            "users/labels" if !reads => ability(action, "Label"),
            "users/labels/update" if action == CREATE => ability(UPDATE, "Label"),
            "users/role" | "users/update" if action == CREATE => ability(UPDATE, "User"),
            // A comment is about a user: whoever may change the user may write one.
            "users/comments" if !reads => ability(UPDATE, "User"),
            "users/data_storage" if action == DESTROY => ability(DESTROY, "User"),
            "users" if reads || action == UPDATE => ability(action, "User"),
            _ if reads && rest.starts_with("users/") => ability(READ, "User"),
            _ => None,
        }
    }
}

/// The kinds of things, in the order of the original.
const KINDS: [&str; 10] =
    ["Ability", "User", "Level", "Label", "Profile", "Activity", "APIKey", "Permission", "Restriction", "Document"];
const ACTIONS: [&str; 4] = [READ, CREATE, UPDATE, DESTROY];

/// What the caller may do: `manage` is all actions, what is not there is none.
#[derive(Serialize)]
struct Abilities {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    manage: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    read: Vec<&'static str>,
}

pub async fn show(State(app): State<Arc<App>>, permit: Permit<Author>) -> Json<impl Serialize> {
    let has =
        |action: &'static str, on: &'static str| app.gate.has_ability(permit.roles(), (action, on), app.store.now());
    let is_managed = |&on: &&'static str| ACTIONS.into_iter().all(|action| has(action, on));
    let (manage, others): (Vec<_>, Vec<_>) = KINDS.into_iter().partition(is_managed);
    let read = others.into_iter().filter(|&on| has(READ, on)).collect();
    Json(Abilities { manage, read })
}

/// Whether who has `own` may give `granted` away: all abilities of `granted` are its own too. A role without any says
/// nothing here and may open much elsewhere, so only who has it or manages abilities gives it, but for that of new users.
pub fn may_grant(app: &App, own: &RoleSet, granted: &RoleSet) -> bool {
    let has = |roles, action, on| app.gate.has_ability(roles, (action, on), app.store.now());
    let pairs = || KINDS.into_iter().flat_map(|on| ACTIONS.into_iter().map(move |action| (action, on)));
    let is_covered = pairs().all(|(action, on)| !has(granted, action, on) || has(own, action, on));
    let has_some = pairs().any(|(action, on)| has(granted, action, on));
    let is_known = granted.iter().all(|role| role.as_str() == app.barong.role || own.iter().any(|held| held == role));
    is_covered && (has_some || is_known || ACTIONS.into_iter().all(|action| has(own, action, "Ability")))
}
