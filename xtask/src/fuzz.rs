//! `cargo xtask fuzz`: inputs to start from, then each target for a while. What it finds is in `fuzz/artifacts`.

use anyhow::{Result, ensure};

use crate::progress::step;
use crate::workspace;

const TARGETS: [&str; 6] = ["open", "decide", "canonicalize", "compile", "json", "validate"];

#[derive(clap::Args)]
pub(crate) struct Fuzz {
    /// The only target to run
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

impl Fuzz {
    pub(crate) fn run(self) -> Result<()> {
        let Self { target, seconds } = self;
        install()?;
        let folder = workspace::target()?.join("fuzz");
        step("seeds", |step| {
            let seeds = ["run", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--example", "seeds", "--target-dir"];
            let target = folder.display().to_string();
            workspace::run_cargo(&[&seeds[..], &[&target]].concat(), &folder, step)
        })?;
        let time = format!("-max_total_time={seconds}");
        for one in TARGETS.into_iter().filter(|one| target.as_ref().is_none_or(|target| target == one)) {
            let mut cargo = workspace::cargo()?;
            // The sanitizer is not in a stable Rust but for those who ask so.
            cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", &folder);
            // Ten seconds for one input is a find too.
            let status =
                cargo.args(["fuzz", "run", one, "--", &time, "-timeout=10", "-print_final_stats=1"]).status()?;
            ensure!(status.success(), "`{one}` found something: `cargo fuzz run` above says what, and in which file");
        }
        Ok(())
    }
}

/// cargo-fuzz, if it is missing.
fn install() -> Result<()> {
    if workspace::cargo()?.args(["fuzz", "--version"]).output()?.status.success() {
        return Ok(());
    }
    step("cargo-fuzz", |step| {
        let folder = workspace::target()?.join("fuzz");
        workspace::run_cargo(&["install", "cargo-fuzz", "--locked"], &folder, step)
    })
}
