//! How much there is: for whoever watches a server. Nothing here reads a table that grows with requests.

use sea_orm::sea_query::Expr;
use sea_orm::{DbBackend, EntityTrait, ExprTrait as _, PaginatorTrait, QuerySelect};

use crate::entities::{decision_gaps, publish_jobs, sessions};
use crate::{Directory, StoreError};

/// Connections to the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    pub open: u32,
    /// Of the open ones.
    pub idle: u32,
    /// As many there may be.
    pub most: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Policies that are stored and not yet published everywhere.
    pub publish_jobs: u64,
    /// Sessions that have not ended; those that are over are among them until they are forgotten.
    pub sessions: u64,
    /// Decision records that are numbered and never came.
    pub missing_records: u64,
}

impl Directory {
    /// Without a look at the database.
    pub fn connections(&self) -> Connections {
        let (open, idle, most) = if self.db.get_database_backend() == DbBackend::Postgres {
            let pool = self.db.get_postgres_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        } else {
            let pool = self.db.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        };
        Connections { open, idle: u32::try_from(idle).unwrap_or(u32::MAX), most }
    }

    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        use decision_gaps::Column;
        const MISSING: &str = "missing";
        let missing = Expr::col(Column::Last).sub(Expr::col(Column::First)).add(1).sum().cast_as("bigint");
        let missing: Option<Option<i64>> =
            decision_gaps::Entity::find().select_only().column_as(missing, MISSING).into_tuple().one(&self.db).await?;
        Ok(Backlog {
            publish_jobs: publish_jobs::Entity::find().count(&self.db).await?,
            sessions: sessions::Entity::find().count(&self.db).await?,
            missing_records: missing.flatten().map_or(0, i64::unsigned_abs),
        })
    }
}
