//! `cargo xtask bench`: builds the benchmarks with all peers and runs them.

use std::ffi::OsString;

use anyhow::{Result, ensure};

use crate::progress::step;
use crate::workspace;

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Bench {
    /// What to measure and how; `--help` lists it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Bench {
    pub(crate) fn run(self) -> Result<()> {
        // Of the filter in Envoy nothing is compared with the engines of others.
        let is_edge = self.arguments.iter().any(|argument| argument == "--edge");
        let features: &[&str] = if is_edge { &["edge", "server"] } else { &["component", "edge", "peers", "server"] };
        // A folder of its own: the peers are minutes to compile, and other builds shall not throw them out.
        let target = workspace::target()?.join("bench");
        let folder = target.display().to_string();
        step("benchmarks", |step| {
            let package = ["build", "--profile", "dist", "--locked", "--package", "portcullis-benches"];
            let features = features.iter().map(|name| format!("portcullis-benches/{name}"));
            let features = features.collect::<Vec<_>>().join(",");
            let server = ["--package", "portcullis-server", "--bins", "--features", &features];
            let arguments = [&package[..], &server, &["--target-dir", &folder]].concat();
            workspace::run_cargo(&arguments, &target, step)
        })?;
        let bench = target.join("dist").join("bench");
        let status = std::process::Command::new(bench).args(self.arguments).status()?;
        ensure!(status.success(), "the benchmarks ended with {status}");
        Ok(())
    }
}
