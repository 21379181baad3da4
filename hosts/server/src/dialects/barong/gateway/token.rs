//! The access token that the upstream gets.

use portcullis_directory::UnixSeconds;
use portcullis_identity::{Random as _, hex};
use serde_json::{Map, Value, json};

use super::proof::Who;
use crate::app::App;
use crate::dialects::barong::settings::Tokens;
use crate::dialects::barong::views::role;
use crate::error::ApiError;
use crate::identity::RANDOM;

pub fn issue(app: &App, who: &Who, now: UnixSeconds) -> Result<String, ApiError> {
    let mut id = [0; 10];
    RANDOM.fill(&mut id).map_err(ApiError::internal)?;
    let claims = claims(who, &app.barong.tokens, now, &hex(&id));
    app.identity.sign(&claims, now).map_err(ApiError::internal)
}

fn claims(who: &Who, tokens: &Tokens, now: UnixSeconds, id: &str) -> Map<String, Value> {
    let about = match who {
        Who::User(account) | Who::KeyHolder(account) => json!({
            "uid": account.user.id.as_str(),
            "email": account.details.email.as_ref().map(ToString::to_string),
            "role": role(&account.user.roles).map(ToString::to_string),
            "level": account.user.level,
            "state": account.user.state.as_str(),
            "username": account.details.username.as_ref().map(|name| name.as_str()),
            "referral_id": account.details.referral.as_ref().map(ToString::to_string),
        }),
        Who::Service(account) => json!({
            "uid": account.uid,
            "email": account.email,
            "role": account.role,
            "level": account.level,
            "state": account.state,
        }),
    };
    let token = json!({
        "iat": now.0,
        "exp": now.0.saturating_add(tokens.lifetime_s),
        "sub": "session",
        "iss": tokens.issuer,
        "aud": tokens.audiences,
        "jti": id,
    });
    let members = |value| match value {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    members(token).into_iter().chain(members(about)).collect()
}
