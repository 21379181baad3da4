//! The trail is looked up by time, author, action and object.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

use crate::entities::audit_entries::{Column, Entity};

pub(super) struct Step;

const COMPARED_BY_BYTES: &str = r#"ALTER TABLE audit_entries
    ALTER COLUMN action TYPE text COLLATE "C", ALTER COLUMN object TYPE text COLLATE "C""#;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0006_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite compares bytes anyway, and cannot change a column.
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared(COMPARED_BY_BYTES).await?;
        }
        for (name, first) in [
            ("audit_entries_by_time", None),
            ("audit_entries_by_who", Some(Column::Who)),
            ("audit_entries_by_action", Some(Column::Action)),
            ("audit_entries_by_object", Some(Column::Object)),
        ] {
            manager.create_index(index(name, first)).await?;
        }
        Ok(())
    }
}

fn index(name: &str, first: Option<Column>) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(Entity);
    for column in first.into_iter().chain([Column::At, Column::Id]) {
        index.col(column);
    }
    index.to_owned()
}
