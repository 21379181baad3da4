//! `cargo xtask test`: every test, with a real Envoy, and the demo; with `--full` also schemathesis.

use anyhow::{Result, ensure};
use clap::Args;

use crate::demo::Demo;
use crate::schemathesis::Schemathesis;
use crate::setup::{self, TestRunner};
use crate::workspace;

#[derive(Args)]
pub(crate) struct Test {
    /// Also requests made of the OpenAPI documents, some minutes more
    #[arg(long)]
    full: bool,
}

impl Test {
    pub(crate) fn run(self) -> Result<()> {
        setup::setup()?;
        // One profile for everything: the big dependencies are compiled once, and what is tested is what ships.
        let task = TestRunner::find()?.arguments();
        let status = workspace::cargo()?.args(task).args(["--workspace", "--release", "--locked"]).status()?;
        ensure!(status.success(), "cargo {} ended with {status}", task.join(" "));
        Demo::AFTER_BUILD.run()?;
        if self.full { Schemathesis::DEFAULT.run() } else { Ok(()) }
    }
}
