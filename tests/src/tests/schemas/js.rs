//! The programs in `tests/js`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portcullis_artifacts::POLICY_COMPONENT_PATH;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("js")
}

/// Writes the component as an ES module to a folder: `portcullis-policy.js`, and what that imports.
pub(super) fn transpile(to: &Path) {
    assert!(folder().join("node_modules").is_dir(), "run `cargo xtask setup`, or `npm install` in tests/js");
    let mut transpile = Command::new("node");
    transpile.arg("transpile.js").arg(POLICY_COMPONENT_PATH).arg(to).current_dir(folder());
    let output = transpile.output().expect("node is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What a program with one argument answers to lines of JSON.
pub(in crate::tests) fn ask(program: &str, argument: &Path, lines: &str) -> Vec<Value> {
    let mut command = Command::new("node");
    command.arg(program).arg(argument).current_dir(folder()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut node = command.spawn().expect("node is installed");
    let mut stdin = node.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A program that fails does not read to the end.
            let _ = stdin.write_all(lines.as_bytes());
        });
        node.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program} ended with {}", output.status);
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
