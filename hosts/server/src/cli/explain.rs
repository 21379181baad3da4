//! `portcullis explain`: one request, the decision on it, and how it came about.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use portcullis_compiler::{Explained, Request};

use crate::cli::source::Source;
use crate::cli::{Ending, policy};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  portcullis explain shop.yaml --request '{\"action\": \"GET\", \"path\": \"/orders/7\", \"subject\": {\"id\": \"u1\", \"roles\": [\"clerk\"]}}'"
)]
pub(super) struct Explain {
    /// Policy document, or a bundle
    #[arg(value_name = "POLICY", required_unless_present = "bundle")]
    policy: Option<PathBuf>,
    /// Bundle that holds the policy
    #[arg(long, value_name = "BUNDLE", conflicts_with = "policy")]
    bundle: Option<PathBuf>,
    /// The request, a JSON object; `-` is standard input
    #[arg(long, value_name = "JSON")]
    request: String,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self) -> anyhow::Result<Ending> {
        let Some(path) = self.policy.or(self.bundle) else { anyhow::bail!("there is no policy") };
        let Some(request) = read(self.request)? else { return Ok(Ending::Diagnosed) };
        let request = match Request::parse(&request.text) {
            Ok(request) => request,
            Err(diagnostics) => {
                request.report(&diagnostics);
                return Ok(Ending::Diagnosed);
            }
        };
        let Some(policy) = policy::read(&path)? else { return Ok(Ending::Diagnosed) };
        let explained = Explained::of(&policy, &request);
        let text = if self.json { explained.json() } else { explained.to_string() };
        match writeln!(io::stdout(), "{text}") {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
            _ => Ok(Ending::Done),
        }
    }
}

/// The text of the request; `None` when it is no text.
fn read(given: String) -> anyhow::Result<Option<Source>> {
    let name = "request".to_owned();
    if given != "-" {
        return Ok(Some(Source { name, text: given }));
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).context("cannot read the request")?;
    Ok(Source::from_bytes(name, bytes))
}
