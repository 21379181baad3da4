//! Child processes that never outlive their handle.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(10);

/// Processes that run now; `None` when no more may be started.
static RUNNING: Mutex<Option<Vec<u32>>> = Mutex::new(Some(Vec::new()));

fn running() -> MutexGuard<'static, Option<Vec<u32>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills every process of this program that still runs, and lets none start any more: for handlers of signals, where
/// no handle is dropped.
pub fn kill_all() {
    for pid in running().take().unwrap_or_default() {
        // It may be gone by now; then there is nothing to do.
        let _ = signal("KILL", &group(pid));
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

/// A running child with its own children (a build has many); all of them are killed when this is dropped.
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
        command.process_group(0).stdin(Stdio::null()).stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        let mut running = running();
        let running = running.as_mut().with_context(|| format!("{name} is not started, everything ends"))?;
        let child = command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?;
        running.push(child.id());
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
        let found = poll(what, timeout, || {
            let ended = self.child.try_wait()?;
            match (look(self)?, ended) {
                (None, Some(status)) => bail!("{} ended with {status}", self.name),
                (found, _) => Ok(found),
            }
        });
        found.map_err(|error| anyhow!("{error:#}\n{}", self.last_words()))
    }

    /// Asks the process to end (SIGTERM) and waits for it.
    pub fn terminate(&mut self, timeout: Duration) -> Result<ExitStatus> {
        self.end_by("TERM", timeout)
    }

    /// The same by SIGINT.
    pub fn interrupt(&mut self, timeout: Duration) -> Result<ExitStatus> {
        self.end_by("INT", timeout)
    }

    /// Ends it as a machine that fails would (SIGKILL), and waits until it is gone.
    pub fn kill(&mut self, timeout: Duration) -> Result<ExitStatus> {
        self.end_by("KILL", timeout)
    }

    fn end_by(&mut self, name: &str, timeout: Duration) -> Result<ExitStatus> {
        if self.child.try_wait()?.is_none() {
            signal(name, &self.pid().to_string())?;
        }
        self.wait(timeout, |_| ())
    }

    /// Waits for a process that ends by itself, and lets `watch` look at it meanwhile.
    pub fn wait(&mut self, timeout: Duration, mut watch: impl FnMut(&Self)) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        poll(&what, timeout, || {
            watch(self);
            Ok(self.child.try_wait()?)
        })
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
        let pid = self.pid();
        if matches!(self.child.try_wait(), Ok(None)) {
            // An error means that it ended in this moment.
            let _ = signal("KILL", &group(pid));
            let _ = self.child.wait();
        }
        if let Some(running) = running().as_mut() {
            running.retain(|&running| running != pid);
        }
    }
}

/// The process group that the process `pid` leads, as `kill` names it.
fn group(pid: u32) -> String {
    format!("-{pid}")
}

/// The standard library can only kill single children, and this crate stays free of unsafe code. Every POSIX shell has
/// `kill`; a program of that name is not everywhere.
fn signal(name: &str, target: &str) -> Result<()> {
    let kill = ["-c", r#"kill -s "$0" -- "$1""#, name, target];
    let status = Command::new("sh").args(kill).stderr(Stdio::null()).status()?;
    if !status.success() {
        bail!("cannot send SIG{name} to {target}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::Command;
    use std::time::Duration;

    use super::{Process, poll};

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(10);

    fn shell(name: &str, script: &str) -> Process {
        Process::start(name, Command::new("sh").args(["-c", script]), &env::temp_dir()).unwrap()
    }

    fn is_alive(pid: u32) -> bool {
        Command::new("sh").args(["-c", "kill -0 $0", &pid.to_string()]).output().unwrap().status.success()
    }

    /// False also for one that ended and that nobody waited for.
    fn is_running(pid: u32) -> bool {
        let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap().stdout;
        !state.is_empty() && !state.starts_with(b"Z")
    }

    #[test]
    fn waits_for_a_whole_line() {
        let mut process = shell("rig-line", "printf 'port: 12'; printf '34\\nport: 5\\n'; exec sleep 60");
        assert_eq!(process.wait_for_line("port: ", LONG).unwrap(), "1234");
        assert!(process.wait_for_line("other: ", SHORT).unwrap_err().to_string().contains("other: "));
    }

    #[test]
    fn a_process_that_ends_is_not_waited_for() {
        let mut process = shell("rig-end", "echo 'no such file' >&2; exit 3");
        let error = process.wait_for_line("port: ", LONG).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("no such file"), "{error}");
    }

    #[test]
    fn ends_when_asked_and_when_dropped() {
        let mut process = shell("rig-term", "trap 'exit 0' TERM; while true; do sleep 0.01; done");
        let pid = process.pid();
        assert!(is_alive(pid));
        process.terminate(LONG).unwrap();
        assert!(!is_alive(pid));

        let mut process = shell("rig-drop", "sleep 60 & echo child: $!; wait");
        let (pid, child) = (process.pid(), process.wait_for_line("child: ", LONG).unwrap().parse().unwrap());
        drop(process);
        assert!(!is_alive(pid));
        poll("the end of the child's child", LONG, || Ok((!is_running(child)).then_some(()))).unwrap();
    }
}
