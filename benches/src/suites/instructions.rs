//! Instructions of one decision, counted by callgrind: no noise, but no cache misses either.
//!
//! A child process under valgrind decides; it counts only inside `counted`. The bundle and the requests come to it as
//! files, because compiling a million rules under valgrind would take longer than anybody waits.

use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use portcullis_core::Request;

use super::Settings;
#[cfg(feature = "component")]
use crate::engines::calls::{self, Call};
use crate::engines::{Engine, Ours, Trie, bundle};
#[cfg(feature = "component")]
use crate::measure::Subject;
use crate::report;
use crate::workload::{Ask, Question, Workload, asks, text};

/// Requests that are counted.
const REQUESTS: usize = 10_000;

/// What the child under valgrind needs to know.
#[derive(Clone, Debug, clap::Args)]
pub struct Job {
    /// `ours`, `trie`, or the name of a way into wasmtime
    engine: String,
    rules: usize,
    bundle: PathBuf,
    requests: PathBuf,
}

pub fn run(settings: &Settings) -> Result<String> {
    let native = [("ours", "linked core"), ("trie", "trie")];
    let columns: Vec<(&str, &str)> =
        native.into_iter().chain(calls().filter(|(name, _)| settings.is_chosen(name))).collect();
    let mut table = String::from("| N |");
    columns.iter().try_for_each(|(_, what)| write!(table, " {what} |"))?;
    writeln!(table, " linked core to trie |\n|{}", "---|".repeat(columns.len() + 2))?;
    for &rules in &settings.rules {
        let folder = tempfile::tempdir()?;
        let [bundle_file, requests] = ["bundle", "requests"].map(|name| folder.path().join(name));
        {
            let workload = Workload::new(rules);
            fs::write(&requests, text::write(&asks(&workload, REQUESTS)))?;
            fs::write(&bundle_file, bundle(&workload.document())?)?;
        }
        let mut counts = Vec::new();
        write!(table, "| {rules} |")?;
        for (engine, _) in &columns {
            let (engine, bundle, requests) = ((*engine).to_owned(), bundle_file.clone(), requests.clone());
            let count = callgrind(&Job { engine, rules, bundle, requests }, folder.path())?;
            write!(table, " {count} |")?;
            counts.push(count as f64);
        }
        writeln!(table, " {} |", report::ratio(counts[0], Some(counts[1])))?;
    }
    Ok(table)
}

/// Names of the ways into wasmtime, and what they are.
fn calls() -> impl Iterator<Item = (&'static str, &'static str)> {
    #[cfg(feature = "component")]
    return Call::ALL.into_iter().map(|call| (call.name(), call.what()));
    #[cfg(not(feature = "component"))]
    return std::iter::empty();
}

/// Instructions per decision.
fn callgrind(job: &Job, folder: &Path) -> Result<u64> {
    let output = folder.join(format!("callgrind.{}", job.engine));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--toggle-collect=*instructions*counted*"]);
    valgrind.arg(format!("--callgrind-out-file={}", output.display()));
    valgrind.arg(std::env::current_exe()?).args(["count", &job.engine, &job.rules.to_string()]);
    let status = valgrind.args([&job.bundle, &job.requests]).status().context("valgrind does not start")?;
    ensure!(status.success(), "valgrind ended with {status}");
    let text = fs::read_to_string(&output)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    let total: u64 = total.context("callgrind says no total")?.trim().parse()?;
    ensure!(total > 0, "callgrind saw no decision");
    Ok(total / REQUESTS as u64)
}

/// The child: decides each request once to warm up, and once counted.
pub fn child(job: &Job) -> Result<()> {
    let asks = text::read(&fs::read_to_string(&job.requests)?)?;
    let expected = asks.iter().filter(|ask| ask.allowed).count();
    let allowed = match job.engine.as_str() {
        "ours" => twice(&mut Ours::open(fs::read(&job.bundle)?)?, &asks),
        "trie" => twice(&mut Trie::new(&Workload::new(job.rules).rules), &asks),
        call => twice_through_wasmtime(call, &fs::read(&job.bundle)?, &asks)?,
    };
    ensure!(allowed == [expected; 2], "{} allows {allowed:?}, right is {expected}", job.engine);
    Ok(())
}

/// How many requests are allowed, not counted and counted.
fn twice(engine: &mut dyn Engine, asks: &[Ask]) -> [usize; 2] {
    let requests: Vec<Request<'_>> = asks.iter().map(Ask::request).collect();
    let allowed = requests.iter().filter(|request| engine.decide(request)).count();
    [allowed, counted(engine, &requests)]
}

/// Callgrind collects here and in what this calls.
#[inline(never)]
fn counted(engine: &mut dyn Engine, requests: &[Request<'_>]) -> usize {
    requests.iter().filter(|request| engine.decide(black_box(request))).count()
}

#[cfg(feature = "component")]
fn twice_through_wasmtime(call: &str, bundle: &[u8], asks: &[Ask]) -> Result<[usize; 2]> {
    let call = Call::ALL.into_iter().find(|known| known.name() == call).context("no such engine")?;
    let mut called = calls::open(bundle, &[call])?;
    let subject = called.first_mut().context("nothing is open")?;
    subject.prepare(asks);
    let calls = (0..asks.len()).step_by(subject.at_once());
    let allowed = calls.map(|at| subject.decide(asks, at)).sum();
    Ok([allowed, counted_calls(subject.as_mut(), asks)])
}

/// As `counted`.
#[cfg(feature = "component")]
#[inline(never)]
fn counted_calls(subject: &mut dyn Subject<Ask>, asks: &[Ask]) -> usize {
    (0..asks.len()).step_by(subject.at_once()).map(|at| subject.decide(asks, at)).sum()
}

#[cfg(not(feature = "component"))]
fn twice_through_wasmtime(call: &str, _bundle: &[u8], _asks: &[Ask]) -> Result<[usize; 2]> {
    anyhow::bail!("no engine `{call}` in this build")
}
