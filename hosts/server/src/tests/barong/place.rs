//! Where a case has its database: in memory, or one of its own on a real PostgreSQL.

use std::path::Path;
use std::pin::Pin;

use portcullis_directory::Location;
use portcullis_rig::{Durability, Postgres, PostgresBinary};
use sea_orm::{ConnectionTrait as _, Database};

pub struct Place {
    pub location: Location,
}

pub type Case = (&'static str, fn(Place) -> Pin<Box<dyn Future<Output = ()>>>);

impl Place {
    pub fn memory() -> Self {
        Self { location: Location::Memory }
    }
}

/// Runs the cases on one server, one after the other, each in a database of its own.
pub async fn run_on_postgres(cases: &[Case]) {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let folder = tempfile::tempdir().unwrap();
    let binary = PostgresBinary::find_or_install(&tools).unwrap();
    let server = Postgres::start(&binary, folder.path(), Durability::None).unwrap();
    let admin = Database::connect(server.url("postgres")).await.unwrap();
    for (at, (name, case)) in cases.iter().enumerate() {
        println!("{name}");
        admin.execute_unprepared(&format!("CREATE DATABASE case_{at}")).await.unwrap();
        case(Place { location: Location::Postgres(server.url(&format!("case_{at}"))) }).await;
        // What still runs of the case keeps its connections, of which there are a hundred.
        admin.execute_unprepared(&format!("DROP DATABASE case_{at} WITH (FORCE)")).await.unwrap();
    }
    admin.close().await.unwrap();
}

/// Makes a test of each case on SQLite, and one test of all cases on PostgreSQL, whose output names the one that failed.
macro_rules! on_both {
    ($($file:ident::$case:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$file::$case(super::Place::memory()).await;
                }
            )*
        }

        #[tokio::test]
        async fn on_postgres() {
            let cases: &[place::Case] = &[$((stringify!($case), |place| Box::pin($file::$case(place)))),*];
            place::run_on_postgres(cases).await;
        }
    };
}
pub(super) use on_both;
