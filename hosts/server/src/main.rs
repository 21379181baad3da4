use std::process::ExitCode;

use clap::Parser;
use portcullis_server::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
