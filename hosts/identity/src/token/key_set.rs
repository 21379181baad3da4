//! The keys of another issuer, as they were last fetched: whoever fetches asks here whether to.
//!
//! No fetched keys, no valid token. Keys that nobody knows do not make this server ask the issuer again and again.

use portcullis_directory::UnixSeconds;

use super::key::Key;

#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    fetched_at: Option<UnixSeconds>,
    tried_at: Option<UnixSeconds>,
}

/// What to do about a token by a key of some id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The keys are there: verify with them.
    Known,
    /// Fetch the keys, then look again.
    Fetch,
    /// Not a key of this issuer, and too early to ask again.
    Unknown,
}

/// Between two fetches, whoever asks.
const MIN_INTERVAL_S: u64 = 60;
/// After this the keys are fetched again, and while that fails they are still used.
const FRESH_S: u64 = 600;
/// After this they are no longer used.
const MAX_AGE_S: u64 = 24 * 3600;

impl KeySet {
    /// `id` is the `kid` of a token, which nobody has verified.
    pub fn look(&self, id: Option<&str>, now: UnixSeconds) -> Look {
        let since = |time: Option<UnixSeconds>| time.map(|time| now.0.saturating_sub(time.0));
        let may_fetch = since(self.tried_at).is_none_or(|seconds| seconds >= MIN_INTERVAL_S);
        let age = since(self.fetched_at);
        let is_known = id.is_none_or(|id| self.keys.iter().any(|key| key.id() == Some(id)));
        let is_usable = is_known && age.is_some_and(|age| age < MAX_AGE_S);
        match (is_usable, may_fetch) {
            (true, true) if age.is_some_and(|age| age >= FRESH_S) => Look::Fetch,
            (true, _) => Look::Known,
            (false, true) => Look::Fetch,
            (false, false) => Look::Unknown,
        }
    }

    /// What came of a fetch; `None` when it failed.
    pub fn fetched(&mut self, keys: Option<Vec<Key>>, now: UnixSeconds) {
        self.tried_at = Some(now);
        if let Some(keys) = keys {
            (self.keys, self.fetched_at) = (keys, Some(now));
        }
    }

    /// Keys that may be used at `now`; none when they are too old.
    pub fn keys(&self, now: UnixSeconds) -> &[Key] {
        match self.fetched_at {
            Some(at) if now.0.saturating_sub(at.0) < MAX_AGE_S => &self.keys,
            _ => &[],
        }
    }
}
