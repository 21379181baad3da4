//! Where a case has its database.

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;

use portcullis_rig::{Durability, Postgres, PostgresBinary};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{Directory, Location};

/// A database of one case alone, empty at first.
pub(super) struct Place {
    location: Location,
    _folder: Option<TempDir>,
}

pub(super) type Case = (&'static str, fn(Place) -> Pin<Box<dyn Future<Output = ()> + Send>>);

/// How many cases use the server at once.
const AT_ONCE: usize = 4;

impl Place {
    pub(super) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { location: Location::File(folder.path().join("portcullis.db")), _folder: Some(folder) }
    }

    /// Another connection each time, to the same database.
    pub(super) async fn open(&self) -> Directory {
        Directory::open(self.location.clone()).await.unwrap()
    }
}

impl Place {
    /// The database without its tables.
    pub(super) async fn bare(&self) -> DatabaseConnection {
        let url = match &self.location {
            Location::File(path) => format!("sqlite://{}?mode=rwc", path.display()),
            Location::Postgres(url) => url.clone(),
            Location::Memory => panic!("gone when it is closed"),
        };
        Database::connect(url).await.unwrap()
    }

    /// Whether several servers use it at once.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.location, Location::Postgres(_))
    }
}

/// Runs the cases on one server, each in a database of its own, and panics with the names of those that failed.
pub(super) async fn run_on_postgres(cases: &[Case]) {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let folder = tempfile::tempdir().unwrap();
    let binary = PostgresBinary::find_or_install(&tools).unwrap();
    let server = Postgres::start(&binary, folder.path(), Durability::None).unwrap();
    let admin = Database::connect(server.url("postgres")).await.unwrap();
    let (mut running, mut names, mut failed) = (JoinSet::new(), BTreeMap::new(), Vec::new());
    for (at, (name, case)) in cases.iter().enumerate() {
        if running.len() == AT_ONCE {
            finish(&mut running, &names, &mut failed).await;
        }
        admin.execute_unprepared(&format!("CREATE DATABASE case_{at}")).await.unwrap();
        let place = Place { location: Location::Postgres(server.url(&format!("case_{at}"))), _folder: None };
        names.insert(running.spawn(case(place)).id(), *name);
    }
    while !running.is_empty() {
        finish(&mut running, &names, &mut failed).await;
    }
    admin.close().await.unwrap();
    assert!(failed.is_empty(), "on PostgreSQL: {failed:?}");
}

async fn finish(running: &mut JoinSet<()>, names: &BTreeMap<tokio::task::Id, &'static str>, failed: &mut Vec<String>) {
    if let Some(Err(error)) = running.join_next_with_id().await {
        let name = names.get(&error.id()).copied().unwrap_or("?");
        failed.push(format!("{name}: {error}"));
    }
}

/// Makes a test of each case on SQLite, and one test of all cases on PostgreSQL: so there is one server, also where each
/// test is a process.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(super::Place::file()).await;
                }
            )*
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn on_postgres() {
            let cases: &[place::Case] = &[$((stringify!($case), |place| Box::pin($case(place)))),*];
            place::run_on_postgres(cases).await;
        }
    };
}
pub(super) use on_both;
