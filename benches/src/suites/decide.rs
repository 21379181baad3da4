//! One native decision: ours, the baseline by hand, and peers, on the same requests in the same run.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Settings;
use crate::engines::{Engine, KINDS, Kind};
use crate::measure::{self, Subject, Times};
use crate::report;
use crate::workload::{Ask, Question, REQUESTS, Workload, asks};

/// How long the answers of one engine are compared before it is timed.
const COMPARE: Duration = Duration::from_secs(10);

pub fn run(settings: &Settings) -> Result<String> {
    let mut table = String::from("| N | engine | median | p99 | to the trie | to portcullis | answers compared |\n");
    table.push_str("|---|---|---|---|---|---|---|\n");
    for &rules in &settings.rules {
        measure(&mut table, settings, rules)?;
    }
    Ok(table)
}

fn measure(table: &mut String, settings: &Settings, rules: usize) -> Result<()> {
    let workload = Workload::new(rules);
    let asks = asks(&workload, REQUESTS);
    let kinds: Vec<&Kind> =
        KINDS.iter().filter(|kind| settings.is_chosen(kind.name) && rules <= kind.most_rules).collect();
    let mut engines: Vec<Box<dyn Engine>> = Vec::new();
    let mut compared = Vec::new();
    for kind in &kinds {
        let started = Instant::now();
        let mut engine = (kind.build)(&workload)?;
        eprintln!("{rules} rules: {} built in {:.1} s", kind.name, started.elapsed().as_secs_f64());
        compared.push(compare(kind.name, engine.as_mut(), &asks)?);
        engines.push(engine);
    }
    let mut subjects: Vec<&mut dyn Subject<Ask>> = engines.iter_mut().map(|engine| engine as _).collect();
    let times = measure::times(&mut subjects, &asks, settings.rounds);
    let median = |name| kinds.iter().position(|kind| kind.name == name).map(|at| times[at].median);
    let references = [median("trie"), median("ours")];
    for ((kind, times), compared) in kinds.iter().zip(&times).zip(compared) {
        let Times { median, p99 } = *times;
        let [to_trie, to_ours] = references.map(|reference| report::ratio(median, reference));
        let (what, median, p99) = (kind.what, report::time(median), report::time(p99));
        writeln!(table, "| {rules} | {what} | {median} | {p99} | {to_trie} | {to_ours} | {compared} |")?;
    }
    Ok(())
}

/// How many answers were compared; a wrong one ends the run.
fn compare(name: &str, engine: &mut dyn Engine, asks: &[Ask]) -> Result<usize> {
    let started = Instant::now();
    let mut compared = 0;
    for ask in asks {
        let allowed = engine.decide(&ask.request());
        ensure!(allowed == ask.allowed, "{name} answers {allowed}, right is {}: {ask:?}", ask.allowed);
        compared += 1;
        if started.elapsed() > COMPARE {
            break;
        }
    }
    Ok(compared)
}
