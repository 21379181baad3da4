//! A folder to run commands in, and what they said.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub const POLICY: &str = "version: 1
roles: {staff: {}}
public: [{path: {exact: /}}]
rules:
  - {id: staff, effect: allow, who: {roles: [staff]}, target: {path: {under: /staff}}}
";

/// A folder to work in, and what ran there last.
pub struct Desk {
    folder: TempDir,
}

pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        Self::finish(&mut self.command(arguments), input)
    }

    pub fn finish(command: &mut Command, input: impl AsRef<[u8]>) -> Ran {
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.as_ref().to_vec();
        let feed = std::thread::spawn(move || {
            // The command may end without having read everything.
            let _ = stdin.write_all(&input);
        });
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        feed.join().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// A desk with `shop.bundle`.
    pub fn with_bundle() -> Self {
        let desk = Self::new();
        desk.write("shop.yaml", POLICY);
        desk.run(&["compile", "shop.yaml", "-o", "shop.bundle"], "").expect(0);
        desk
    }

    pub fn decide(&self, more: &[&str], input: impl AsRef<[u8]>) -> Ran {
        self.run(&[&["decide", "--bundle", "shop.bundle"], more].concat(), input)
    }
}

impl Ran {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
