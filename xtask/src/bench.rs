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
        // A folder of its own: the peers are minutes to compile, and other builds shall not throw them out.
        let target = workspace::target()?.join("bench");
        let folder = target.display().to_string();
        step("benchmarks", |step| {
            let package = ["build", "--profile", "dist", "--locked", "--package", "portcullis-benches"];
            let features = ["component", "peers", "server"].map(|name| format!("portcullis-benches/{name}")).join(",");
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
