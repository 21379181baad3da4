//! What edges need: publish jobs, revocations, edges with tokens, decision logs.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

use super::name;
use crate::entities::{
    decision_gaps, decision_records, decision_workers, edge_tokens, edges, publish_jobs, revocations, tenants,
};

pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0002_edge"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        manager.alter_table(count_revocations()).await?;
        for table in [
            publish_jobs_table(backend),
            revocations_table(backend),
            edges_table(backend),
            edge_tokens_table(backend),
            decision_records_table(backend),
            decision_workers_table(backend),
            decision_gaps_table(backend),
        ] {
            manager.create_table(table).await?;
        }
        for index in [revocations_by_number(), tokens_by_edge(), records_by_number(), records_by_time()] {
            manager.create_index(index).await?;
        }
        manager.create_index(records_by_subject()).await
    }
}

fn count_revocations() -> TableAlterStatement {
    Table::alter().table(tenants::Entity).add_column(number(tenants::Column::Revocations).default(0)).to_owned()
}

fn publish_jobs_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(publish_jobs::Entity)
        .col(name(publish_jobs::Column::Tenant, backend).primary_key())
        .col(number(publish_jobs::Column::Revision))
        .to_owned()
}

fn revocations_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(revocations::Entity)
        .col(name(revocations::Column::Tenant, backend))
        .col(name(revocations::Column::Subject, backend))
        .col(number(revocations::Column::NotBefore))
        .col(number(revocations::Column::Number))
        .primary_key(Index::create().col(revocations::Column::Tenant).col(revocations::Column::Subject))
        .to_owned()
}

fn revocations_by_number() -> IndexCreateStatement {
    Index::create()
        .name("revocations_by_number")
        .table(revocations::Entity)
        .col(revocations::Column::Tenant)
        .col(revocations::Column::Number)
        .unique()
        .to_owned()
}

fn edges_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(edges::Entity)
        .col(name(edges::Column::Tenant, backend))
        .col(name(edges::Column::Name, backend))
        .col(number(edges::Column::CreatedAt))
        .primary_key(Index::create().col(edges::Column::Tenant).col(edges::Column::Name))
        .foreign_key(
            ForeignKey::create().from(edges::Entity, edges::Column::Tenant).to(tenants::Entity, tenants::Column::Name),
        )
        .to_owned()
}

fn edge_tokens_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(edge_tokens::Entity)
        .col(ColumnDef::new(edge_tokens::Column::Hash).binary_len(32).not_null().primary_key())
        .col(name(edge_tokens::Column::Tenant, backend))
        .col(name(edge_tokens::Column::Edge, backend))
        .col(number(edge_tokens::Column::CreatedAt))
        .col(ColumnDef::new(edge_tokens::Column::ExpiresAt).big_integer())
        .foreign_key(
            ForeignKey::create()
                .from(edge_tokens::Entity, (edge_tokens::Column::Tenant, edge_tokens::Column::Edge))
                .to(edges::Entity, (edges::Column::Tenant, edges::Column::Name))
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn tokens_by_edge() -> IndexCreateStatement {
    Index::create()
        .name("edge_tokens_by_edge")
        .table(edge_tokens::Entity)
        .col(edge_tokens::Column::Tenant)
        .col(edge_tokens::Column::Edge)
        .to_owned()
}

fn decision_records_table(backend: DbBackend) -> TableCreateStatement {
    use decision_records::Column;
    Table::create()
        .table(decision_records::Entity)
        .col(number(Column::Id).auto_increment().primary_key())
        .col(name(Column::Tenant, backend))
        .col(name(Column::Sender, backend))
        .col(name(Column::Worker, backend))
        .col(number(Column::Number))
        .col(number(Column::TimeMs))
        .col(name(Column::Kind, backend))
        .col(name(Column::RequestId, backend))
        .col(name(Column::Method, backend))
        .col(name(Column::Host, backend))
        .col(name(Column::Path, backend))
        .col(name(Column::Subject, backend).null())
        .col(ColumnDef::new(Column::Ip).text())
        .col(name(Column::Effect, backend))
        .col(ColumnDef::new(Column::Status).integer().not_null())
        .col(name(Column::Reason, backend))
        .col(name(Column::Rules, backend))
        .col(ColumnDef::new(Column::Restriction).text())
        .col(ColumnDef::new(Column::Topic).text())
        .col(number(Column::Revision))
        .col(ColumnDef::new(Column::ShadowEffect).text())
        .col(ColumnDef::new(Column::ShadowReason).text())
        .to_owned()
}

/// What makes storing a record again do nothing.
fn records_by_number() -> IndexCreateStatement {
    Index::create()
        .name("decision_records_by_number")
        .table(decision_records::Entity)
        .col(decision_records::Column::Tenant)
        .col(decision_records::Column::Sender)
        .col(decision_records::Column::Worker)
        .col(decision_records::Column::Number)
        .unique()
        .to_owned()
}

fn records_by_time() -> IndexCreateStatement {
    Index::create()
        .name("decision_records_by_time")
        .table(decision_records::Entity)
        .col(decision_records::Column::Tenant)
        .col(decision_records::Column::TimeMs)
        .col(decision_records::Column::Id)
        .to_owned()
}

fn records_by_subject() -> IndexCreateStatement {
    Index::create()
        .name("decision_records_by_subject")
        .table(decision_records::Entity)
        .col(decision_records::Column::Tenant)
        .col(decision_records::Column::Subject)
        .col(decision_records::Column::TimeMs)
        .to_owned()
}

fn decision_workers_table(backend: DbBackend) -> TableCreateStatement {
    use decision_workers::Column;
    Table::create()
        .table(decision_workers::Entity)
        .col(name(Column::Tenant, backend))
        .col(name(Column::Sender, backend))
        .col(name(Column::Worker, backend))
        .col(number(Column::Highest))
        .col(number(Column::Dropped))
        .col(number(Column::SeenAt))
        .primary_key(Index::create().col(Column::Tenant).col(Column::Sender).col(Column::Worker))
        .to_owned()
}

fn decision_gaps_table(backend: DbBackend) -> TableCreateStatement {
    use decision_gaps::Column;
    Table::create()
        .table(decision_gaps::Entity)
        .col(name(Column::Tenant, backend))
        .col(name(Column::Sender, backend))
        .col(name(Column::Worker, backend))
        .col(number(Column::First))
        .col(number(Column::Last))
        .col(number(Column::FoundAt))
        .primary_key(Index::create().col(Column::Tenant).col(Column::Sender).col(Column::Worker).col(Column::First))
        .to_owned()
}

fn number(column: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(column);
    column.big_integer().not_null();
    column
}
