//! From text to a policy that decides: compiling, and opening what was compiled.
//!
//! Compiling runs in a process of its own, so that its peak of memory is its own.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use portcullis_core::Policy;
use sha2::{Digest, Sha256};

use super::Settings;
use crate::engines::bundle;
use crate::measure::quantile;
use crate::workload::Workload;

/// How often a bundle is opened and hashed, in turns.
const OPENINGS: usize = 9;

/// What the child needs to know.
#[derive(Clone, Debug, clap::Args)]
pub struct Job {
    document: PathBuf,
    bundle: PathBuf,
}

pub fn run(settings: &Settings) -> Result<String> {
    let mut table = String::from(
        "| N | document MiB | compile s | rules/s | peak RSS MiB | without the document | bundle bytes/rule \
         | SHA-256 ms | open ms | open without hashing ms |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for &rules in &settings.rules {
        let folder = tempfile::tempdir()?;
        let [document, bundle] = ["document", "bundle"].map(|name| folder.path().join(name));
        let text = Workload::new(rules).document();
        let document_bytes = text.len();
        fs::write(&document, text)?;
        let compiled = compile(&Job { document, bundle: bundle.clone() })?;
        let bytes = fs::read(&bundle)?;
        let (hash, open) = open(&bytes)?;
        let per_rule = bytes.len() as f64 / rules as f64;
        let Compiled { seconds, peak_kib, before_kib } = compiled;
        let (peak, own) = (peak_kib / 1024.0, (peak_kib - before_kib) / 1024.0);
        let (mib, rate) = (document_bytes as f64 / f64::from(1 << 20), rules as f64 / seconds);
        write!(table, "| {rules} | {mib:.1} | {seconds:.3} | {rate:.0} | {peak:.0} | {own:.0} | {per_rule:.1} ")?;
        writeln!(table, "| {hash:.2} | {open:.2} | {:.2} |", open - hash)?;
    }
    Ok(table)
}

struct Compiled {
    seconds: f64,
    peak_kib: f64,
    /// Of the process when the document was read.
    before_kib: f64,
}

fn compile(job: &Job) -> Result<Compiled> {
    let mut child = Command::new(std::env::current_exe()?);
    let output = child.arg("compile-one").args([&job.document, &job.bundle]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    let text = String::from_utf8(output.stdout)?;
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [seconds, peak_kib, before_kib] = numbers[..] else { anyhow::bail!("the child said `{text}`") };
    Ok(Compiled { seconds, peak_kib, before_kib })
}

/// The child: compiles, and says how long it took and how much memory.
pub fn child(job: &Job) -> Result<()> {
    let document = fs::read_to_string(&job.document)?;
    let before_kib = peak_kib()?;
    let started = Instant::now();
    let bytes = bundle(&document)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{seconds} {} {before_kib}", peak_kib()?);
    Ok(fs::write(&job.bundle, bytes)?)
}

/// The most memory this process ever had.
fn peak_kib() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}

/// Milliseconds to hash the bytes, and to open them, which hashes them too; medians.
fn open(bytes: &[u8]) -> Result<(f64, f64)> {
    let (mut hashes, mut openings) = (Vec::new(), Vec::new());
    for _ in 0..OPENINGS {
        let started = Instant::now();
        std::hint::black_box(Sha256::digest(bytes));
        hashes.push(started.elapsed().as_secs_f64() * 1e3);
        let bytes = bytes.to_vec();
        let started = Instant::now();
        let policy = Policy::open(bytes)?;
        openings.push(started.elapsed().as_secs_f64() * 1e3);
        drop(policy);
    }
    Ok((quantile(&mut hashes, 0.5), quantile(&mut openings, 0.5)))
}
