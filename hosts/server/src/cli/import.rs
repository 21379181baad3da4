//! `portcullis import`: a policy document made of another system's configuration.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;
use portcullis_compiler::import;

use crate::cli::Ending;
use crate::cli::source::Source;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  portcullis import barong seeds.yml > policy.yaml\n\nWhat is left out or answered otherwise is noted on stderr; docs/IMPORT.md lists the differences. What cannot be carried\nover without letting more through is an error: exit code 2, nothing written."
)]
pub(super) struct Import {
    /// The system it comes from
    #[arg(value_enum, value_name = "SYSTEM")]
    system: System,
    /// Its configuration; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum System {
    /// `seeds.yml` of Barong
    Barong,
    /// Application configuration of padlock
    Padlock,
}

impl Import {
    pub fn run(self) -> anyhow::Result<Ending> {
        let Some(source) = Source::read(&self.file)? else { return Ok(Ending::Diagnosed) };
        let imported = match self.system {
            System::Barong => import::barong(&source.text),
            System::Padlock => import::padlock(&source.text),
        };
        match imported {
            Ok(imported) => {
                source.report(&imported.notes);
                match io::stdout().write_all(imported.document.as_bytes()) {
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
                    _ => Ok(Ending::Done),
                }
            }
            Err(diagnostics) => {
                source.report(&diagnostics);
                Ok(Ending::Diagnosed)
            }
        }
    }
}
