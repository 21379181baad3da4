//! How soon a change takes effect: from the answer of the API to the first refusal on every worker, under load.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, ensure};
use portcullis_artifacts::ENVOY_FILTER_PATH;
use portcullis_rig::{Client, Envoy, EnvoySetup, Request, Server, Upstream, http, token};
use serde_json::{Value, json};

use super::{Programs, Stand, fronts};
use crate::measure::quantile;
use crate::suites::load::{self, Pace, Until};

const WORKERS: usize = 2;
const TIMES: usize = 100;
/// Requests a second beside the changes.
const LOAD: f64 = 500.0;
const LOAD_CONNECTIONS: usize = 8;
/// Between two questions on one connection.
const PAUSE: Duration = Duration::from_millis(1);
/// After this a change has no effect.
const TOO_LATE: Duration = Duration::from_secs(20);
/// Further answers of each worker that must be refusals too.
const AFTER: usize = 5;

#[derive(Clone, Copy)]
enum Change {
    Ban,
    Rule,
    Restriction,
}

pub fn run(programs: &Programs) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&programs.server, folder.path())?;
    let upstream = Upstream::start()?;
    server.put_policy(&document(Change::Rule, 0))?;
    let edge = server.create_edge("bench")?;
    let setup = EnvoySetup {
        workers: WORKERS as u32,
        jwt_authn: false,
        more: json!({"issuers": fronts::issuers()}),
        ..EnvoySetup::new(ENVOY_FILTER_PATH.as_ref(), upstream.address(), server.address(), &edge, server.bundle_key())
    };
    let stand = Stand::start(programs, &setup)?;
    stand.envoy.wait_for_policy()?;
    let mut pinned = one_on_each_worker(&stand.envoy)?;

    let stopped = AtomicBool::new(false);
    let rows = thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut clients: Vec<Client> = (0..LOAD_CONNECTIONS).map(|_| stand.envoy.client()).collect();
            let requests = [Request::get("/steady").bearer(&token_of("steady"))];
            load::run(&mut clients, &requests, Pace::PerSecond(LOAD), &Until::Stopped(&stopped))
        });
        let rows = [
            ("a user is banned", Change::Ban),
            ("a rule is added", Change::Rule),
            ("an address is blacklisted", Change::Restriction),
        ]
        .into_iter()
        .map(|(what, change)| row(what, change, &server, &mut pinned));
        let rows: Result<Vec<String>> = rows.collect();
        stopped.store(true, Ordering::Relaxed);
        let sent = load.join().map_err(|_| anyhow!("the load panicked"))??.len();
        eprintln!("edge-change: {sent} requests of the load, all answered 200");
        rows
    })?;
    let mut table = String::from("| change | times | p50 | p99 | worst |\n|---|---|---|---|---|\n");
    rows.iter().try_for_each(|row| writeln!(table, "{row}"))?;
    Ok(table)
}

fn row(what: &str, change: Change, server: &Server, pinned: &mut [Client]) -> Result<String> {
    let mut times = (1..=TIMES).map(|number| one(change, number, server, pinned)).collect::<Result<Vec<_>>>()?;
    let [p50, p99, worst] = [0.5, 0.99, 1.0].map(|part| quantile(&mut times, part));
    Ok(format!("| {what} | {TIMES} | {p50:.1} ms | {p99:.1} ms | {worst:.1} ms |"))
}

/// Milliseconds until the last worker refuses; 0 is before the API had answered.
fn one(change: Change, number: usize, server: &Server, pinned: &mut [Client]) -> Result<f64> {
    let (probe, write) = match change {
        Change::Ban => {
            let id = format!("u{number}");
            server.create_user(&id, &[])?;
            let ban = Request::new("PATCH", &format!("/directory/users/{id}")).json(&json!({"state": "banned"}));
            (Request::get("/a").bearer(&token_of(&id)), ban)
        }
        Change::Rule | Change::Restriction => {
            let body = document(change, number);
            let write = Request::new("PUT", "/policy/document").body("application/json", body);
            let target = if matches!(change, Change::Rule) { format!("/r{number}") } else { "/a".to_owned() };
            let probe = Request::get(&target).header("x-forwarded-for", &format!("203.0.113.{number}"));
            (probe.bearer(&token_of("steady")), write)
        }
    };
    for client in &mut *pinned {
        let response = client.send(&probe)?;
        ensure!(response.status == 200, "before the change: {} {}", response.status, response.text());
    }
    thread::scope(|scope| {
        let probe = &probe;
        let refusals: Vec<_> = pinned.iter_mut().map(|client| scope.spawn(|| first_refusal(client, probe))).collect();
        let response = server.send(write)?;
        let answered = Instant::now();
        ensure!(response.status == 200, "{}: {}", response.status, response.text());
        let mut last = 0.0_f64;
        for refusal in refusals {
            let refused = refusal.join().map_err(|_| anyhow!("a probe panicked"))??;
            last = last.max(refused.saturating_duration_since(answered).as_secs_f64() * 1e3);
        }
        Ok(last)
    })
}

