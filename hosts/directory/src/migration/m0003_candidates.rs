//! Policies that edges evaluate beside the one in force.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

use super::name;
use crate::entities::{policy_candidates, tenants};

pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0003_candidates"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(policy_candidates_table(manager.get_database_backend())).await
    }
}

fn policy_candidates_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(policy_candidates::Entity)
        .col(name(policy_candidates::Column::Tenant, backend).primary_key())
        .col(ColumnDef::new(policy_candidates::Column::Text).text().not_null())
        .col(ColumnDef::new(policy_candidates::Column::MediaType).text().not_null())
        .col(ColumnDef::new(policy_candidates::Column::CreatedAt).big_integer().not_null())
        .foreign_key(
            ForeignKey::create()
                .from(policy_candidates::Entity, policy_candidates::Column::Tenant)
                .to(tenants::Entity, tenants::Column::Name),
        )
        .to_owned()
}
