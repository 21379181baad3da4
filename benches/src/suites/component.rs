//! One decision through wasmtime, in each form of a call, beside the same decision by the linked core.

use std::fmt::Write;

use anyhow::{Result, ensure};

use super::Settings;
use crate::engines::calls::{self, Call};
use crate::engines::{Engine, Ours, bundle};
use crate::measure::{self, Subject, Times};
use crate::report;
use crate::workload::{PAYMENTS, Question, REQUESTS, Workload, asks, payments};

/// Of these the answers are compared.
const COMPARED: usize = 20_000;

/// W(N).
pub fn run(settings: &Settings) -> Result<String> {
    let mut table = String::from("| N | call | median per decision | p99 per decision | to native |\n");
    table.push_str("|---|---|---|---|---|\n");
    for &rules in &settings.rules {
        let workload = Workload::new(rules);
        let asks = asks(&workload, REQUESTS);
        let bundle = bundle(&workload.document())?;
        drop(workload);
        for row in measure(bundle, &asks, &Call::ALL, settings.rounds)? {
            writeln!(table, "| {rules} {row}")?;
        }
    }
    Ok(table)
}

/// One rule whose condition reads five properties.
pub fn conditions(settings: &Settings) -> Result<String> {
    let mut table = String::from("| call | median per decision | p99 per decision | to native |\n|---|---|---|---|\n");
    let singles = Call::ALL.into_iter().filter(|call| !call.is_batch()).collect::<Vec<_>>();
    for row in measure(bundle(PAYMENTS)?, &payments(REQUESTS), &singles, settings.rounds)? {
        writeln!(table, "{row}")?;
    }
    Ok(table)
}

/// A row of a table for the linked core and for each call.
fn measure<Q: Question>(bundle: Vec<u8>, asks: &[Q], calls: &[Call], rounds: usize) -> Result<Vec<String>> {
    let mut called = calls::open(&bundle, calls)?;
    let mut native: Box<dyn Engine> = Box::new(Ours::open(bundle)?);
    let mut subjects: Vec<&mut dyn Subject<Q>> = vec![&mut native];
    subjects.extend(called.iter_mut().map(|called| called.as_mut() as &mut dyn Subject<Q>));
    let names: Vec<&str> = ["linked core"].into_iter().chain(calls.iter().map(|call| call.what())).collect();
    for (name, subject) in names.iter().zip(&mut subjects) {
        compare(name, *subject, &asks[..COMPARED])?;
    }
    let times = measure::times(&mut subjects, asks, rounds);
    let row = |(name, Times { median, p99 }): (&&str, &Times)| {
        let ratio = report::ratio(*median, Some(times[0].median));
        format!("| {name} | {} | {} | {ratio} |", report::time(*median), report::time(*p99))
    };
    Ok(names.iter().zip(&times).map(row).collect())
}

/// A call that allows more or fewer than it should ends the run.
fn compare<Q: Question>(name: &str, subject: &mut dyn Subject<Q>, asks: &[Q]) -> Result<()> {
    subject.prepare(asks);
    let at_once = subject.at_once();
    for (call, of_call) in asks.chunks_exact(at_once).enumerate() {
        let allowed = subject.decide(asks, call * at_once);
        let expected = of_call.iter().filter(|ask| ask.is_allowed()).count();
        ensure!(allowed == expected, "{name} allows {allowed}, right is {expected}, of {of_call:?}");
    }
    Ok(())
}
