//! Labels: facts about a user as `key:value`, public (of the user) or private (of the administration).

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::{Find, Record, owned, record};
use crate::entities::labels::{ActiveModel, Entity};
use crate::{Directory, StoreError};

record!(Label, LabelColumn, labels, "label");

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelDraft {
    pub key: String,
    pub value: String,
    /// `public` or `private`.
    pub scope: String,
    pub description: Option<String>,
}

impl Record for Label {
    type Draft = LabelDraft;
    owned!(LabelColumn);

    fn row(draft: LabelDraft) -> ActiveModel {
        let LabelDraft { key, value, scope, description } = draft;
        ActiveModel {
            key: Set(key),
            value: Set(value),
            scope: Set(scope),
            description: Set(description),
            ..Default::default()
        }
    }

    fn rivals(draft: &LabelDraft) -> Option<Condition> {
        let same = Condition::all().add(LabelColumn::Key.eq(draft.key.as_str()));
        Some(same.add(LabelColumn::Scope.eq(draft.scope.as_str())))
    }
}

impl Directory {
    /// Which labels there are, as key, value and how often; at most `limit` of them, in the order of keys and values.
    pub async fn label_counts(&self, find: &Find<Label>, limit: u64) -> Result<Vec<(String, String, i64)>, StoreError> {
        let counts = Entity::find()
            .select_only()
            .columns([LabelColumn::Key, LabelColumn::Value])
            .column_as(LabelColumn::Id.count(), "labels")
            .filter(find.condition.clone())
            .group_by(LabelColumn::Key)
            .group_by(LabelColumn::Value)
            .order_by_asc(LabelColumn::Key)
            .order_by_asc(LabelColumn::Value)
            .limit(limit)
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(counts)
    }
}
