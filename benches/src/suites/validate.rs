//! Validation of a document, from its bytes: the linked core, the component, and `serde_json` with the crate `jsonschema`.

use std::fmt::Write;
use std::hint::black_box;

use anyhow::{Context, Result, anyhow, ensure};
use portcullis_compiler::{Options, compile};
use portcullis_core::{Policy, ValidateOptions, ValidateScratch, Verdict, validate};
use serde_json::Value;

use crate::measure;
use crate::report;
use crate::workload::documents::{Document, documents};

const PEER: &str = "`serde_json` and `jsonschema`, native";

pub fn run(rounds: usize) -> Result<String> {
    let mut table = String::from("| document | engine | median | to portcullis |\n|---|---|---|---|\n");
    for document in documents() {
        measure(&mut table, &document, rounds)?;
    }
    Ok(table)
}

fn measure(table: &mut String, document: &Document, rounds: usize) -> Result<()> {
    let Document { name, what, schema, text } = document;
    let policy = policy(schema)?;
    let schema: Value = serde_json::from_str(schema)?;
    let peer = jsonschema::draft202012::options().should_validate_formats(true).build(&schema);
    let peer = peer.map_err(|error| anyhow!("{error}"))?;
    let mut scratch = ValidateScratch::default();
    let mut ours = || {
        let report = validate(&policy, 0, black_box(text.as_bytes()), &ValidateOptions::default(), &mut scratch);
        report.is_some_and(|report| report.verdict == Verdict::Valid)
    };
    let mut theirs = || {
        let document = serde_json::from_slice::<Value>(black_box(text.as_bytes()));
        document.is_ok_and(|document| peer.is_valid(&document))
    };
    ensure!(ours() && theirs(), "{name} is not valid");
    #[cfg(feature = "component")]
    let slot = component(policy.bytes())?;
    #[cfg(feature = "component")]
    let mut component = || {
        let report = slot.validate("s", black_box(text.as_bytes()), &ValidateOptions::default());
        report.is_ok_and(|report| report.verdict == Verdict::Valid)
    };
    #[cfg(feature = "component")]
    ensure!(component(), "{name} is not valid to the component");
    #[cfg(feature = "component")]
    let (calls, names) = (
        [&mut ours as &mut dyn FnMut() -> bool, &mut component, &mut theirs],
        ["portcullis, native", "portcullis, the component, a typed call", PEER],
    );
    #[cfg(not(feature = "component"))]
    let (calls, names) = ([&mut ours as &mut dyn FnMut() -> bool, &mut theirs], ["portcullis, native", PEER]);
    let medians = measure::alternately(calls, rounds);
    for (engine, time) in names.into_iter().zip(medians) {
        let (median, times) = (report::time(time), time / medians[0]);
        writeln!(table, "| {what}, {} bytes | {engine} | {median} | {times:.2} |", text.len())?;
    }
    Ok(())
}

#[cfg(feature = "component")]
fn component(bundle: &[u8]) -> Result<portcullis_runtime::PolicySlot> {
    use portcullis_runtime::{Limits, PolicySlot, Runtime};

    let slot = PolicySlot::new(&Runtime::new(Limits { instances: 1, ..Limits::default() })?);
    slot.install(slot.prepare(bundle.to_vec())?);
    Ok(slot)
}

fn policy(schema: &str) -> Result<Policy> {
    let document = format!("{{\"version\": 1, \"schemas\": {{\"s\": {schema}}}}}");
    let compiled = compile(&document, &Options::default());
    let compiled =
        compiled.map_err(|errors| anyhow!("{}", errors.first().map_or_else(String::new, ToString::to_string)))?;
    Policy::open(compiled.bundle).context("the bundle opens")
}
