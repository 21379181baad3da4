//! What is written counts at once where it was written, and soon on every other server of the same database (ADR 0042).

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use portcullis_rig::process::poll;
use portcullis_rig::{Client, Durability, Postgres, PostgresBinary, Request, Response, Server, http};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::engines::portcullis;

/// The promise is 200 ms, and `cargo xtask bench nodes` measures it; a busy machine gets more time.
const TIMEOUT: Duration = Duration::from_secs(30);

/// `{path}` is open to whoever may `read`.
const POLICY: &str = "version: 1
roles: {reader: {permissions: [read]}}
routes:
  - host: api.example.org
    paths: [{pattern: '^{path}$', methods: {GET: [read]}}]
";

fn policy(path: &str) -> String {
    POLICY.replace("{path}", path)
}

/// A PostgreSQL, and servers on its one database with one object store.
struct Nodes {
    // In this order: servers end before what they use.
    servers: Vec<Server>,
    _postgres: Postgres,
    folder: TempDir,
    /// Of PostgreSQL, which may run as somebody who cannot see into the other one.
    _data: TempDir,
}

impl Nodes {
    fn start(count: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let place = |name: &str| -> PathBuf {
            let place = folder.path().join(name);
            std::fs::create_dir(&place).unwrap();
            place
        };
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
        let binary = PostgresBinary::find_or_install(&tools).unwrap();
        let data = TempDir::new().unwrap();
        let postgres = Postgres::start(&binary, data.path(), Durability::None).unwrap();
        let store = place("bundles");
        let configuration = format!(
            "database = \"{}\"\nobject_store = \"file://{}\"\ntrusted_proxies = [\"127.0.0.1\"]\n",
            postgres.url("postgres"),
            store.display()
        );
        let mut servers = vec![Server::start_with(&portcullis().unwrap(), &place("node-0"), &configuration).unwrap()];
        for at in 1..count {
            let next = servers[0].start_beside(&place(&format!("node-{at}")), &configuration).unwrap();
            servers.push(next);
        }
        Self { servers, _postgres: postgres, folder, _data: data }
    }

    /// Which bundle the object store says is in force.
    fn archived(&self) -> Option<Value> {
        let text = std::fs::read(self.folder.path().join("bundles/default/current.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// What nginx would ask about a request of `user`.
fn question(user: &str, path: &str) -> Request {
    Request::get("/v1/allow")
        .header("x-forwarded-method", "GET")
        .header("x-forwarded-host", "api.example.org")
        .header("x-forwarded-uri", path)
        .header("x-caller-userid", user)
}

fn roles(user: &str, roles: &[&str]) -> Request {
    Request::new("PUT", &format!("/v1/user/{user}/roles")).json(&json!({"roles": roles}))
}

fn create(server: &Server, user: &str, roles: &[&str]) {
    let body = json!({"user": {"user_id": user}, "roles": roles});
    server.send(Request::new("POST", "/v1/user").json(&body)).unwrap().expect_status(200).unwrap();
}

fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    poll(what, TIMEOUT, || Ok(is_true().then_some(()))).unwrap();
}

fn status(server: &Server, request: &Request) -> u16 {
    http::send(server.address(), request).unwrap().status
}

/// 1,000 changes of roles by four callers at once, each followed by a question.
fn changes_count_at_the_next_question(server: &Server) {
    const CALLERS: usize = 4;
    const CHANGES: usize = 250;
    server.put_policy(&policy("/items")).unwrap();
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            scope.spawn(move || {
                let mut client = Client::new(server.address());
                let users = [format!("u{caller}a"), format!("u{caller}b")];
                users.iter().for_each(|user| create(server, user, &[]));
                for change in 0..CHANGES {
                    let user = &users[change % 2];
                    let (held, status): (&[&str], u16) = if change % 4 < 2 { (&["reader"], 200) } else { (&[], 403) };
                    let write = roles(user, held).bearer(server.admin_token());
                    client.send(&write).unwrap().expect_status(200).unwrap();
                    let answer = client.send(&question(user, "/items")).unwrap();
                    assert_eq!(answer.status, status, "{user}, change {change}: {}", answer.text());
                }
            });
        }
    });
}

#[test]
fn a_change_of_roles_counts_at_the_next_question_on_sqlite() {
    let folder = TempDir::new().unwrap();
    let configuration = "trusted_proxies = [\"127.0.0.1\"]\n";
    let server = Server::start_with(&portcullis().unwrap(), folder.path(), configuration).unwrap();
    changes_count_at_the_next_question(&server);
}

#[test]
fn a_change_of_roles_counts_at_the_next_question_on_postgres() {
    let nodes = Nodes::start(1);
    changes_count_at_the_next_question(&nodes.servers[0]);
}

