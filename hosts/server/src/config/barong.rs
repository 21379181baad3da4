//! Settings of the dialect Barong: `[barong]`.

use crate::config::ConfigError;
use crate::dialects::barong::Settings;

pub fn checked(settings: Settings) -> Result<Settings, ConfigError> {
    let is_prefix = (2..=6).contains(&settings.uid_prefix.len())
        && settings.uid_prefix.bytes().all(|byte| byte.is_ascii_alphabetic());
    let states = settings.state_triggers.iter().map(|trigger| &trigger.state);
    for (is_right, key, why) in [
        (is_prefix, "uid_prefix", "is not 2 to 6 letters"),
        (!settings.tokens.audiences.is_empty(), "tokens.audiences", "is empty"),
        (settings.tokens.lifetime_s > 0, "tokens.lifetime_s", "is 0"),
        (
            states.into_iter().all(|state| portcullis_directory::UserState::parse(state).is_ok()),
            "state_triggers",
            "has a state that is none",
        ),
    ] {
        if !is_right {
            return Err(ConfigError::Barong { key, why });
        }
    }
    Ok(settings)
}
