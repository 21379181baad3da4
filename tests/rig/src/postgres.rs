//! A real PostgreSQL on a data folder of its own, reached over a Unix socket, stopped with its handle.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::process::Process;

const TIMEOUT: Duration = Duration::from_secs(60);
/// Folder with `initdb` and `postgres` of another one to use.
const OVERRIDE: &str = "PORTCULLIS_POSTGRES";
/// Where Debian has each version: `15/bin`.
const INSTALLED: &str = "/usr/lib/postgresql";
/// PostgreSQL does not run as root; Debian gives this number to nobody.
const NOBODY: u32 = 65_534;

/// A PostgreSQL of this machine.
#[derive(Clone, Debug)]
pub struct PostgresBinary {
    folder: PathBuf,
    /// Of what was unpacked beside it.
    libraries: Option<PathBuf>,
}

/// Whether what is committed survives the machine; without, tests are faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    Full,
    None,
}

#[derive(Debug)]
pub struct Postgres {
    process: Process,
    folder: PathBuf,
}

// === impl PostgresBinary ===

impl PostgresBinary {
    /// The one of `PORTCULLIS_POSTGRES`, else the newest that is installed, else the one in `tools/postgres`, unpacked
    /// there from Debian's packages when it is missing.
    pub fn find_or_install(tools: &Path) -> Result<Self> {
        if let Some(folder) = env::var_os(OVERRIDE) {
            let found = Self { folder: folder.into(), libraries: None };
            found.version().with_context(|| format!("{OVERRIDE} does not name a folder with `postgres`"))?;
            return Ok(found);
        }
        if let Some(folder) = newest(Path::new(INSTALLED)) {
            return Ok(Self { folder, libraries: None });
        }
        let root = tools.join("postgres");
        fs::create_dir_all(tools)?;
        // Tests run at once, in processes of their own.
        let lock = File::create(tools.join("postgres.lock"))?;
        lock.lock()?;
        if newest(&root.join("usr/lib/postgresql")).is_none() {
            unpack(&root).with_context(|| {
                format!("cannot get PostgreSQL: install Debian's package `postgresql`, or set {OVERRIDE}")
            })?;
        }
        let folder = newest(&root.join("usr/lib/postgresql")).context("the packages hold no `postgres`")?;
        let libraries = root.join(format!("usr/lib/{}-linux-gnu", env::consts::ARCH));
        Ok(Self { folder, libraries: Some(libraries) })
    }

    pub fn version(&self) -> Result<String> {
        let output = self.command("postgres").arg("--version").output()?;
        ensure!(output.status.success(), "postgres --version: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    /// The same, run by somebody who is not root.
    fn unprivileged(&self, program: &str) -> Result<Command> {
        let mut command = self.command(program);
        if is_root()? {
            command.uid(NOBODY).gid(NOBODY);
        }
        Ok(command)
    }
}

// === impl Postgres ===

impl Postgres {
    /// Makes a database cluster in `folder`, which is empty and belongs to it afterwards, and starts a server on it.
    pub fn start(binary: &PostgresBinary, folder: &Path, durability: Durability) -> Result<Self> {
        let folder = folder.canonicalize()?;
        if is_root()? {
            chown(&folder, Some(NOBODY), Some(NOBODY))?;
        }
        let data = folder.join("data");
        // Texts sort by language unless a column says otherwise, as on most machines.
        let mut initdb = binary.unprivileged("initdb")?;
        initdb
            .args(["--username=portcullis", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .args(["--locale-provider=icu", "--icu-locale=en-US", "--pgdata"])
            .arg(&data)
            .current_dir(&folder);
        let output = initdb.output().context("starting initdb")?;
        ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr).trim());
        let process = Self::serve(binary, &folder, durability)?;
        Ok(Self { process, folder })
    }

    fn serve(binary: &PostgresBinary, folder: &Path, durability: Durability) -> Result<Process> {
        let mut command = binary.unprivileged("postgres")?;
        command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).current_dir(folder);
        command.args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
        if durability == Durability::None {
            command.args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
        }
        let mut process = Process::start("postgres", &mut command, folder)?;
        process.wait_until("PostgreSQL to accept connections", TIMEOUT, |process| {
            Ok(process.stderr().contains("ready to accept connections").then_some(()))
        })?;
        Ok(process)
    }

    /// Where a database of that name is, or would be.
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.to_string_lossy().replace('%', "%25").replace('/', "%2F");
        format!("postgres://portcullis@{folder}/{database}")
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

impl Drop for Postgres {
    /// An orderly end, as its processes share memory that the system would keep.
    fn drop(&mut self) {
        // SIGINT: sessions are ended, then the server. What remains is killed with the handle of the process.
        let _ = self.process.interrupt(TIMEOUT);
    }
}

fn is_root() -> Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

/// `VERSION/bin` of the highest version in `folder`.
fn newest(folder: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let newest = versions.filter_map(|name| name.parse::<u32>().ok()).max()?;
    Some(folder.join(newest.to_string()).join("bin")).filter(|bin| bin.join("postgres").exists())
}

/// The server with the libraries that this machine lacks, without installing them.
fn unpack(root: &Path) -> Result<()> {
    let packages = root.join("packages");
    fs::create_dir_all(packages.join("partial"))?;
    let script = "apt-get install --yes --download-only --no-install-recommends -o Debug::NoLocking=1 \
                  -o Dir::Cache::archives=packages postgresql && \
                  for package in packages/*.deb; do dpkg-deb --extract \"$package\" .; done && rm -r packages";
    let output = Command::new("sh").args(["-c", script]).current_dir(root).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
