//! Which ability an operation needs. Who has it is said by the management policy, and decided by the component.

use axum::http::Method;

use crate::dialects::barong::ADMIN;

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
