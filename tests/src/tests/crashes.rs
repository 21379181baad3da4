//! A server that is killed (SIGKILL) while it writes: what it said is stored is stored, what it publishes is the document,
//! and it starts by itself.
//!
//! `PORTCULLIS_KILLS=100` kills so often on each database instead of five times.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use portcullis_rig::process::poll;
use portcullis_rig::{Client, Durability, Postgres, PostgresBinary, Request, Server, http};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::engines::portcullis;

const TIMEOUT: Duration = Duration::from_secs(60);
/// Callers that write users; one more writes documents.
const WRITERS: usize = 3;
const ROLES: [&str; 4] = ["reader", "writer", "auditor", "pep"];

/// What the callers of a server know of what they wrote.
#[derive(Default)]
struct Known {
    /// By id: the roles that the server said are stored, and those that it was sent afterwards.
    users: Mutex<BTreeMap<String, [Option<&'static str>; 2]>>,
    /// The newest document that the server said is stored, and the newest that it was sent.
    documents: Mutex<[u64; 2]>,
    acknowledged: AtomicUsize,
}

/// Where writes go to, and by whom.
struct Address {
    server: SocketAddr,
    token: String,
}

/// xorshift64*, for the same writes and kills each time.
struct Seed(u64);

impl Seed {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }
}

fn kills() -> usize {
    std::env::var("PORTCULLIS_KILLS").map_or(5, |kills| kills.parse().unwrap())
}

/// A policy that allows what is of this number.
fn document(number: u64) -> String {
    format!(
        "version: 1\nroles: {{reader: {{}}, writer: {{}}, auditor: {{}}, pep: {{}}}}\npublic:\n  - {{path: {{exact: /number/{number}}}}}\n"
    )
}

impl Known {
    /// Creates users and changes their roles until nobody answers.
    fn write_users(&self, to: &Address, round: usize, writer: usize) {
        let mut seed = Seed(0x9e37_79b9 + (round * WRITERS + writer) as u64);
        let mut client = Client::new(to.server);
        for at in 0.. {
            let id = format!("r{round}w{writer}u{}", at / 3);
            let role = ROLES[seed.below(ROLES.len())];
            let request = match at % 3 {
                0 => Request::new("POST", "/directory/users").json(&json!({"id": id, "roles": [role]})),
                _ => Request::new("PATCH", &format!("/directory/users/{id}")).json(&json!({"roles": [role]})),
            };
            self.users.lock().unwrap().entry(id.clone()).or_default()[1] = Some(role);
            let Ok(answer) = client.send(&request.bearer(&to.token)) else { return };
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
            self.users.lock().unwrap().insert(id, [Some(role), None]);
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Stores one document after the other until nobody answers.
    fn write_documents(&self, to: &Address) {
        let mut client = Client::new(to.server);
        loop {
            let number = self.documents.lock().unwrap()[1] + 1;
            self.documents.lock().unwrap()[1] = number;
            let put = Request::new("PUT", "/policy/document").body("application/yaml", document(number));
            let Ok(answer) = client.send(&put.bearer(&to.token)) else { return };
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
            self.documents.lock().unwrap()[0] = number;
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What the server says now, in place of what it was sent last.
    fn compare(&self, server: &Server, archive: &Path) {
        let mut client = Client::new(server.address());
        for (id, known) in self.users.lock().unwrap().iter_mut() {
            let get = Request::get(&format!("/directory/users/{id}")).bearer(server.admin_token());
            let answer = client.send(&get).unwrap();
            let found = match answer.status {
                200 => {
                    let roles = answer.json().unwrap()["roles"].clone();
                    ROLES.into_iter().find(|role| roles == json!([role]))
                }
                404 => None,
                status => panic!("{id}: {status}"),
            };
            assert!(found == known[0] || (known[1].is_some() && found == known[1]), "{id}: {found:?}, not {known:?}");
            *known = [found, None];
        }
        let mut documents = self.documents.lock().unwrap();
        let [stored, sent] = *documents;
        let text = server.send(Request::get("/policy/document")).unwrap().expect_status(200).unwrap().text();
        let found = (stored..=sent).find(|&number| text == document(number));
        let found = found.unwrap_or_else(|| panic!("a document of {stored} to {sent}, not {text}"));
        *documents = [found, sent];
        is_published(server, found, archive);
    }
}

/// The policy that decides, the one that edges get, and the one in the object store are of document `number`.
fn is_published(server: &Server, number: u64, archive: &Path) {
    for (asked, effect) in [(number, "allow"), (number + 1, "deny")] {
        let decision = server.decide(&json!({"action": "GET", "path": format!("/number/{asked}")})).unwrap();
        assert_eq!(decision["decision"], effect, "{asked}: {decision}");
    }
    let newest = server.send(Request::get("/policy/revisions?limit=1")).unwrap().json().unwrap();
    let newest = &newest["revisions"][0];
    let bundle = server.send(Request::get("/policy/bundle")).unwrap().expect_status(200).unwrap();
    assert_eq!(bundle.header("etag").unwrap(), format!("\"{}\"", newest["digest"].as_str().unwrap()));
    poll("the bundle in the object store", TIMEOUT, || {
        let Ok(current) = std::fs::read(archive.join("default/current.json")) else { return Ok(None) };
        let current: Value = serde_json::from_slice(&current)?;
        Ok((current["digest"] == newest["digest"] && current["revision"] == newest["revision"]).then_some(()))
    })
    .unwrap();
}

fn killed_again_and_again(folder: &Path, configuration: &str) {
    let archive = folder.join("bundles");
    std::fs::create_dir(&archive).unwrap();
    let configuration = format!("{configuration}object_store = \"file://{}\"\n", archive.display());
    let mut server = Server::start_with(&portcullis().unwrap(), folder, &configuration).unwrap();
    server.put_policy(&document(0)).unwrap();
    let to = Address { server: server.address(), token: server.admin_token().to_owned() };
    let (known, mut seed) = (Known::default(), Seed(7));
    for round in 0..kills() {
        let enough = known.acknowledged.load(Ordering::Relaxed) + 1 + seed.below(60);
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (known, to) = (&known, &to);
                scope.spawn(move || known.write_users(to, round, writer));
            }
            scope.spawn(|| known.write_documents(&to));
            let is_enough = || Ok((known.acknowledged.load(Ordering::Relaxed) >= enough).then_some(()));
            // Writes are under way at any moment, so any moment is in the middle of some.
            let written = poll("writes", TIMEOUT, is_enough);
            let killed = server.kill();
            written.and(killed).unwrap();
        });
        server.start_again().unwrap();
        known.compare(&server, &archive);
    }
    let health = http::send(server.address(), &Request::get("/readyz")).unwrap();
    assert_eq!(health.status, 200);
    println!("{} kills, {} acknowledged writes", kills(), known.acknowledged.load(Ordering::Relaxed));
}

#[test]
fn acknowledged_writes_outlive_the_server_on_sqlite() {
    let folder = TempDir::new().unwrap();
    killed_again_and_again(folder.path(), "");
}

#[test]
fn acknowledged_writes_outlive_the_server_on_postgres() {
    let (folder, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    let binary = PostgresBinary::find_or_install(&tools).unwrap();
    let postgres = Postgres::start(&binary, data.path(), Durability::None).unwrap();
    killed_again_and_again(folder.path(), &format!("database = \"{}\"\n", postgres.url("postgres")));
}
