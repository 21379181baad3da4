//! The tables, step by step. A step that has shipped is never edited; the next one is added beside it.

mod m0001_directory;
mod m0002_edge;
mod m0003_candidates;
mod m0004_writes;
mod m0005_people;
mod m0006_audit;

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_directory::Step),
            Box::new(m0002_edge::Step),
            Box::new(m0003_candidates::Step),
            Box::new(m0004_writes::Step),
            Box::new(m0005_people::Step),
            Box::new(m0006_audit::Step),
        ]
    }
}

/// A name is compared and ordered byte by byte: SQLite does, PostgreSQL has to be told.
fn name(column: impl IntoIden, backend: DbBackend) -> ColumnDef {
    let mut column = ColumnDef::new(column);
    column.text().not_null();
    if backend == DbBackend::Postgres {
        column.extra(r#"COLLATE "C""#);
    }
    column
}
