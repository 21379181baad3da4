//! wrk: requests as fast as answers come, from a process of its own, and how long they took.

use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Path of another wrk to use.
const OVERRIDE: &str = "PORTCULLIS_WRK";

/// A wrk of this machine.
#[derive(Clone, Debug)]
pub struct Wrk {
    binary: PathBuf,
    /// Of what was unpacked beside it.
    libraries: Option<PathBuf>,
}

/// A question of a proxy, as padlock's `/v1/allow` reads it.
#[derive(Clone, Debug)]
pub struct Question {
    pub user: String,
    pub method: String,
    pub host: String,
    pub path: String,
}

#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub per_second: f64,
    pub median_us: f64,
    pub p99_us: f64,
    /// Answers with a status above 399.
    pub refused: u64,
    /// No answer at all.
    pub lost: u64,
}

/// Asks each question of the file in turn; all are put together before the clock runs.
const SCRIPT: &str = r#"
local asks, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    local user, method, host, path = line:match("^(%S+) (%S+) (%S+) (%S+)$")
    asks[#asks + 1] = wrk.format("GET", "/v1/allow", {
      ["x-caller-userid"] = user, ["x-forwarded-method"] = method,
      ["x-forwarded-host"] = host, ["x-forwarded-uri"] = path,
    })
  end
end
function request()
  at = at % #asks + 1
  return asks[at]
end
function done(summary, latency)
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("measured: %d %d %f %f %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status, lost))
end
"#;

impl Wrk {
    /// The one of `PORTCULLIS_WRK`, else the one that is installed, else the one in `tools/wrk`, unpacked there from
    /// Debian's packages when it is missing.
    pub fn find_or_install(tools: &Path) -> Result<Self> {
        if let Some(path) = env::var_os(OVERRIDE) {
            return Self::at(path.into(), None).with_context(|| format!("{OVERRIDE} does not name a wrk"));
        }
        if let Ok(installed) = Self::at("wrk".into(), None) {
            return Ok(installed);
        }
        let folder = tools.join("wrk");
        let libraries = folder.join(format!("usr/lib/{}-linux-gnu", env::consts::ARCH));
        let unpacked = || Self::at(folder.join("usr/bin/wrk"), Some(libraries.clone()));
        fs::create_dir_all(&folder)?;
        let lock = File::create(tools.join("wrk.lock"))?;
        lock.lock()?;
        if let Ok(found) = unpacked() {
            return Ok(found);
        }
        let hint = format!("cannot get wrk: install Debian's package `wrk`, or set {OVERRIDE}");
        let unpack = "apt-get download wrk libluajit-5.1-2 && \
                      for package in *.deb; do dpkg-deb --extract \"$package\" .; rm \"$package\"; done";
        let output = Command::new("sh").args(["-ec", unpack]).current_dir(&folder).output().context(hint.clone())?;
        ensure!(output.status.success(), "{hint}: {}", String::from_utf8_lossy(&output.stderr).trim());
        unpacked()
    }

    fn at(binary: PathBuf, libraries: Option<PathBuf>) -> Result<Self> {
        let wrk = Self { binary, libraries };
        let output = wrk.command().arg("-v").output()?;
        ensure!(String::from_utf8_lossy(&output.stdout).starts_with("wrk"), "not wrk");
        Ok(wrk)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    /// Writes the questions to `folder`, for `ask`.
    pub fn prepare(folder: &Path, questions: &[Question]) -> Result<()> {
        let line = |Question { user, method, host, path }: &Question| format!("{user} {method} {host} {path}\n");
        fs::write(folder.join("questions"), questions.iter().map(line).collect::<String>())?;
        Ok(fs::write(folder.join("ask.lua"), SCRIPT)?)
    }

    /// Asks the questions in `folder` over `connections` at once, in turn and again, for so many seconds.
    pub fn ask(&self, address: SocketAddr, folder: &Path, connections: u32, seconds: u32) -> Result<Measured> {
        let mut command = self.command();
        command.args(["--threads", "1", "--latency", "--connections", &connections.to_string()]);
        command.args(["--duration", &format!("{seconds}s"), "--script"]).arg(folder.join("ask.lua"));
        command.arg(format!("http://{address}")).arg("--").arg(folder.join("questions"));
        let output = command.output()?;
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "wrk: {stdout}{stderr}");
        let line = stdout.lines().find_map(|line| line.strip_prefix("measured: "));
        let numbers = line.unwrap_or_default().split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>();
        let numbers = numbers.with_context(|| format!("wrk: {stdout}{stderr}"))?;
        let [requests, duration_us, median_us, p99_us, refused, lost] = numbers[..] else {
            anyhow::bail!("wrk: {stdout}{stderr}")
        };
        let per_second = requests / duration_us * 1e6;
        Ok(Measured { per_second, median_us, p99_us, refused: refused as u64, lost: lost as u64 })
    }
}
