//! `portcullis decide`: requests in, decisions out, line by line and in order, in constant memory.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;
use portcullis_runtime::{Limits, NativePolicy, PolicySlot, Request, Runtime};
use serde::Serialize;
use serde_json::json;

use crate::cli::Ending;
use crate::cli::lines::{Line, Lines};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  echo '{\"action\": \"GET\", \"path\": \"/shop\"}' | portcullis decide --bundle shop.bundle\n\n\
    A line that is not a request answers {\"error\": \"line N: ...\"}, the others go on, and the exit code is 1."
)]
pub(super) struct Decide {
    /// Bundle that holds the policy
    #[arg(long, value_name = "BUNDLE")]
    bundle: PathBuf,
    /// What decides
    #[arg(long, value_enum, default_value_t = EngineName::Component)]
    engine: EngineName,
    /// Add to each decision how it came about
    #[arg(long)]
    explain: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EngineName {
    /// The WebAssembly component
    Component,
    /// The same core, linked
    Native,
}

enum Engine {
    Component(Box<PolicySlot>),
    Native(Box<NativePolicy>),
}

impl Decide {
    pub fn run(self) -> anyhow::Result<Ending> {
        let bundle = fs::read(&self.bundle).with_context(|| format!("cannot read `{}`", self.bundle.display()))?;
        let engine = Engine::open(self.engine, bundle)
            .with_context(|| format!("cannot use the bundle `{}`", self.bundle.display()))?;
        let output = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
        match decide_lines(&engine, self.explain, Lines::new(io::stdin().lock()), output) {
            // Whoever read the decisions has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Ending::Done),
            Err(error) => Err(error).context("cannot go on"),
            Ok(ending) => Ok(ending),
        }
    }
}

fn decide_lines<R: io::Read, W: Write>(
    engine: &Engine,
    explain: bool,
    mut input: Lines<R>,
    mut output: W,
) -> io::Result<Ending> {
    let mut ending = Ending::Done;
    let mut number: u64 = 0;
    loop {
        // What was asked so far is answered before we wait for more.
        if !input.has_line_at_hand() {
            output.flush()?;
        }
        let Some(line) = input.next()? else { break };
        number = number.saturating_add(1);
        match utf8(line).and_then(parse) {
            Ok(request) if explain => write_line(&mut output, &engine.explain(&request))?,
            Ok(request) => write_line(&mut output, &engine.decide(&request))?,
            Err(error) => {
                ending = Ending::LineFailed;
                write_line(&mut output, &json!({"error": format!("line {number}: {error}")}))?;
            }
        }
    }
    output.flush()?;
    Ok(ending)
}

/// The text of a line.
pub(super) fn utf8(line: Line<'_>) -> Result<&str, String> {
    let bytes = match line {
        Line::Bytes(bytes) => bytes,
        Line::TooLong => return Err(format!("longer than {} bytes", Lines::<io::Empty>::MAX_BYTES)),
    };
    if bytes.trim_ascii().is_empty() {
        return Err("empty".to_owned());
    }
    str::from_utf8(bytes).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1))
}

pub(super) fn parse(text: &str) -> Result<Request, String> {
    Request::from_json(text).map_err(|error| error.to_string())
}

fn write_line(output: &mut impl Write, answer: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, answer)?;
    output.write_all(b"\n")
}

// === impl Engine ===

impl Engine {
    fn open(name: EngineName, bundle: Vec<u8>) -> anyhow::Result<Self> {
        match name {
            EngineName::Native => Ok(Self::Native(Box::new(NativePolicy::open(bundle)?))),
            EngineName::Component => {
                // One line after the other: more instances would only cost time.
                let runtime = Runtime::new(Limits { instances: 1, ..Limits::default() })?;
                let slot = PolicySlot::new(&runtime);
                slot.install(slot.prepare(bundle)?);
                Ok(Self::Component(Box::new(slot)))
            }
        }
    }

    fn decide(&self, request: &Request) -> portcullis_runtime::Decision {
        match self {
            Self::Component(slot) => slot.decide(request),
            Self::Native(policy) => policy.decide(request),
        }
    }

    fn explain(&self, request: &Request) -> portcullis_runtime::Explained {
        match self {
            Self::Component(slot) => slot.explain(request),
            Self::Native(policy) => policy.explain(request),
        }
    }
}
