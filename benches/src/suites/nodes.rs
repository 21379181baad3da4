//! Two servers on one PostgreSQL: how long after the answer of the one a change of roles decides on the other.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use portcullis_rig::{Client, Durability, Postgres, PostgresBinary, Request, Server};

use crate::measure::quantile;

const CHANGES: usize = 100;
const POLICY: &str = "version: 1
roles: {reader: {permissions: [read]}}
routes:
  - host: api.example.org
    paths: [{pattern: '^/items$', methods: {GET: [read]}}]
";
/// What never comes is an error.
const TIMEOUT: Duration = Duration::from_secs(30);

/// `binary` is the server.
pub fn run(binary: &Path, tools: &Path) -> Result<String> {
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let postgres = PostgresBinary::find_or_install(tools)?;
    let postgres = Postgres::start(&postgres, data.path(), Durability::Full)?;
    let configuration = format!("database = \"{}\"\ntrusted_proxies = [\"127.0.0.1\"]\n", postgres.url("postgres"));
    let places = ["one", "two"].map(|name| folder.path().join(name));
    places.iter().try_for_each(std::fs::create_dir)?;
    let one = Server::start_with(binary, &places[0], &configuration)?;
    let two = one.start_beside(&places[1], &configuration)?;
    one.put_policy(POLICY)?;
    let user = Request::new("POST", "/v1/user").body("application/json", r#"{"user":{"user_id":"rui"}}"#);
    one.send(user)?.expect_status(200)?;
    let (mut writer, mut reader) = (Client::new(one.address()), Client::new(two.address()));
    let mut times = Vec::new();
    for change in 0..=CHANGES {
        let (roles, status) = if change % 2 == 0 { (r#"{"roles":["reader"]}"#, 200) } else { (r#"{"roles":[]}"#, 403) };
        let put = Request::new("PUT", "/v1/user/rui/roles").body("application/json", roles);
        writer.send(&put.bearer(one.admin_token()))?.expect_status(200)?;
        let answered = Instant::now();
        while reader.send(&question())?.status != status {
            ensure!(answered.elapsed() < TIMEOUT, "a change did not come within {TIMEOUT:?}");
        }
        // The policy comes with the first one.
        if change > 0 {
            times.push(answered.elapsed().as_secs_f64() * 1e3);
        }
    }
    let mut table = String::from("| changes | median | p99 | worst |\n|---|---|---|---|\n");
    let [median, p99, worst] = [0.5, 0.99, 1.0].map(|share| quantile(&mut times, share));
    writeln!(table, "| {CHANGES} | {median:.0} ms | {p99:.0} ms | {worst:.0} ms |")?;
    Ok(table)
}

fn question() -> Request {
    let said = [
        ("x-caller-userid", "rui"),
        ("x-forwarded-method", "GET"),
        ("x-forwarded-host", "api.example.org"),
        ("x-forwarded-uri", "/items"),
    ];
    said.into_iter().fold(Request::get("/v1/allow"), |request, (name, value)| request.header(name, value))
}
