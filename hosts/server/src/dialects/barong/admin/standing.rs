//! What private labels make of a user: its state and its level.
//!
//! State begins at pending; with all activation requirements it is active; then each trigger whose label is there takes over,
//! in their order. A state that somebody set by hand stays, unless a trigger is new: labels lift no ban.

use portcullis_directory::{
    Account, AccountChange, Change, Direction, Find, Label, LabelColumn, PageSize, PolicyEntryColumn, PolicyEntryRow,
    TenantId, UserId, UserState,
};
use serde::Deserialize;

use crate::app::App;
use crate::dialects::barong::admin::refused;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::settings::{LabelOf, Settings, Trigger};

/// A user and its private labels before a change.
pub struct Standing {
    id: UserId,
    state: UserState,
    level: u32,
    labels: Labels,
}

/// Private labels as key and value.
struct Labels(Vec<(String, String)>);

/// An entry of the list `levels`.
#[derive(Deserialize)]
struct Level {
    key: String,
    value: String,
}

const PENDING: &str = "pending";

impl Standing {
    pub async fn before(change: &Change, account: &Account) -> Result<Self, Refusal> {
        let user = &account.user;
        let labels = Labels::of(change, &user.id).await?;
        Ok(Self { id: user.id.clone(), state: user.state.clone(), level: user.level, labels })
    }

    /// Writes what the labels make of the user now, if it is something else.
    pub async fn follow(self, app: &App, change: &Change) -> Result<(), Refusal> {
        let after = Labels::of(change, &self.id).await?;
        let level = after.level(change).await?;
        let state = self.state(&after, &app.barong);
        let wanted = AccountChange {
            state: (state != self.state.as_str())
                .then(|| UserState::parse(&state))
                .transpose()
                .map_err(Refusal::internal)?,
            level: (level != self.level).then_some(level),
            ..AccountChange::default()
        };
        if wanted != AccountChange::default() {
            change.update_user(&self.id, &wanted).await.map_err(refused)?;
        }
        Ok(())
    }

    fn state(&self, after: &Labels, settings: &Settings) -> String {
        let (before, now) = (self.labels.state(settings), after.state(settings));
        let was_derived = self.state.as_str() == before;
        let is_forced = settings.state_triggers.iter().any(|trigger| trigger.state == now);
        let follows = before != now && (was_derived || is_forced);
        if follows { now.to_owned() } else { self.state.to_string() }
    }
}

impl Labels {
    async fn of(change: &Change, user: &UserId) -> Result<Self, Refusal> {
        let limit = PageSize::new(PageSize::MAX).unwrap_or(PageSize::DEFAULT);
        let find = Find::<Label>::all().is(LabelColumn::UserId, user.as_str()).is(LabelColumn::Scope, "private");
        let (mut labels, mut skip) = (Vec::new(), 0);
        loop {
            let page = change.find(&find.clone().page(skip, limit)).await?;
            let is_last = page.len() < usize::try_from(limit.get()).unwrap_or(usize::MAX);
            labels.extend(page.into_iter().map(|label| (label.key, label.value)));
            if is_last {
                return Ok(Self(labels));
            }
            skip += limit.get();
        }
    }

    fn has(&self, key: &str, value: &str) -> bool {
        self.0.iter().any(|(own, its)| own == key && its == value)
    }

    fn state<'s>(&self, settings: &'s Settings) -> &'s str {
        let Settings { activation_requirements: required, state_triggers: triggers, .. } = settings;
        let is_active = required.iter().all(|LabelOf { key, value }| self.has(key, value));
        let begins = if is_active { "active" } else { PENDING };
        let applies = |trigger: &&Trigger| self.0.iter().any(|(key, _)| trigger.keys.contains(key));
        triggers.iter().rfind(applies).map_or(begins, |trigger| &trigger.state)
    }

    /// How many levels of the document, from the first on, are reached.
    async fn level(&self, change: &Change) -> Result<u32, Refusal> {
        let limit = PageSize::new(PageSize::MAX).unwrap_or(PageSize::DEFAULT);
        let find = Find::<PolicyEntryRow>::all()
            .is(PolicyEntryColumn::Tenant, TenantId::default().as_str())
            .is(PolicyEntryColumn::Kind, "level")
            .order(PolicyEntryColumn::Position, Direction::Ascending)
            .page(0, limit);
        let mut level = 0;
        for row in change.find(&find).await? {
            let Level { key, value } = serde_json::from_str(&row.body).map_err(Refusal::internal)?;
            if !self.has(&key, &value) {
                break;
            }
            level += 1;
        }
        Ok(level)
    }
}
