//! Tenants, users with roles and tokens, policy documents, the audit trail, and the tenant `default`.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

use super::name;
use crate::entities::{access_tokens, audit_entries, policy_documents, setup_tokens, tenants, user_roles, users};

pub(super) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0001_directory"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for table in [
            tenants_table(backend),
            users_table(backend),
            user_roles_table(backend),
            access_tokens_table(backend),
            setup_tokens_table(),
            policy_documents_table(backend),
            audit_entries_table(backend),
        ] {
            manager.create_table(table).await?;
        }
        manager.create_index(tokens_by_user()).await?;
        let default_tenant = Query::insert()
            .into_table(tenants::Entity)
            .columns([tenants::Column::Name, tenants::Column::Revision])
            .values_panic(["default".into(), 0_i64.into()])
            .to_owned();
        manager.execute(default_tenant).await
    }
}

fn tenants_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(tenants::Entity)
        .col(name(tenants::Column::Name, backend).primary_key())
        .col(ColumnDef::new(tenants::Column::Revision).big_integer().not_null())
        .to_owned()
}

fn users_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(users::Entity)
        .col(name(users::Column::Id, backend).primary_key())
        .col(name(users::Column::State, backend))
        .col(ColumnDef::new(users::Column::CreatedAt).big_integer().not_null())
        .col(ColumnDef::new(users::Column::UpdatedAt).big_integer().not_null())
        .col(ColumnDef::new(users::Column::Revision).big_integer().not_null())
        .to_owned()
}

fn user_roles_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(user_roles::Entity)
        .col(name(user_roles::Column::UserId, backend))
        .col(name(user_roles::Column::Role, backend))
        .primary_key(Index::create().col(user_roles::Column::UserId).col(user_roles::Column::Role))
        .foreign_key(
            ForeignKey::create()
                .from(user_roles::Entity, user_roles::Column::UserId)
                .to(users::Entity, users::Column::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn access_tokens_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(access_tokens::Entity)
        .col(ColumnDef::new(access_tokens::Column::Hash).binary_len(32).not_null().primary_key())
        .col(name(access_tokens::Column::UserId, backend))
        .col(ColumnDef::new(access_tokens::Column::Label).text())
        .col(ColumnDef::new(access_tokens::Column::CreatedAt).big_integer().not_null())
        .col(ColumnDef::new(access_tokens::Column::RevokedAt).big_integer())
        .foreign_key(
            ForeignKey::create()
                .from(access_tokens::Entity, access_tokens::Column::UserId)
                .to(users::Entity, users::Column::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn tokens_by_user() -> IndexCreateStatement {
    Index::create()
        .name("access_tokens_by_user")
        .table(access_tokens::Entity)
        .col(access_tokens::Column::UserId)
        .to_owned()
}

fn setup_tokens_table() -> TableCreateStatement {
    Table::create()
        .table(setup_tokens::Entity)
        .col(ColumnDef::new(setup_tokens::Column::Hash).binary_len(32).not_null().primary_key())
        .col(ColumnDef::new(setup_tokens::Column::CreatedAt).big_integer().not_null())
        .to_owned()
}

fn policy_documents_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(policy_documents::Entity)
        .col(name(policy_documents::Column::Tenant, backend))
        .col(ColumnDef::new(policy_documents::Column::Revision).big_integer().not_null())
        .col(ColumnDef::new(policy_documents::Column::Text).text().not_null())
        .col(ColumnDef::new(policy_documents::Column::MediaType).text().not_null())
        .col(ColumnDef::new(policy_documents::Column::CreatedAt).big_integer().not_null())
        .col(name(policy_documents::Column::Author, backend))
        .col(ColumnDef::new(policy_documents::Column::Digest).binary_len(32).not_null())
        .primary_key(Index::create().col(policy_documents::Column::Tenant).col(policy_documents::Column::Revision))
        .foreign_key(
            ForeignKey::create()
                .from(policy_documents::Entity, policy_documents::Column::Tenant)
                .to(tenants::Entity, tenants::Column::Name),
        )
        .to_owned()
}

fn audit_entries_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(audit_entries::Entity)
        .col(ColumnDef::new(audit_entries::Column::Id).big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(audit_entries::Column::At).big_integer().not_null())
        .col(name(audit_entries::Column::Who, backend))
        .col(ColumnDef::new(audit_entries::Column::Action).text().not_null())
        .col(ColumnDef::new(audit_entries::Column::Object).text().not_null())
        .col(ColumnDef::new(audit_entries::Column::Revision).big_integer().not_null())
        .to_owned()
}
