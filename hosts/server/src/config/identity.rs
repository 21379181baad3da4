//! Settings of identity: `[identity]`.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use portcullis_identity::login::Throttle;
use portcullis_identity::passwords::Cost;
use portcullis_identity::sessions::SessionRules;
use portcullis_identity::token::Algorithm;
use serde::Deserialize;

use crate::config::ConfigError;
use crate::config::number::Number;
use crate::identity::mail::is_address;
use crate::identity::settings::Settings;

/// As typed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawIdentity {
    keys_file: Option<PathBuf>,
    token_algorithm: Option<String>,
    key_lifetime_s: Option<Number>,
    session_idle_s: Option<Number>,
    session_lifetime_s: Option<Number>,
    failed_logins_per_account: Option<Number>,
    failed_logins_per_address: Option<Number>,
    failed_logins_window_s: Option<Number>,
    password_memory_kib: Option<Number>,
    password_passes: Option<Number>,
    passwords_at_once: Option<Number>,
    mail_folder: Option<PathBuf>,
    mail_from: Option<String>,
}

/// What Argon2 takes (RFC 9106 section 3.1), and not more memory than a server has.
const MEMORY_KIB: RangeInclusive<u64> = 8..=4 << 20;
const PASSES: RangeInclusive<u64> = 1..=100;
const YEAR_S: u64 = 365 * 86_400;

impl RawIdentity {
    pub fn check(self, data_dir: &Path, token_lifetime_s: u64) -> Result<Settings, ConfigError> {
        let (throttle, sessions, cost) = (Throttle::default(), SessionRules::default(), Cost::default());
        let algorithm = match self.token_algorithm {
            None => Algorithm::default(),
            Some(name) => Algorithm::parse(&name).ok_or(ConfigError::Algorithm(name))?,
        };
        let mail_from = self.mail_from.unwrap_or_else(|| "portcullis@localhost".to_owned());
        if !is_address(&mail_from) {
            return Err(ConfigError::MailFrom(mail_from));
        }
        let at_once = number("identity.passwords_at_once", self.passwords_at_once, 4, 1..=1024)?;
        Ok(Settings {
            keys_file: self.keys_file.unwrap_or_else(|| data_dir.join("vault.keys")),
            algorithm,
            token_lifetime_s,
            key_lifetime_s: number("identity.key_lifetime_s", self.key_lifetime_s, 90 * 86_400, 0..=10 * YEAR_S)?,
            sessions: SessionRules {
                idle_s: number("identity.session_idle_s", self.session_idle_s, sessions.idle_s, 1..=YEAR_S)?,
                absolute_s: number(
                    "identity.session_lifetime_s",
                    self.session_lifetime_s,
                    sessions.absolute_s,
                    1..=YEAR_S,
                )?,
                ..sessions
            },
            throttle: Throttle {
                window_s: number(
                    "identity.failed_logins_window_s",
                    self.failed_logins_window_s,
                    throttle.window_s,
                    1..=YEAR_S,
                )?,
                per_account: number(
                    "identity.failed_logins_per_account",
                    self.failed_logins_per_account,
                    throttle.per_account,
                    1..=1_000_000,
                )?,
                per_address: number(
                    "identity.failed_logins_per_address",
                    self.failed_logins_per_address,
                    throttle.per_address,
                    1..=1_000_000,
                )?,
            },
            cost: Cost {
                memory_kib: small(
                    "identity.password_memory_kib",
                    self.password_memory_kib,
                    cost.memory_kib,
                    MEMORY_KIB,
                )?,
                passes: small("identity.password_passes", self.password_passes, cost.passes, PASSES)?,
            },
            passwords_at_once: usize::try_from(at_once).unwrap_or(1),
            mail_folder: self.mail_folder.unwrap_or_else(|| data_dir.join("mail")),
            mail_from,
        })
    }
}

fn number(
    key: &'static str,
    given: Option<Number>,
    default: u64,
    legal: RangeInclusive<u64>,
) -> Result<u64, ConfigError> {
    let number = given.map_or(default, u64::from);
    match legal.contains(&number) {
        true => Ok(number),
        false => Err(ConfigError::Number { key, number, least: *legal.start(), most: *legal.end() }),
    }
}

fn small(
    key: &'static str,
    given: Option<Number>,
    default: u32,
    legal: RangeInclusive<u64>,
) -> Result<u32, ConfigError> {
    // The range is one of 32 bits.
    Ok(u32::try_from(number(key, given, default.into(), legal)?).unwrap_or(default))
}
