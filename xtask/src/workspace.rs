//! Where things are, and how they are built.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use portcullis_rig::Process;
use serde_json::Value;

use crate::progress::Step;

/// A cold build on a small machine stays far below.
const BUILD_TIMEOUT: Duration = Duration::from_secs(60 * 60);

pub(crate) fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest.parent().context("xtask is not in a workspace")?.to_owned())
}

/// The target folder, wherever the user wants it.
pub(crate) fn target() -> Result<PathBuf> {
    let output = cargo()?.args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    Ok(PathBuf::from(metadata["target_directory"].as_str().context("no target folder in the metadata")?))
}

pub(crate) fn cargo() -> Result<Command> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()?);
    Ok(cargo)
}

/// Runs cargo and shows its last line as the detail of the step; its output goes to `folder`.
pub(crate) fn run_cargo(arguments: &[&str], folder: &Path, step: &Step) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut process = Process::start("cargo", cargo()?.args(arguments), folder)?;
    let status = process.wait(BUILD_TIMEOUT, |process| {
        if let Some(line) = process.stderr().lines().last() {
            step.detail(line.trim());
        }
    })?;
    ensure!(status.success(), "cargo {} failed:\n{}", arguments.join(" "), process.stderr());
    Ok(())
}
