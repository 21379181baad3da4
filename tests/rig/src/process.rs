//! Child processes that never outlive their handle.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(10);

/// Processes that run now.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Kills every process of this program that still runs: for handlers of signals, where no handle is dropped.
pub fn kill_all() {
    for pid in std::mem::take(&mut *RUNNING.lock().unwrap_or_else(PoisonError::into_inner)) {
        // It may be gone by now; then there is nothing to do.
        let _ = signal("KILL", pid);
    }
}

/// Looks again and again until there is something; an error when `timeout` is over.
pub fn poll<T>(what: &str, timeout: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("{what}: not within {timeout:?}");
        }
        thread::sleep(POLL);
    }
}

/// A running child; it is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Process {
    /// Output goes to `NAME.stdout` and `NAME.stderr` in `folder`.
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> Result<Self> {
        let (stdout, stderr) = (folder.join(format!("{name}.stdout")), folder.join(format!("{name}.stderr")));
        command.stdin(Stdio::null()).stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        let child = command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?;
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).push(child.id());
        Ok(Self { name: name.to_owned(), child, stdout, stderr })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// What follows `prefix` in the first line of stdout that starts with it.
    pub fn wait_for_line(&mut self, prefix: &str, timeout: Duration) -> Result<String> {
        let what = format!("a line `{prefix}...` of {}", self.name);
        self.wait_until(&what, timeout, |process| {
            let stdout = process.stdout();
            // Only whole lines: the last one may still be growing.
            let lines = stdout.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            Ok(lines.filter_map(|line| line.strip_prefix(prefix)).next().map(str::to_owned))
        })
    }

    /// The same as `poll`, and an error at once when the process ends.
    pub fn wait_until<T>(
        &mut self,
        what: &str,
        timeout: Duration,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<T> {
        poll(what, timeout, || {
            let ended = self.child.try_wait()?;
            match look(self)? {
                None if let Some(status) = ended => bail!("{} ended with {status}:\n{}", self.name, self.last_words()),
                found => Ok(found),
            }
        })
        .with_context(|| self.last_words())
    }

    /// Asks the process to end (SIGTERM) and waits for it.
    pub fn terminate(&mut self, timeout: Duration) -> Result<ExitStatus> {
        if self.child.try_wait()?.is_none() {
            signal("TERM", self.pid())?;
        }
        let what = format!("the end of {}", self.name);
        poll(&what, timeout, || Ok(self.child.try_wait()?))
    }

    /// The end of its stderr.
    fn last_words(&self) -> String {
        let stderr = self.stderr();
        let lines: Vec<_> = stderr.lines().rev().take(20).collect();
        lines.into_iter().rev().map(|line| format!("{}: {line}\n", self.name)).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let pid = self.pid();
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).retain(|&running| running != pid);
    }
}

/// The standard library can only kill; `kill` is in POSIX, and this crate stays free of unsafe code.
fn signal(name: &str, pid: u32) -> Result<()> {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status()?;
    if !status.success() {
        bail!("cannot send SIG{name} to process {pid}");
    }
    Ok(())
}
