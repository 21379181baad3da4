//! Labels: facts about a user as `key:value`, public (of the user) or private (of the administration).

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, Condition};

use super::{Record, owned, record};
use crate::entities::labels::ActiveModel;

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
