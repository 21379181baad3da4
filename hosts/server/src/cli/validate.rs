//! `portcullis validate`: one document against a schema of a policy, and every violation.

use std::fs;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_core::Policy;
use portcullis_core::limits::VALIDATED_BYTES;
use portcullis_runtime::{NativePolicy, Report, ValidateError, ValidateOptions, Verdict};

use crate::cli::{Ending, complain, policy};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  echo '{\"email\": \"joe\"}' | portcullis validate shop.yaml --schema user\n\n\
    A schema with `x-form: true` reads `email=joe&age=7` instead of JSON. The exit code is 1 when there are violations.")]
pub(super) struct Validate {
    /// Policy document, or a bundle
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Name of the schema
    #[arg(long, value_name = "NAME")]
    schema: String,
    /// The document; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    document: PathBuf,
    /// One JSON object for each violation instead of text
    #[arg(long)]
    json: bool,
    /// Print a valid document as JSON, texts normalized and fields of forms coerced
    #[arg(long)]
    normalized: bool,
    /// Language of messages
    #[arg(long, value_name = "TAG", default_value = "en")]
    language: String,
    /// Most bytes of the document
    #[arg(long, value_name = "BYTES", default_value_t = VALIDATED_BYTES)]
    max_bytes: usize,
}

impl Validate {
    pub fn run(self) -> anyhow::Result<Ending> {
        if self.policy == Path::new("-") && self.document == Path::new("-") {
            anyhow::bail!("policy and document cannot both be standard input");
        }
        let Some(policy) = policy::read(&self.policy)? else { return Ok(Ending::Diagnosed) };
        let names = schema_names(&policy);
        let document = read(&self.document, self.max_bytes)?;
        let options =
            ValidateOptions { language: &self.language, max_bytes: self.max_bytes, normalized: self.normalized };
        let report = match NativePolicy::from(policy).validate(&self.schema, &document, &options) {
            Ok(report) => report,
            Err(ValidateError::UnknownSchema) => {
                anyhow::bail!("the policy has no schema `{}`; {names}", self.schema)
            }
            Err(error) => return Err(error.into()),
        };
        let text = if self.json { json_lines(&report)? } else { text(&report) };
        let normalized = report.normalized.map(|json| json + "\n").unwrap_or_default();
        match io::stdout().lock().write_all((text + &normalized).as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error).context("cannot write"),
            _ => {}
        }
        if report.has_more {
            complain("there are more violations than are listed");
        }
        Ok(if report.verdict == Verdict::Valid { Ending::Done } else { Ending::Found })
    }
}

/// One byte more than a document may have is enough to refuse it.
fn read(path: &Path, max_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let limit = (max_bytes as u64).saturating_add(1);
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).context("cannot read the document")?;
    } else {
        let file = fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        file.with_context(|| format!("cannot read `{}`", path.display()))?;
    }
    Ok(bytes)
}

fn schema_names(policy: &Policy) -> String {
    let names: Vec<&str> = policy.records().schemas.iter().filter_map(|schema| policy.str(schema.name)).collect();
    if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) }
}

fn json_lines(report: &Report) -> serde_json::Result<String> {
    let line = |violation| serde_json::to_string(violation).map(|line| line + "\n");
    report.violations.iter().map(line).collect()
}

fn text(report: &Report) -> String {
    let line = |violation: &portcullis_runtime::Violation| {
        let place = if violation.pointer.is_empty() { "document" } else { &violation.pointer };
        format!("{place}: {} [{}]\n", violation.message, violation.code)
    };
    report.violations.iter().map(line).collect()
}
