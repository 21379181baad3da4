//! `portcullis test`: runs the tests of a document, explains the failures, and says which rules no test exercised.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use portcullis_compiler::policy_test::{Difference, Failure, Report, TestResult};
use serde_json::{Value, json};

use crate::cli::Ending;
use crate::cli::progress::Progress;
use crate::cli::source::Source;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  portcullis test shop.yaml\n\nThe tests are the list `tests` of the document. Exit code 1 when one fails, 2 when the document does not compile."
)]
pub(super) struct Test {
    /// Policy document, YAML or JSON; `-` is standard input
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// One JSON object per test, and one for the coverage
    #[arg(long)]
    json: bool,
}

impl Test {
    pub fn run(self) -> anyhow::Result<Ending> {
        let Some(source) = Source::read(&self.policy)? else { return Ok(Ending::Diagnosed) };
        let progress = Progress::start("testing");
        let report = portcullis_compiler::test(&source.text);
        drop(progress);
        let report = match report {
            Ok(report) => report,
            Err(diagnostics) => {
                source.report(&diagnostics);
                return Ok(Ending::Diagnosed);
            }
        };
        source.report(&report.warnings);
        let output = io::BufWriter::new(io::stdout().lock());
        let written = if self.json { write_json(output, &report) } else { write_text(output, &source.name, &report) };
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
            _ => Ok(if report.failed() == 0 { Ending::Done } else { Ending::Found }),
        }
    }
}

fn write_text(mut output: impl Write, name: &str, report: &Report) -> io::Result<()> {
    for TestResult { name: test, line, column, failure } in &report.results {
        let Some(Failure { differences, explained }) = failure else {
            writeln!(output, "ok    {test}")?;
            continue;
        };
        writeln!(output, "FAIL  {test} ({name}:{line}:{column})")?;
        for Difference { key, expected, found } in differences {
            writeln!(output, "      {key}: expected {expected}, found {found}")?;
        }
        for line in explained.to_string().lines() {
            writeln!(output, "      | {line}")?;
        }
    }
    let (all, failed) = (report.results.len(), report.failed());
    writeln!(output, "{all} tests, {failed} failed")?;
    coverage(&mut output, report)?;
    output.flush()
}

/// How many rules the tests exercised, and a table of the others.
fn coverage(output: &mut impl Write, report: &Report) -> io::Result<()> {
    let (all, missing) = (report.coverage.len(), report.unexercised().count());
    writeln!(output, "{} of {all} rules exercised", all.saturating_sub(missing))?;
    if missing == 0 {
        return Ok(());
    }
    let width = report.unexercised().map(|rule| rule.rule.chars().count()).max().unwrap_or(0);
    writeln!(output, "\nnever exercised:")?;
    for rule in report.unexercised() {
        writeln!(output, "  {:<width$}  {:<6}  line {}", rule.rule, rule.effect, rule.line)?;
    }
    Ok(())
}

fn write_json(mut output: impl Write, report: &Report) -> io::Result<()> {
    for result in &report.results {
        writeln!(output, "{}", result_json(result)?)?;
    }
    let coverage = report
        .coverage
        .iter()
        .map(|rule| json!({"rule": rule.rule, "effect": rule.effect, "line": rule.line, "tests": rule.tests}));
    let coverage: Vec<Value> = coverage.collect();
    writeln!(output, "{}", json!({"tests": report.results.len(), "failed": report.failed(), "coverage": coverage}))?;
    output.flush()
}

fn result_json(result: &TestResult) -> io::Result<Value> {
    let TestResult { name, line, column, failure } = result;
    let mut json = json!({"test": name, "line": line, "column": column, "passed": failure.is_none()});
    if let Some(Failure { differences, explained }) = failure {
        let value = |text: &str| serde_json::from_str::<Value>(text);
        let differences = differences
            .iter()
            .map(|one| Ok(json!({"key": one.key, "expected": value(&one.expected)?, "found": value(&one.found)?})));
        json["differences"] = Value::Array(differences.collect::<serde_json::Result<_>>()?);
        json["decision"] = value(&explained.json())?;
    }
    Ok(json)
}
