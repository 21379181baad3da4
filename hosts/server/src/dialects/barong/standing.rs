//! State and level that follow from the private labels of a user.
//!
//! Labels that users write themselves count for nothing. A state that somebody set by hand stays, unless a label that forces
//! another is new: labels lift no ban.

use portcullis_directory::{
    AccountChange, Change, ChangeError, Find, Label, LabelColumn, PageSize, PolicyEntryColumn, PolicyEntryRow,
    StoreError, TenantId, User, UserId, UserState,
};
use serde::Deserialize;

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::settings::{LabelOf, Trigger};

/// What labels mean: requirements and triggers of the configuration, levels of the policy document.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    requirements: Vec<LabelOf>,
    triggers: Vec<Trigger>,
    levels: Vec<LabelOf>,
}

/// Keys and values.
pub type Labels = Vec<(String, String)>;

#[derive(Deserialize)]
struct Level {
    key: String,
    value: String,
}

const ACTIVE: &str = "active";
const PENDING: &str = "pending";

impl Standing {
    pub async fn read(app: &App) -> Result<Self, Refusal> {
        let levels = Find::<PolicyEntryRow>::all()
            .is(PolicyEntryColumn::Tenant, TenantId::default().as_str())
            .is(PolicyEntryColumn::Kind, "level")
            .page(0, PageSize::LARGEST);
        let mut levels = app.store.find(&levels).await?;
        levels.sort_by_key(|row| row.name.parse::<u64>().unwrap_or(u64::MAX));
        let level = |row: PolicyEntryRow| {
            let Level { key, value } = serde_json::from_str(&row.body).map_err(Refusal::internal)?;
            Ok::<_, Refusal>(LabelOf { key, value })
        };
        Ok(Self {
            requirements: app.barong.activation_requirements.clone(),
            triggers: app.barong.state_triggers.clone(),
            levels: levels.into_iter().map(level).collect::<Result<_, _>>()?,
        })
    }

    /// The private labels of the user that mean something, as the write sees them.
    pub async fn labels(&self, change: &Change, id: &UserId) -> Result<Labels, StoreError> {
        let labels = Find::<Label>::all()
            .is(LabelColumn::UserId, id.as_str())
            .is(LabelColumn::Scope, "private")
            .is_one_of(LabelColumn::Key, self.keys())
            .page(0, PageSize::LARGEST);
        Ok(change.find(&labels).await?.into_iter().map(|label| (label.key, label.value)).collect())
    }

    /// Brings state and level of the user in line with its labels, which were `before`.
    pub async fn settle(&self, change: &Change, id: &UserId, before: &Labels) -> Result<User, ChangeError> {
        let account = change.account(id).await?.ok_or(ChangeError::NotFound { what: "user" })?;
        let after = self.labels(change, id).await?;
        let (state, level) = (self.state(before, &after, account.user.state.as_str()), self.level(&after));
        if state == account.user.state.as_str() && level == account.user.level {
            return Ok(account.user);
        }
        // Texts of the configuration were checked when it was read.
        let state = UserState::parse(state).ok();
        change.update_user(id, &AccountChange { state, level: Some(level), ..AccountChange::default() }).await
    }

    fn keys(&self) -> Vec<&str> {
        let forced = self.triggers.iter().flat_map(|trigger| trigger.keys.iter().map(String::as_str));
        self.requirements.iter().chain(&self.levels).map(|label| label.key.as_str()).chain(forced).collect()
    }

    fn state<'s>(&'s self, before: &Labels, after: &Labels, current: &'s str) -> &'s str {
        let (was, is) = (self.derived(before), self.derived(after));
        let is_forced = self.forced(after).is_some();
        if was != is && (current == was || is_forced) { is } else { current }
    }

    /// What the labels alone make of a user.
    fn derived(&self, labels: &Labels) -> &str {
        match self.forced(labels) {
            Some(state) => state,
            None if self.requirements.iter().all(|label| holds(labels, label)) => ACTIVE,
            None => PENDING,
        }
    }

    /// By the last trigger whose label is there.
    fn forced(&self, labels: &Labels) -> Option<&str> {
        let has = |key: &String| labels.iter().any(|(found, _)| found == key);
        let last = self.triggers.iter().rfind(|trigger| trigger.keys.iter().any(has));
        last.map(|trigger| trigger.state.as_str())
    }

    /// How many of the levels are reached, without a gap.
    fn level(&self, labels: &Labels) -> u32 {
        let reached = self.levels.iter().take_while(|label| holds(labels, label)).count();
        u32::try_from(reached).unwrap_or(u32::MAX)
    }
}

fn holds(labels: &Labels, LabelOf { key, value }: &LabelOf) -> bool {
    labels.iter().any(|(found, with)| found == key && with == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(key: &str, value: &str) -> LabelOf {
        LabelOf { key: key.to_owned(), value: value.to_owned() }
    }

    fn standing() -> Standing {
        let trigger = |state: &str, key: &str| Trigger { state: state.to_owned(), keys: vec![key.to_owned()] };
        Standing {
            requirements: vec![label("email", "verified")],
            triggers: vec![trigger("locked", "lock"), trigger("banned", "fraud")],
            levels: vec![label("email", "verified"), label("phone", "verified"), label("document", "verified")],
        }
    }

    fn labels(labels: &[(&str, &str)]) -> Labels {
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn levels_are_reached_one_after_the_other() {
        for (held, level) in [
            (&[][..], 0),
            (&[("phone", "verified")], 0),
            (&[("email", "verified"), ("phone", "verified")], 2),
            (&[("email", "verified"), ("document", "verified")], 1),
            (&[("email", "rejected")], 0),
        ] {
            assert_eq!(standing().level(&labels(held)), level, "{held:?}");
        }
    }

    #[test]
    fn a_state_set_by_hand_stays_until_a_label_forces_another() {
        let (verified, lock, fraud) = (("email", "verified"), ("lock", "yes"), ("fraud", "yes"));
        for (before, after, current, expected) in [
            (&[][..], &[][..], "pending", "pending"),
            (&[], &[verified], "pending", "active"),
            (&[verified], &[], "active", "pending"),
            (&[], &[verified], "banned", "banned"),
            (&[verified], &[verified, lock], "active", "locked"),
            (&[verified, lock], &[verified], "locked", "active"),
            (&[lock], &[fraud, lock], "locked", "banned"),
            (&[lock], &[fraud, lock], "active", "banned"),
            (&[verified, lock], &[verified], "banned", "banned"),
        ] {
            let found = standing();
            let found = found.state(&labels(before), &labels(after), current);
            assert_eq!(found, expected, "{before:?} {after:?} {current}");
        }
    }
}
