//! Processor time of Envoy per request: no filter, an empty one, ours, Envoy's RBAC, a question to our server.
//!
//! All stand ready at once and have short turns, so that what else the machine does falls on all of them, and are
//! started anew some times.

use std::fmt::Write;

use anyhow::Result;
use portcullis_artifacts::{EMPTY_FILTER_PATH, ENVOY_FILTER_PATH};
use portcullis_rig::{Client, EnvoySetup, Request, Server, Upstream, token};

use super::fronts::{self, Ours};
use super::{Programs, Stand, process};
use crate::measure::quantile;
use crate::suites::load::{self, Pace, Until};
use crate::workload::Workload;

const CONNECTIONS: usize = 8;
/// Requests of one turn whose cost is counted: each connection asks when it has its answer.
const COUNTED: usize = 4_000;
/// Requests of one turn whose latency is taken, and how many of them begin in a second.
const TIMED: usize = 500;
const PER_SECOND: f64 = 1_000.0;
/// Enough that V8 has compiled what is called often, and that tokens are known; after 4,000 requests of an Envoy just
/// started it took more.
const WARM: usize = 20_000;
/// Rules of the policy that the server decides by, and of the rows that are no comparison of sizes.
const RULES: usize = 10_000;

/// How often everything is started anew: where a process happens to lie in memory is worth some microseconds.
const STARTS: usize = 4;

struct Row {
    /// Whose processor time counts.
    pids: Vec<u32>,
    clients: Vec<Client>,
    requests: Vec<Request>,
    measured: Measured,
}

struct Measured {
    what: String,
    /// Nanoseconds per request, one of each turn.
    costs: Vec<f64>,
    /// Of single requests, ns.
    latencies: Vec<f64>,
}

impl Measured {
    /// Those of another start.
    fn add(&mut self, other: Self) {
        self.costs.extend(other.costs);
        self.latencies.extend(other.latencies);
    }
}

pub fn run(programs: &Programs, rounds: usize) -> Result<String> {
    let upstream = Upstream::start()?;
    let policies = [100, RULES, 100_000].map(|rules| Ours::new(rules).map(|ours| (rules, ours)));
    let policies = policies.into_iter().collect::<Result<Vec<_>>>()?;
    let checking = Ours::checking_bodies(RULES)?;
    let starts = STARTS.min(rounds);
    let mut all: Vec<Measured> = Vec::new();
    for start in 0..starts {
        let folder = tempfile::tempdir()?;
        let server = asked_server(programs, folder.path())?;
        let (_stands, mut rows) = stand_up(programs, &upstream, &policies, &checking, &server)?;
        rows.iter_mut().try_for_each(|row| row.send(WARM, Pace::Unbounded).map(drop))?;
        for round in (start..rounds).step_by(starts) {
            eprintln!("edge-cost: round {} of {rounds}, start {} of {starts}", round / starts + 1, start + 1);
            rows.iter_mut().try_for_each(Row::turn)?;
        }
        if all.is_empty() {
            all = rows.into_iter().map(|row| row.measured).collect();
        } else {
            all.iter_mut().zip(rows).for_each(|(all, row)| all.add(row.measured));
        }
    }
    table(&mut all)
}

