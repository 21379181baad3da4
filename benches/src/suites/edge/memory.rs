//! Memory of Envoy: what each worker adds with a policy, and whether a million requests leave anything behind.
//!
//! Resident memory (`VmRSS`) of the process: V8's heaps, its compiled code, and the memories of the modules.

use std::fmt::Write;

use anyhow::Result;
use portcullis_artifacts::ENVOY_FILTER_PATH;
use portcullis_rig::{Client, EnvoySetup, Request, Upstream};

use super::fronts::{self, Ours};
use super::{Programs, Stand, process};
use crate::suites::load::{self, Pace, Until};

/// Workers of the larger Envoy; the other one has one.
const WORKERS: u32 = 5;
/// So many that each worker has some of them.
const CONNECTIONS: usize = 40;
const REQUESTS: usize = 4_000;
/// Of each Envoy; the least counts.
const STARTS: usize = 3;
const MILLION: usize = 1_000_000;
/// Before it is looked whether memory grows.
const WARM: usize = 300_000;
/// Looks within the million.
const LOOKS: usize = 5;
const GROWTH_RULES: usize = 10_000;

pub fn run(programs: &Programs) -> Result<String> {
    let upstream = Upstream::start()?;
    let mut table =
        String::from("| rules | bundle MiB | one worker MiB | each further worker MiB |\n|---|---|---|---|\n");
    let plain = fronts::without(&upstream, vec![]);
    let [none_one, none_each] = sizes(programs, &plain, &fronts::open_requests())?;
    writeln!(table, "| no filter | - | {none_one:.1} | {none_each:.2} |")?;
    for rules in [1_000, 10_000, 100_000] {
        let ours = Ours::new(rules)?;
        let setup = ours.setup(ENVOY_FILTER_PATH.as_ref(), &upstream);
        let [one, each] = sizes(programs, &setup, &ours.requests)?;
        let (bundle, one, each) = (ours.bundle_bytes as f64 / f64::from(1 << 20), one - none_one, each - none_each);
        writeln!(table, "| {rules} | {bundle:.2} | +{one:.1} | +{each:.2} |")?;
    }
    let growth = growth(programs, &upstream)?;
    let looks = growth.iter().map(|(sent, mib)| format!("{mib:.1} after {sent}")).collect::<Vec<_>>().join(", ");
    writeln!(table, "\nTwo workers, {GROWTH_RULES} rules, a token in each request; MiB: {looks}.")?;
    Ok(table)
}

/// MiB with one worker, and what each further one adds.
fn sizes(programs: &Programs, setup: &EnvoySetup, requests: &[Request]) -> Result<[f64; 2]> {
    let size = |workers| -> Result<f64> {
        let sizes = (0..STARTS).map(|_| {
            let stand = Stand::start(programs, &EnvoySetup { workers, ..setup.clone() })?;
            stand.envoy.wait_for_policy()?;
            send(&mut clients(&stand), requests, REQUESTS)?;
            process::resident_mib(stand.envoy.pid())
        });
        Ok(sizes.collect::<Result<Vec<_>>>()?.into_iter().fold(f64::INFINITY, f64::min))
    };
    let (one, many) = (size(1)?, size(WORKERS)?);
    Ok([one, (many - one) / f64::from(WORKERS - 1)])
}

/// Requests sent since the warming, and MiB.
fn growth(programs: &Programs, upstream: &Upstream) -> Result<Vec<(usize, f64)>> {
    let ours = Ours::new(GROWTH_RULES)?;
    let setup = EnvoySetup { workers: 2, ..ours.setup(ENVOY_FILTER_PATH.as_ref(), upstream) };
    let stand = Stand::start(programs, &setup)?;
    stand.envoy.wait_for_policy()?;
    let mut clients = clients(&stand);
    send(&mut clients, &ours.requests, WARM)?;
    let mut looks = vec![(0, process::resident_mib(stand.envoy.pid())?)];
    for look in 1..=LOOKS {
        send(&mut clients, &ours.requests, MILLION / LOOKS)?;
        looks.push((MILLION / LOOKS * look, process::resident_mib(stand.envoy.pid())?));
        eprintln!("edge-memory: {looks:?}");
    }
    Ok(looks)
}

fn clients(stand: &Stand) -> Vec<Client> {
    (0..CONNECTIONS).map(|_| stand.envoy.client()).collect()
}

fn send(clients: &mut [Client], requests: &[Request], count: usize) -> Result<()> {
    load::run(clients, requests, Pace::Unbounded, &Until::Requests(count)).map(drop)
}
