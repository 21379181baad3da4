//! `cargo xtask test`: every test, with a real Envoy, and the demo.

use anyhow::{Result, ensure};

use crate::demo::Demo;
use crate::setup::{self, TestRunner};
use crate::workspace;

pub(crate) fn test() -> Result<()> {
    setup::setup()?;
    // One profile for everything: the big dependencies are compiled once, and what is tested is what ships.
    let task = TestRunner::find()?.arguments();
    let status = workspace::cargo()?.args(task).args(["--workspace", "--release", "--locked"]).status()?;
    ensure!(status.success(), "cargo {} ended with {status}", task.join(" "));
    Demo::AFTER_BUILD.run()
}
