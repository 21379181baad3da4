//! `portcullis diff`: which of some recorded requests would be answered otherwise.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use portcullis_runtime::{Decision, NativePolicy, Request};
use serde_json::json;
use serde_json::value::RawValue;

use crate::cli::decide::{parse, utf8};
use crate::cli::lines::Lines;
use crate::cli::progress::Progress;
use crate::cli::{Ending, complain, policy};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  portcullis diff old.yaml new.yaml --requests requests.jsonl\n\nEach request that would be answered otherwise is one line {\"line\", \"request\", \"old\", \"new\"}; decision, status, reason,\nerrors and obligations count. A summary goes to stderr. Exit code 1 when there are some, or a line is no request."
)]
pub(super) struct Diff {
    /// Policy document or bundle that decides today
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Policy document or bundle to compare with it
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Requests, one JSON object per line
    #[arg(long, value_name = "FILE")]
    requests: PathBuf,
}

#[derive(Default)]
struct Count {
    requests: u64,
    refused: u64,
    let_in: u64,
    otherwise: u64,
    bad: u64,
}

impl Diff {
    pub fn run(self) -> anyhow::Result<Ending> {
        let (old, new) = (policy::read(&self.old)?, policy::read(&self.new)?);
        let (Some(old), Some(new)) = (old, new) else { return Ok(Ending::Diagnosed) };
        let (old, new) = (NativePolicy::from(old), NativePolicy::from(new));
        let name = self.requests.display();
        let file = File::open(&self.requests).with_context(|| format!("cannot read `{name}`"))?;
        let output = BufWriter::new(io::stdout().lock());
        match compare(&old, &new, Lines::new(file), output) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Ending::Found),
            Err(error) => Err(error).context("cannot go on"),
            Ok(count) => {
                complain(count.summary());
                Ok(if count.changed() == 0 && count.bad == 0 { Ending::Done } else { Ending::Found })
            }
        }
    }
}

fn compare<R: io::Read>(
    old: &NativePolicy,
    new: &NativePolicy,
    mut input: Lines<R>,
    mut output: impl Write,
) -> io::Result<Count> {
    let progress = Progress::start("comparing");
    let mut count = Count::default();
    let mut number: u64 = 0;
    while let Some(line) = input.next()? {
        number = number.saturating_add(1);
        progress.advance();
        let request = utf8(line).and_then(|text| Ok((text, parse(text)?)));
        let (text, request): (&str, Request) = match request {
            Ok(request) => request,
            Err(error) => {
                count.bad = count.bad.saturating_add(1);
                writeln!(output, "{}", json!({"error": format!("line {number}: {error}")}))?;
                continue;
            }
        };
        let (before, after) = (old.decide(&request), new.decide(&request));
        if count.add(&before, &after) {
            let request: &RawValue = serde_json::from_str(text)?;
            let line = json!({"line": number, "request": request, "old": before, "new": after});
            writeln!(output, "{line}")?;
        }
    }
    output.flush()?;
    Ok(count)
}

impl Count {
    /// Counts one request and says whether it is answered otherwise. Ids of rules may change when rules move, and the
    /// revision always does: they do not count.
    fn add(&mut self, old: &Decision, new: &Decision) -> bool {
        self.requests = self.requests.saturating_add(1);
        let counter = match (old.is_allow(), new.is_allow()) {
            (true, false) => &mut self.refused,
            (false, true) => &mut self.let_in,
            _ if seen(old) != seen(new) => &mut self.otherwise,
            _ => return false,
        };
        *counter = counter.saturating_add(1);
        true
    }

    fn changed(&self) -> u64 {
        self.refused.saturating_add(self.let_in).saturating_add(self.otherwise)
    }

    fn summary(&self) -> String {
        let Self { requests, refused, let_in, otherwise, bad } = self;
        let changed = self.changed();
        let bad = if *bad == 0 { String::new() } else { format!("; {bad} lines are no requests") };
        format!(
            "{requests} requests, {changed} would change: {refused} from allow to deny, {let_in} from deny to allow, {otherwise} in something else{bad}"
        )
    }
}

/// What of a decision a caller or an auditor notices.
fn seen(decision: &Decision) -> impl PartialEq {
    let Decision { effect, status, reason, obligations, errors, .. } = decision.clone();
    (effect, status, reason, obligations, errors.len())
}