/// When the connection was first refused; none of its requests passes after that.
fn first_refusal(client: &mut Client, probe: &Request) -> Result<Instant> {
    let begin = Instant::now();
    while client.send(probe)?.status == 200 {
        ensure!(begin.elapsed() < TOO_LATE, "the change has no effect after {TOO_LATE:?}");
        thread::sleep(PAUSE);
    }
    let refused = Instant::now();
    for _ in 0..AFTER {
        let status = client.send(probe)?.status;
        ensure!(matches!(status, 401 | 403 | 423), "{status} after a refusal");
    }
    Ok(refused)
}

/// Everybody with the role may do everything, but for what the first `number` changes took away.
fn document(change: Change, number: usize) -> String {
    let mut rules = vec![json!({
        "id": "all", "effect": "allow", "who": {"roles": ["staff"]}, "target": {"path": {"under": "/"}},
    })];
    let mut restrictions = Vec::new();
    let numbers = 1..=number;
    match change {
        Change::Restriction => restrictions.extend(numbers.map(|number| {
            json!({
                "id": format!("b{number}"), "category": "blacklist", "scope": "ip",
                "value": format!("203.0.113.{number}"), "code": 423,
            })
        })),
        Change::Ban | Change::Rule => rules.extend(numbers.map(|number| {
            json!({
                "id": format!("r{number}"), "effect": "deny", "who": {"anyone": true},
                "target": {"path": {"exact": format!("/r{number}")}},
            })
        })),
    }
    json!({"version": 1, "roles": {"staff": {}}, "rules": rules, "restrictions": restrictions}).to_string()
}

/// Issued before anything here happens.
fn token_of(subject: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    token::mint(json!({"sub": subject, "roles": ["staff"], "iat": now.saturating_sub(60)}))
}

/// A connection to each worker, found by Envoy's count of connections per worker.
fn one_on_each_worker(envoy: &Envoy) -> Result<Vec<Client>> {
    let mut on: Vec<Option<Client>> = (0..WORKERS).map(|_| None).collect();
    let mut before = connections(envoy)?;
    // Those for workers that have one already stay open meanwhile.
    let mut spare = Vec::new();
    for _ in 0..200 {
        let mut client = envoy.client();
        client.send(&Request::get("/"))?;
        let after = connections(envoy)?;
        let more = (0..WORKERS).find(|&worker| after[worker] > before[worker]);
        let worker = more.with_context(|| format!("no worker took a connection: {before:?}, {after:?}"))?;
        match &mut on[worker] {
            place @ None => *place = Some(client),
            Some(_) => spare.push(client),
        }
        if on.iter().all(Option::is_some) {
            return Ok(on.into_iter().flatten().collect());
        }
        before = after;
    }
    Err(anyhow!("a worker gets no connections"))
}

/// Open connections of each worker.
fn connections(envoy: &Envoy) -> Result<Vec<u64>> {
    let stats = http::send(envoy.admin(), &Request::get("/stats?filter=worker_.*downstream_cx_active&format=json"))?;
    let stats: Value = stats.expect_status(200)?.json()?;
    let stats = stats["stats"].as_array().context("no stats")?;
    let of_worker = |worker: usize| {
        let end = format!(".worker_{worker}.downstream_cx_active");
        let is_it = |stat: &&Value| {
            stat["name"].as_str().is_some_and(|name| name.starts_with("listener.127") && name.ends_with(&end))
        };
        stats.iter().find(is_it).and_then(|stat| stat["value"].as_u64()).with_context(|| format!("no {end}: {stats:?}"))
    };
    (0..WORKERS).map(of_worker).collect()
}
