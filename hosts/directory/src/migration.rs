//! The tables, step by step. A step that has shipped is never edited; the next one is added beside it.

mod m0001_directory;

use sea_orm_migration::prelude::*;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_directory::Step)]
    }
}
