//! `portcullis lint`: what a document says without effect, or otherwise than it looks.

use std::path::PathBuf;

use crate::cli::Ending;
use crate::cli::progress::Progress;
use crate::cli::source::Source;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  portcullis lint shop.yaml\n\nEach finding is a warning on stderr with its name in brackets; docs/LINT.md explains them. Exit code 1 when there are\nsome, 2 when the document does not compile."
)]
pub(super) struct Lint {
    /// Policy document, YAML or JSON; `-` is standard input
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
}

impl Lint {
    pub fn run(self) -> anyhow::Result<Ending> {
        let Some(source) = Source::read(&self.policy)? else { return Ok(Ending::Diagnosed) };
        let progress = Progress::start("linting");
        let findings = portcullis_compiler::lint(&source.text);
        drop(progress);
        match findings {
            Ok(findings) => {
                source.report(&findings);
                Ok(if findings.is_empty() { Ending::Done } else { Ending::Found })
            }
            Err(diagnostics) => {
                source.report(&diagnostics);
                Ok(Ending::Diagnosed)
            }
        }
    }
}