#[test]
fn what_one_server_writes_decides_on_the_other() {
    let nodes = Nodes::start(2);
    let [one, two] = &nodes.servers[..] else { panic!("two servers") };
    one.put_policy(&policy("/items")).unwrap();
    create(one, "rui", &["reader"]);
    until("the policy on the other server", || status(two, &question("rui", "/items")) == 200);

    // Roles, to and fro: the other one knew the user before.
    for (writer, reader) in [(one, two), (two, one), (one, two)] {
        writer.send(roles("rui", &[])).unwrap().expect_status(200).unwrap();
        assert_eq!(status(writer, &question("rui", "/items")), 403);
        until("roles taken away", || status(reader, &question("rui", "/items")) == 403);
        writer.send(roles("rui", &["reader"])).unwrap().expect_status(200).unwrap();
        until("roles given", || status(reader, &question("rui", "/items")) == 200);
    }

    // A ban, and the end of the account.
    let ban = Request::new("PATCH", "/directory/users/rui").json(&json!({"state": "banned"}));
    one.send(ban).unwrap().expect_status(200).unwrap();
    until("a ban", || status(two, &question("rui", "/items")) == 403);
    create(one, "eva", &["reader"]);
    until("a new user", || status(two, &question("eva", "/items")) == 200);
    one.send(Request::new("DELETE", "/directory/users/eva")).unwrap().expect_status(204).unwrap();
    until("a deleted user", || status(two, &question("eva", "/items")) == 403);

    // The next document, from the other side.
    create(one, "ada", &["reader"]);
    two.put_policy_if(Some(1), &policy("/other")).unwrap();
    assert_eq!(status(two, &question("ada", "/other")), 200);
    until("the next policy", || status(one, &question("ada", "/other")) == 200);
    assert_eq!(one.put_policy_if(Some(2), &policy("/third")).unwrap(), 3);
    until("the third policy", || status(two, &question("ada", "/third")) == 200);

    // Keys of access tokens.
    let keys = |server: &Server| server.send(Request::get("/.well-known/jwks.json")).unwrap().json().unwrap();
    let announced = one.send(Request::new("POST", "/identity/signing-keys")).unwrap().expect_status(201).unwrap();
    assert_eq!(announced.json().unwrap()["keys"].as_array().unwrap().len(), 2);
    until("the next key", || keys(two) == keys(one));
}

/// A request that waits, as an edge does.
fn waiting(server: &Server, request: Request) -> thread::JoinHandle<Response> {
    let (address, request) = (server.address(), request.bearer(server.admin_token()));
    thread::spawn(move || http::send(address, &request).unwrap())
}

#[test]
fn edges_that_wait_at_one_server_hear_what_the_other_one_wrote() {
    let nodes = Nodes::start(2);
    let [one, two] = &nodes.servers[..] else { panic!("two servers") };
    one.put_policy(&policy("/items")).unwrap();
    let get = |server: &Server, path: &str| server.send(Request::get(path)).unwrap();
    until("the policy on the other server", || get(two, "/policy/bundle").status == 200);
    let bundle = get(two, "/policy/bundle");
    assert_eq!(bundle.body, get(one, "/policy/bundle").body);

    let tag = bundle.header("etag").unwrap();
    let edge = waiting(two, Request::get("/policy/bundle?wait=60").header("if-none-match", tag));
    one.put_policy(&policy("/other")).unwrap();
    let told = edge.join().unwrap().expect_status(200).unwrap();
    assert_eq!(told.body, get(one, "/policy/bundle").body);

    let edge = waiting(two, Request::get("/policy/revocations?since=0&wait=60"));
    one.send(Request::new("POST", "/directory/users/rui/revoke")).unwrap().expect_status(200).unwrap();
    let told = edge.join().unwrap().expect_status(200).unwrap().json().unwrap();
    assert_eq!(told["revocations"][0]["subject"], "rui");

    let edge = waiting(two, Request::get("/policy/bundle?candidate=true&wait=60"));
    let candidate = Request::new("PUT", "/policy/candidate").body("application/yaml", policy("/next"));
    one.send(candidate).unwrap().expect_status(200).unwrap();
    let told = edge.join().unwrap().expect_status(200).unwrap();
    assert_eq!(told.body, get(one, "/policy/bundle?candidate=true").body);
    one.send(Request::new("DELETE", "/policy/candidate")).unwrap().expect_status(204).unwrap();
    until("the end of the candidate", || get(two, "/policy/bundle?candidate=true").status == 404);
}

#[test]
fn documents_written_on_both_servers_at_once_are_one_row_of_revisions() {
    const EACH: u64 = 20;
    let nodes = Nodes::start(2);
    thread::scope(|scope| {
        for (name, server) in ["a", "b"].into_iter().zip(&nodes.servers) {
            scope.spawn(move || {
                for at in 0..EACH {
                    let text = policy(&format!("/{name}{at}"));
                    // Another one may come first; then nothing is stored.
                    until("a place for the document", || {
                        let put = Request::new("PUT", "/policy/document").body("application/yaml", text.as_str());
                        let answer = server.send(put).unwrap();
                        assert!(matches!(answer.status, 200 | 201 | 409), "{}", answer.text());
                        answer.status != 409
                    });
                }
            });
        }
    });
    let newest = |server: &Server| server.send(Request::get("/policy/revisions?limit=1")).unwrap().json().unwrap();
    let newest = newest(&nodes.servers[0])["revisions"][0].clone();
    assert_eq!(newest["revision"], 2 * EACH);
    let tag = format!("\"{}\"", newest["digest"].as_str().unwrap());
    for server in &nodes.servers {
        until("the newest policy", || {
            server.send(Request::get("/policy/bundle")).unwrap().header("etag") == Some(&tag)
        });
    }
    until("the newest bundle in the object store", || {
        nodes.archived().is_some_and(|archived| archived["digest"] == newest["digest"])
    });
}
