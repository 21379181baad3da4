//! Settings of the dialect Barong: `[barong]`.

use portcullis_directory::RoleName;

use crate::config::error::Problem;
use crate::dialects::barong::Settings;

/// No token lives longer than `most_s`.
pub fn capped(mut settings: Settings, most_s: u64) -> Settings {
    settings.tokens.lifetime_s = settings.tokens.lifetime_s.min(most_s);
    settings
}

pub fn checked(settings: Settings) -> Result<Settings, Problem> {
    let is_prefix = (2..=6).contains(&settings.uid_prefix.len())
        && settings.uid_prefix.bytes().all(|byte| byte.is_ascii_alphabetic());
    let states = settings.state_triggers.iter().map(|trigger| &trigger.state);
    for (is_right, key, why) in [
        (is_prefix, "uid_prefix", "is not 2 to 6 letters"),
        (!settings.tokens.audiences.is_empty(), "tokens.audiences", "is empty"),
        (settings.tokens.lifetime_s > 0, "tokens.lifetime_s", "is 0"),
        (is_cookie(&settings.session_name), "session_name", "is not the name of a cookie"),
        (RoleName::parse(&settings.role).is_ok(), "role", "is not a role"),
        (
            states.into_iter().all(|state| portcullis_directory::UserState::parse(state).is_ok()),
            "state_triggers",
            "has a state that is none",
        ),
    ] {
        if !is_right {
            return Err(Problem::unusable(&format!("barong.{key}"), why));
        }
    }
    Ok(settings)
}

/// A token of RFC 9110 section 5.6.2, as RFC 6265 asks.
fn is_cookie(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(legal)
}
