//! The count of writes, by which they take turns.

use sea_orm_migration::prelude::*;

use crate::entities::writes;

pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0004_writes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(writes::Entity)
            .col(ColumnDef::new(writes::Column::Id).integer().not_null().primary_key())
            .col(ColumnDef::new(writes::Column::Count).big_integer().not_null())
            .to_owned();
        manager.create_table(table).await?;
        let only = Query::insert()
            .into_table(writes::Entity)
            .columns([writes::Column::Id, writes::Column::Count])
            .values_panic([writes::ONLY.into(), 0_i64.into()])
            .to_owned();
        manager.execute(only).await
    }
}
