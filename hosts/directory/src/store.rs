//! Opening the database, and the two ways in: a read, or a write that is one transaction.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, EntityTrait,
    ExprTrait as _, QueryFilter, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::entities::writes;
use crate::known::Known;
use crate::migration::Migrator;
use crate::write::{Turn, Turns, Write};

/// The domain and its database. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    pub(crate) db: DatabaseConnection,
    pub(crate) known: Known,
    turns: Turns,
}

/// Where the database is. Shown without credentials.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file, created when it is missing; its folder must exist.
    File(PathBuf),
    /// SQLite without a file, gone with the process.
    Memory,
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`; the database exists. `HOST` is a folder with a
    /// socket when its slashes are written `%2F`.
    Postgres(String),
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

const POSTGRES_CONNECTIONS: u32 = 16;

/// Held by the server that brings the tables up to date: others wait.
const MIGRATION_LOCK: i64 = 0x706f_7274_6375_6c6c;

// === impl Directory ===

impl Directory {
    /// Opens the database and brings its tables up to date.
    pub async fn open(location: Location) -> Result<Self, StoreError> {
        let db = Database::connect(connect_options(location)).await?;
        migrate(&db).await?;
        Ok(Self { db, known: Known::default(), turns: Turns::default() })
    }

    /// How many writes of the directory there were. Whoever sees a number sees all writes up to it.
    pub async fn writes(&self) -> Result<u64, StoreError> {
        let row = writes::Entity::find_by_id(writes::ONLY).one(&self.db).await?;
        Ok(row.map_or(0, |row| row.count.unsigned_abs()))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.db.ping().await?)
    }

    /// Waits for running statements and closes the file.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.close().await?)
    }

    /// Starts a write and counts it. Dropping it without `commit` takes everything back.
    ///
    /// Writes take turns, so what one reads is what it changes: in SQLite there is one writer anyway, in PostgreSQL the
    /// others wait for the row that counts.
    pub(crate) async fn write(&self) -> Result<Write, DbErr> {
        let turn = self.turns.next().await?;
        let write = self.begin_in(Some(turn)).await?;
        writes::Entity::update_many()
            .col_expr(writes::Column::Count, Expr::col(writes::Column::Count).add(1))
            .filter(writes::Column::Id.eq(writes::ONLY))
            .exec(&write)
            .await?;
        Ok(write)
    }

    /// Starts a transaction that takes no turn, for writes that are right in whatever order they come.
    pub(crate) async fn begin(&self) -> Result<Write, DbErr> {
        let turn = match self.db.get_database_backend() {
            // Here every writer is the only one.
            DbBackend::Sqlite => Some(self.turns.next().await?),
            _ => None,
        };
        self.begin_in(turn).await
    }

    async fn begin_in(&self, turn: Option<Turn>) -> Result<Write, DbErr> {
        // A deferred transaction that reads and then writes fails at once when another writer came between;
        // an immediate one waits for its turn.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Write::new(self.db.begin_with_options(options).await?, turn))
    }
}

async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Migrator::up(db, None).await;
    }
    let lock = db.begin().await?;
    lock.execute_unprepared("SET LOCAL lock_timeout = 0").await?;
    lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
    Migrator::up(db, None).await?;
    lock.commit().await
}

fn connect_options(location: Location) -> ConnectOptions {
    let url = match &location {
        Location::Postgres(url) => url.as_str(),
        Location::File(_) | Location::Memory => "sqlite::memory:",
    };
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).record_stmt_in_spans(false);
    match location {
        Location::Postgres(_) => {
            options.max_connections(POSTGRES_CONNECTIONS).connect_timeout(BUSY_TIMEOUT);
            let patience = format!("{}ms", BUSY_TIMEOUT.as_millis());
            options.map_sqlx_postgres_opts(move |postgres| {
                postgres.application_name("portcullis").options([("lock_timeout", patience.as_str())])
            });
        }
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

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Memory => f.write_str("memory"),
            Self::Postgres(url) => {
                let place = url.rsplit_once('@').or(url.split_once("://")).map_or("", |(_, place)| place);
                write!(f, "postgres://{}", place.split('?').next().unwrap_or_default())
            }
        }
    }
}

// === impl PageSize ===

impl PageSize {
    pub const MAX: u64 = 200;
    pub const DEFAULT: Self = Self(50);
    pub const LARGEST: Self = Self(Self::MAX);

    pub fn new(rows: u64) -> Option<Self> {
        (1..=Self::MAX).contains(&rows).then_some(Self(rows))
    }

    pub fn get(self) -> u64 {
        self.0
    }
}
