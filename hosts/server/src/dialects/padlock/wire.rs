//! A user on the wire.

use portcullis_directory::Account;
use serde_json::{Map, Value};

use crate::dialects::time::rfc3339;

/// `models.UserInfo`: what is not known is left out.
pub fn user(account: &Account) -> Map<String, Value> {
    let Account { user, details } = account;
    let optional = [
        ("username", details.username.as_ref().map(|name| name.as_str())),
        ("email", details.email.as_ref().map(|email| email.as_str())),
        ("first_name", details.first_name.as_deref()),
        ("last_name", details.last_name.as_deref()),
    ];
    let known = optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    let always = [
        ("user_id", user.id.to_string()),
        ("created_at", rfc3339(user.created_at)),
        ("updated_at", rfc3339(user.updated_at)),
    ];
    known.chain(always.map(|(name, value)| (name.to_owned(), value.into()))).collect()
}
