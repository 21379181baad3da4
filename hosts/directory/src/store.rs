//! Opening the database, and the two ways in: a read, or a write that is one transaction.

use std::path::PathBuf;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::migration::Migrator;

/// The domain and its database. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    pub(crate) db: DatabaseConnection,
}

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file, created when it is missing; its folder must exist.
    File(PathBuf),
    /// SQLite without a file, gone with the process.
    Memory,
}

/// The database failed; callers can only report it.
#[derive(Debug, thiserror::Error)]
#[error("the database failed")]
pub struct StoreError(#[from] pub(crate) DbErr);

/// How many rows a listing returns at most: 1..=200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(u64);

/// How long a connection waits for another one's write lock before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections to a file: readers do not wait for the one writer (WAL).
const FILE_CONNECTIONS: u32 = 4;

// === impl Directory ===

impl Directory {
    /// Opens the database and brings its tables up to date.
    pub async fn open(location: Location) -> Result<Self, StoreError> {
        let db = Database::connect(connect_options(location)).await?;
        Migrator::up(&db, None).await?;
        Ok(Self { db })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.db.ping().await?)
    }

    /// Waits for running statements and closes the file.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.close().await?)
    }

    /// Starts a write. Dropping it without `commit` takes everything back.
    pub(crate) async fn write(&self) -> Result<DatabaseTransaction, DbErr> {
        // A deferred transaction that reads and then writes fails at once when another writer came between;
        // an immediate one waits for its turn.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.db.begin_with_options(options).await
    }
}

fn connect_options(location: Location) -> ConnectOptions {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.sqlx_logging(false).record_stmt_in_spans(false);
    match location {
        Location::File(path) => {
            options.max_connections(FILE_CONNECTIONS);
            options.map_sqlx_sqlite_opts(move |sqlite| {
                sqlite
                    .in_memory(false)
                    .shared_cache(false)
                    .filename(&path)
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .busy_timeout(BUSY_TIMEOUT)
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "FULL")
            });
        }
        Location::Memory => {
            // The database lives in its one connection, which must therefore never be replaced.
            options.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None);
            options.map_sqlx_sqlite_opts(|sqlite| sqlite.foreign_keys(true));
        }
    }
    options
}

// === impl PageSize ===

impl PageSize {
    pub const MAX: u64 = 200;
    pub const DEFAULT: Self = Self(50);

    pub fn new(rows: u64) -> Option<Self> {
        (1..=Self::MAX).contains(&rows).then_some(Self(rows))
    }

    pub fn get(self) -> u64 {
        self.0
    }
}
