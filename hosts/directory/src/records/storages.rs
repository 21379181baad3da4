//! Data that integrations keep about a user, by title.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, Condition};

use super::{Record, owned, record};
use crate::entities::data_storages::ActiveModel;

record!(DataStorage, DataStorageColumn, data_storages, "data storage");

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataStorageDraft {
    /// Unique for the user, without case.
    pub title: String,
    pub data: String,
}

impl Record for DataStorage {
    type Draft = DataStorageDraft;
    owned!(DataStorageColumn);

    fn row(draft: DataStorageDraft) -> ActiveModel {
        let DataStorageDraft { title, data } = draft;
        ActiveModel { title_key: Set(title.to_lowercase()), title: Set(title), data: Set(data), ..Default::default() }
    }

    fn rivals(draft: &DataStorageDraft) -> Option<Condition> {
        Some(Condition::all().add(DataStorageColumn::TitleKey.eq(draft.title.to_lowercase())))
    }
}
