//! The command line. Exit codes: 0 done, 1 a line or the run failed or something was found, 2 usage or diagnostics.

mod admin;
mod compile;
mod decide;
mod diff;
mod edge_config;
mod explain;
mod import;
mod inspect;
mod lint;
mod serve;
mod test;
mod validate;

mod lines;
mod policy;
mod progress;
mod source;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Authorization decided by one policy, in the server and at the edge.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Turn a policy document into a bundle
    Compile(compile::Compile),
    /// Decide requests, one JSON object per line
    Decide(decide::Decide),
    /// Find what a policy document says without effect
    Lint(lint::Lint),
    /// Run the tests of a policy document
    Test(test::Test),
    /// Explain the decision on one request
    Explain(explain::Explain),
    /// Check a document against a schema of the policy
    Validate(validate::Validate),
    /// List the requests that another policy would answer otherwise
    Diff(diff::Diff),
    /// Make a policy document of another system's configuration
    Import(import::Import),
    /// Show what is in a bundle, as JSON
    Inspect(inspect::Inspect),
    /// Print a configuration of Envoy with the filter
    EnvoyConfig(edge_config::EnvoyConfig),
    /// Print a configuration of Istio with the filter
    IstioConfig(edge_config::IstioConfig),
    /// Run the server
    Serve(serve::Serve),
    /// Create users and reset passwords on this machine
    Admin(admin::Admin),
}

/// How a command ended, when nothing failed on our side.
enum Ending {
    Done,
    /// Some line failed; each said so itself.
    LineFailed,
    /// What was looked for is there: findings, failures, differences; they are out.
    Found,
    /// The input is wrong; the diagnostics are out.
    Diagnosed,
}

impl Cli {
    pub fn run(self) -> ExitCode {
        let ending = match self.command {
            Command::Compile(command) => command.run(),
            Command::Decide(command) => command.run(),
            Command::Lint(command) => command.run(),
            Command::Test(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Validate(command) => command.run(),
            Command::Diff(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::EnvoyConfig(command) => command.run(),
            Command::IstioConfig(command) => command.run(),
            Command::Serve(command) => command.run(),
            Command::Admin(command) => command.run(),
        };
        match ending {
            Ok(Ending::Done) => ExitCode::SUCCESS,
            Ok(Ending::LineFailed | Ending::Found) => ExitCode::from(1),
            Ok(Ending::Diagnosed) => ExitCode::from(2),
            Err(error) => {
                complain(format_args!("portcullis: {error:#}"));
                ExitCode::from(1)
            }
        }
    }
}

/// One line on stderr. There is nobody to tell when stderr is closed.
fn complain(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The folder that `path` is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
