//! A transaction that writes, and the turn it takes.
//!
//! Writers of one process wait for each other here, in the order they came, and not with a connection of the pool in their
//! hands: readers would have none, and SQLite lets whoever asks at the right moment go first.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use sea_orm_migration::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who writes next.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

/// Given back when it is dropped.
pub(crate) type Turn = OwnedSemaphorePermit;

/// Dropped without `commit`, nothing of it happens.
pub(crate) struct Write {
    // In this order: the transaction ends before the turn does.
    transaction: DatabaseTransaction,
    _turn: Option<Turn>,
}

/// How long a writer waits for those of the same process.
const PATIENCE: Duration = Duration::from_secs(30);

impl Turns {
    pub(crate) async fn next(&self) -> Result<Turn, DbErr> {
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_closed)) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            Err(_elapsed) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Write {
    pub(crate) fn new(transaction: DatabaseTransaction, turn: Option<Turn>) -> Self {
        Self { transaction, _turn: turn }
    }

    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Write {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.transaction.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.transaction.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.transaction.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.transaction.query_all_raw(statement).await
    }
}
