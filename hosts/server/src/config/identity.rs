//! Settings of identity: `[identity]`.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use portcullis_identity::login::Throttle;
use portcullis_identity::passwords::Cost;
use portcullis_identity::sessions::SessionRules;
use portcullis_identity::token::Algorithm;
use serde::{Deserialize, Serialize};

use crate::config::error::Problem;
use crate::identity::mail::is_address;
use crate::identity::settings::Settings;

/// As typed.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawIdentity {
    keys_file: Option<PathBuf>,
    token_algorithm: String,
    key_lifetime_s: u64,
    session_idle_s: u64,
    session_lifetime_s: u64,
    failed_logins_per_account: u64,
    failed_logins_per_address: u64,
    failed_logins_window_s: u64,
    password_memory_kib: u64,
    password_passes: u64,
    passwords_at_once: u64,
    mail_folder: Option<PathBuf>,
    mail_from: String,
}

/// What Argon2 takes (RFC 9106 section 3.1), and not more memory than a server has.
const MEMORY_KIB: RangeInclusive<u64> = 8..=4 << 20;
const PASSES: RangeInclusive<u64> = 1..=100;
const YEAR_S: u64 = 365 * 86_400;

impl Default for RawIdentity {
    fn default() -> Self {
        let (throttle, sessions, cost) = (Throttle::default(), SessionRules::default(), Cost::default());
        Self {
            keys_file: None,
            token_algorithm: Algorithm::default().name().to_owned(),
            key_lifetime_s: 90 * 86_400,
            session_idle_s: sessions.idle_s,
            session_lifetime_s: sessions.absolute_s,
            failed_logins_per_account: throttle.per_account,
            failed_logins_per_address: throttle.per_address,
            failed_logins_window_s: throttle.window_s,
            password_memory_kib: cost.memory_kib.into(),
            password_passes: cost.passes.into(),
            passwords_at_once: 4,
            mail_folder: None,
            mail_from: "portcullis@localhost".to_owned(),
        }
    }
}

impl RawIdentity {
    /// With what follows from other settings.
    pub fn complete(&mut self, data_dir: &Path) {
        self.keys_file.get_or_insert_with(|| data_dir.join("vault.keys"));
        self.mail_folder.get_or_insert_with(|| data_dir.join("mail"));
    }

    pub fn check(mut self, data_dir: &Path, token_lifetime_s: u64) -> Result<Settings, Problem> {
        self.complete(data_dir);
        let Self { token_algorithm, mail_from, .. } = self;
        let algorithm = Algorithm::parse(&token_algorithm).ok_or_else(|| {
            let why = format!("is `{token_algorithm}`, it must be EdDSA, ES256 or RS256");
            Problem::unusable("identity.token_algorithm", why)
        })?;
        if !is_address(&mail_from) {
            let why = format!("is `{mail_from}`, which is not an address");
            return Err(Problem::unusable("identity.mail_from", why));
        }
        Ok(Settings {
            keys_file: self.keys_file.unwrap_or_default(),
            algorithm,
            token_lifetime_s,
            key_lifetime_s: number("key_lifetime_s", self.key_lifetime_s, 0..=10 * YEAR_S)?,
            sessions: SessionRules {
                idle_s: number("session_idle_s", self.session_idle_s, 1..=YEAR_S)?,
                absolute_s: number("session_lifetime_s", self.session_lifetime_s, 1..=YEAR_S)?,
                ..SessionRules::default()
            },
            throttle: Throttle {
                window_s: number("failed_logins_window_s", self.failed_logins_window_s, 1..=YEAR_S)?,
                per_account: number("failed_logins_per_account", self.failed_logins_per_account, 1..=1_000_000)?,
                per_address: number("failed_logins_per_address", self.failed_logins_per_address, 1..=1_000_000)?,
            },
            cost: Cost {
                memory_kib: number("password_memory_kib", self.password_memory_kib, MEMORY_KIB)?,
                passes: number("password_passes", self.password_passes, PASSES)?,
            },
            passwords_at_once: number("passwords_at_once", self.passwords_at_once, 1..=1024)?,
            mail_folder: self.mail_folder.unwrap_or_default(),
            mail_from,
        })
    }
}

/// `legal` are numbers that a `T` can be.
fn number<T: TryFrom<u64>>(key: &str, number: u64, legal: RangeInclusive<u64>) -> Result<T, Problem> {
    let checked = T::try_from(number).ok().filter(|_| legal.contains(&number));
    checked.ok_or_else(|| {
        let why = format!("is {number}, it must be {} to {}", legal.start(), legal.end());
        Problem::unusable(&format!("identity.{key}"), why)
    })
}