fn stand_up(
    programs: &Programs,
    upstream: &Upstream,
    policies: &[(usize, Ours)],
    checking: &Ours,
    server: &Server,
) -> Result<(Vec<Stand>, Vec<Row>)> {
    let mut stands = Vec::new();
    let mut rows = Vec::new();
    let mut add = |what: &str, setup: &EnvoySetup, requests: Vec<Request>, beside: Option<u32>| -> Result<()> {
        let stand = Stand::start(programs, setup)?;
        stand.envoy.wait_for_policy()?;
        rows.push(Row::new(what, &stand, requests, beside));
        stands.push(stand);
        Ok(())
    };
    let (_, middle) = &policies[1];

    add("no filter", &fronts::without(upstream, vec![]), middle.requests.clone(), None)?;
    let empty = fronts::empty(EMPTY_FILTER_PATH);
    add("an empty wasm filter", &fronts::without(upstream, vec![empty]), middle.requests.clone(), None)?;
    let filter = ENVOY_FILTER_PATH.as_ref();
    for (rules, ours) in policies {
        let setup = ours.setup(filter, upstream);
        add(&format!("ours, {rules} rules, no token"), &setup, fronts::open_requests(), None)?;
        let what = format!("ours, {rules} rules, token verified by the filter");
        add(&what, &setup, ours.requests.clone(), None)?;
    }
    let [plain, checked] = fronts::order_requests();
    add("ours, a body of 1 KB, no validation", &checking.setup(filter, upstream), plain, None)?;
    add("ours, a body of 1 KB, validated", &checking.setup(filter, upstream), checked, None)?;
    for policies in [100, 1_000] {
        let (filter, requests) = fronts::rbac(policies);
        add(&format!("Envoy RBAC, {policies} policies"), &fronts::without(upstream, vec![filter]), requests, None)?;
    }
    let edge = server.create_edge("bench")?;
    let setup = EnvoySetup {
        asks_server: true,
        ..EnvoySetup::new("".as_ref(), upstream.address(), server.address(), &edge, server.bundle_key())
    };
    let what = "ext_authz over HTTP to our server, 10,000 rules, both processes";
    add(what, &setup, middle.requests.clone(), Some(server.pid()))?;
    Ok((stands, rows))
}

/// A server that decides by W(10,000) and verifies the tokens itself.
fn asked_server(programs: &Programs, folder: &std::path::Path) -> Result<Server> {
    let keys = folder.join("jwks.json");
    std::fs::write(&keys, token::jwks())?;
    let (issuer, audience) = (token::ISSUER, token::AUDIENCE);
    let configuration = format!(
        "trusted_proxies = [\"127.0.0.1\"]\n[[issuers]]\nissuer = \"{issuer}\"\naudience = \"{audience}\"\n\
         jwks_file = {keys:?}\n"
    );
    let server = Server::start_with(&programs.server, folder, &configuration)?;
    server.put_policy(&fronts::policy(&Workload::new(RULES)))?;
    Ok(server)
}

impl Row {
    fn new(what: &str, stand: &Stand, requests: Vec<Request>, beside: Option<u32>) -> Self {
        Self {
            pids: [Some(stand.envoy.pid()), beside].into_iter().flatten().collect(),
            clients: (0..CONNECTIONS).map(|_| stand.envoy.client()).collect(),
            requests,
            measured: Measured { what: what.to_owned(), costs: Vec::new(), latencies: Vec::new() },
        }
    }

    fn send(&mut self, count: usize, pace: Pace) -> Result<Vec<f64>> {
        load::run(&mut self.clients, &self.requests, pace, &Until::Requests(count))
    }

    fn turn(&mut self) -> Result<()> {
        let before = self.ran_ns()?;
        self.send(COUNTED, Pace::Unbounded)?;
        self.measured.costs.push((self.ran_ns()? - before) / COUNTED as f64);
        let latencies = self.send(TIMED, Pace::PerSecond(PER_SECOND))?;
        self.measured.latencies.extend(latencies);
        Ok(())
    }

    fn ran_ns(&self) -> Result<f64> {
        self.pids.iter().map(|&pid| process::ran_ns(pid)).sum()
    }
}

fn table(rows: &mut [Measured]) -> Result<String> {
    let mut table = String::from(
        "| before the upstream | us per request, minimum | above no filter: minimum | above no filter: median of pairs \
         | latency median | latency p99 |\n|---|---|---|---|---|---|\n",
    );
    let reference = rows[0].costs.clone();
    let least = |costs: &[f64]| costs.iter().copied().fold(f64::INFINITY, f64::min);
    for Measured { what, costs, latencies } in rows {
        let mut pairs: Vec<f64> = costs.iter().zip(&reference).map(|(cost, none)| cost - none).collect();
        let above = [least(costs) - least(&reference), quantile(&mut pairs, 0.5)].map(|above| above / 1e3);
        let [p50, p99] = [0.5, 0.99].map(|part| quantile(latencies, part) / 1e6);
        let minimum = least(costs) / 1e3;
        writeln!(table, "| {what} | {minimum:.1} | {:.1} | {:.1} | {p50:.2} ms | {p99:.2} ms |", above[0], above[1])?;
    }
    Ok(table)
}
