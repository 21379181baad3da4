//! One decision through wasmtime, in each form of a call, beside the same decision by the linked core.

use std::fmt::Write;

use anyhow::{Result, ensure};

use super::Settings;
use crate::engines::component::{Component, Form, slot};
use crate::engines::{Engine, Ours, bundle};
use crate::measure::{self, Subject, Times};
use crate::report;
use crate::workload::{Ask, REQUESTS, Workload, asks};

/// Of these the answers are compared.
const COMPARED: usize = 20_000;

pub fn run(settings: &Settings) -> Result<String> {
    let mut table = String::from("| N | call | median per decision | p99 per decision | to native |\n");
    table.push_str("|---|---|---|---|---|\n");
    for &rules in &settings.rules {
        let workload = Workload::new(rules);
        let asks = asks(&workload, REQUESTS);
        let bundle = bundle(&workload.document())?;
        drop(workload);
        let slot = slot(bundle.clone())?;
        let mut native: Box<dyn Engine> = Box::new(Ours::open(bundle)?);
        let mut components = Form::ALL.map(|form| Component::new(slot.clone(), form));
        for component in &mut components {
            compare(component, &asks[..COMPARED])?;
        }
        let mut subjects: Vec<&mut dyn Subject> = vec![&mut native];
        subjects.extend(components.iter_mut().map(|component| component as &mut dyn Subject));
        let times = measure::times(&mut subjects, &asks, settings.rounds);
        let names = ["linked core"].into_iter().chain(Form::ALL.map(Form::what));
        for (name, Times { median, p99 }) in names.zip(&times) {
            let ratio = report::ratio(*median, Some(times[0].median));
            writeln!(table, "| {rules} | {name} | {} | {} | {ratio} |", report::time(*median), report::time(*p99))?;
        }
    }
    Ok(table)
}

/// A call that allows more or fewer than it should ends the run.
fn compare(component: &mut Component, asks: &[Ask]) -> Result<()> {
    component.prepare(asks);
    let at_once = component.at_once();
    for (call, of_call) in asks.chunks_exact(at_once).enumerate() {
        let allowed = component.decide(asks, call * at_once);
        let expected = of_call.iter().filter(|ask| ask.allowed).count();
        ensure!(allowed == expected, "the component allows {allowed}, right is {expected}, of {of_call:?}");
    }
    Ok(())
}
