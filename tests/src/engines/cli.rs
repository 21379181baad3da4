//! `portcullis decide` as a process, fed JSON lines.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, ensure};
use portcullis_runtime::{Decision, Request};
use tempfile::TempDir;

use super::{Engine, Given, json};

/// The command line tool, built in the same profile as these tests.
pub fn portcullis() -> Result<PathBuf> {
    let tests = std::env::current_exe()?;
    let profile = tests.ancestors().nth(2).context("the tests are not inside a target folder")?;
    let binary = profile.join("portcullis");
    ensure!(binary.is_file(), "{} is missing: `cargo xtask test` builds it", binary.display());
    Ok(binary)
}

pub struct Cli {
    binary: PathBuf,
    folder: TempDir,
    engine: &'static str,
}

impl Cli {
    /// `engine` is what `--engine` takes.
    pub fn new(binary: PathBuf, engine: &'static str) -> Result<Self> {
        Ok(Self { binary, folder: TempDir::new()?, engine })
    }
}

impl Engine for Cli {
    fn name(&self) -> &'static str {
        match self.engine {
            "native" => "portcullis decide --engine native",
            _ => "portcullis decide",
        }
    }

    fn load(&mut self, given: Given<'_>) -> Result<()> {
        let Given { document: _, text, revocations, revision } = given;
        let document = self.folder.path().join("policy.yaml");
        std::fs::write(&document, text)?;
        let mut compile = Command::new(&self.binary);
        compile.arg("compile").arg(document).arg("-o").arg(self.folder.path().join("policy.bundle"));
        for (subject, not_before) in revocations {
            compile.arg("--revoke").arg(format!("{subject}={not_before}"));
        }
        let status = compile.args(["--revision", &revision.to_string()]).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "portcullis compile ended with {status}");
        Ok(())
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        let mut decide = Command::new(&self.binary);
        decide.args(["decide", "--engine", self.engine, "--bundle"]).arg(self.folder.path().join("policy.bundle"));
        let mut process = decide.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = process.stdin.take().context("no stdin")?;
        let output = BufReader::new(process.stdout.take().context("no stdout")?);
        let lines: String = requests.iter().map(|request| format!("{}\n", json::request(request))).collect();
        let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
        let mut decisions = Vec::with_capacity(requests.len());
        for line in output.lines() {
            decisions.push(json::decision(&serde_json::from_str(&line?)?)?);
        }
        writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
        let status = process.wait()?;
        ensure!(status.success() && decisions.len() == requests.len(), "{} answers, {status}", decisions.len());
        Ok(decisions)
    }
}
