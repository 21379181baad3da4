//! The command line, by running the binary.
#![expect(clippy::unwrap_used, reason = "clippy allows it in tests, but not in the helpers of an integration test")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const POLICY: &str = "version: 1
roles: {staff: {}}
public: [{path: {exact: /}}]
rules:
  - {id: staff, effect: allow, who: {roles: [staff]}, target: {path: {under: /staff}}}
";

/// Base64 of 32 zero bytes.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

/// A folder to work in, and what ran there last.
struct Desk {
    folder: TempDir,
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut child = self.command(arguments).spawn().unwrap();
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
    fn with_bundle() -> Self {
        let desk = Self::new();
        desk.write("shop.yaml", POLICY);
        desk.run(&["compile", "shop.yaml", "-o", "shop.bundle"], "").expect(0);
        desk
    }

    fn decide(&self, more: &[&str], input: impl AsRef<[u8]>) -> Ran {
        self.run(&[&["decide", "--bundle", "shop.bundle"], more].concat(), input)
    }
}

impl Ran {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

// === compile ===

#[test]
fn compile_writes_a_bundle_and_nothing_else() {
    let desk = Desk::new();
    desk.write("shop.yaml", POLICY);
    let ran = desk.run(&["compile", "shop.yaml", "-o", "shop.bundle"], "").expect(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    assert_eq!(desk.files(), ["shop.bundle", "shop.yaml"]);
}

#[test]
fn compile_reads_standard_input_and_replaces_the_output() {
    let desk = Desk::new();
    desk.write("shop.bundle", "old");
    desk.run(&["compile", "-", "-o", "shop.bundle", "--tenant", "shop", "--revision", "7"], POLICY).expect(0);
    let shown: Value = serde_json::from_str(&desk.run(&["inspect", "shop.bundle"], "").expect(0).out).unwrap();
    assert_eq!((&shown["tenant"], &shown["revision"]), (&json!("shop"), &json!(7)));
}

#[test]
fn compile_shows_every_diagnostic_and_writes_nothing() {
    let desk = Desk::new();
    desk.write("shop.bundle", "old");
    desk.write("shop.yaml", "version: 1\nrulez: []\nrules:\n  - {effect: perhaps, who: {anyone: true}}\n");
    let ran = desk.run(&["compile", "shop.yaml", "-o", "shop.bundle"], "").expect(2);
    assert!(ran.err.lines().count() >= 2, "{}", ran.err);
    assert!(ran.err.lines().any(|line| line.starts_with("shop.yaml:2:1: error: ")), "{}", ran.err);
    assert!(ran.err.lines().any(|line| line.starts_with("shop.yaml:4:") && line.contains(": error: ")), "{}", ran.err);
    assert_eq!(fs::read_to_string(desk.path("shop.bundle")).unwrap(), "old");
    assert_eq!(desk.files(), ["shop.bundle", "shop.yaml"]);
}

#[test]
fn compile_shows_warnings_and_goes_on() {
    let desk = Desk::new();
    let policy = "version: 1\nrules:\n  - {effect: allow, who: {roles: [stuff]}, target: {path: {exact: /}}}\n";
    let ran = desk.run(&["compile", "-", "-o", "shop.bundle"], policy).expect(0);
    assert!(ran.err.starts_with("stdin:3:") && ran.err.contains(": warning: "), "{}", ran.err);
    assert_eq!(desk.files(), ["shop.bundle"]);
}

#[test]
fn compile_points_at_the_byte_that_is_not_utf8() {
    let desk = Desk::new();
    desk.write("shop.yaml", b"version: 1\n# \xc3\xa9\xff\n");
    let ran = desk.run(&["compile", "shop.yaml", "-o", "shop.bundle"], "").expect(2);
    assert_eq!(ran.err, "shop.yaml:2:4: error: document is not UTF-8\n");
}

#[test]
fn compile_without_input_output_or_key_says_so() {
    let desk = Desk::new();
    desk.write("shop.yaml", POLICY);
    let ran = desk.run(&["compile", "none.yaml", "-o", "shop.bundle"], "").expect(1);
    assert!(ran.err.starts_with("portcullis: cannot read `none.yaml`: "), "{}", ran.err);
    let ran = desk.run(&["compile", "shop.yaml", "-o", "none/shop.bundle"], "").expect(1);
    assert!(ran.err.starts_with("portcullis: cannot write `none/shop.bundle`: "), "{}", ran.err);
    desk.write("short.key", "AAAA\n");
    for key in ["none.key", "short.key"] {
        let ran = desk.run(&["compile", "shop.yaml", "-o", "shop.bundle", "--sign", key], "").expect(1);
        assert!(ran.err.contains(key) && ran.err.lines().count() == 1, "{}", ran.err);
    }
    assert_eq!(desk.files(), ["shop.yaml", "short.key"]);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let desk = Desk::new();
    desk.write("shop.yaml", POLICY);
    for arguments in [
        &["compile", "shop.yaml"][..],
        &["compile", "shop.yaml", "-o", "b", "--tenant", "No"],
        &["compile", "shop.yaml", "-o", "b", "--revision", "0"],
        &["decide"],
        &["decide", "--bundle", "b", "--engine", "magic"],
        &["explain", "shop.yaml"],
        &["explain", "--request", "{}"],
        &["explain", "shop.yaml", "--bundle", "b", "--request", "{}"],
        &["diff", "shop.yaml", "shop.yaml"],
        &["import", "shop.yaml"],
        &["import", "keycloak", "shop.yaml"],
        &["serve", "--port", "1"],
        &["frobnicate"],
        &[],
    ] {
        desk.run(arguments, "").expect(2);
    }
    assert_eq!(desk.files(), ["shop.yaml"]);
}

#[test]
fn every_command_has_help_with_an_example() {
    let desk = Desk::new();
    for command in ["compile", "decide", "diff", "explain", "import", "inspect", "lint", "serve", "test"] {
        let help = desk.run(&[command, "--help"], "").expect(0).out;
        assert!(help.contains("Example:\n") && help.contains(&format!("portcullis {command}")), "{help}");
    }
}

// === inspect ===

#[test]
fn inspect_describes_a_signed_bundle() {
    let desk = Desk::new();
    desk.write("shop.yaml", POLICY);
    desk.write("seed.key", KEY);
    desk.run(&["compile", "shop.yaml", "-o", "shop.bundle", "--sign", "seed.key"], "").expect(0);
    let shown: Value = serde_json::from_str(&desk.run(&["inspect", "shop.bundle"], "").expect(0).out).unwrap();
    assert_eq!((&shown["tenant"], &shown["revision"], &shown["expires"]), (&json!("default"), &json!(1), &Value::Null));
    assert_eq!((&shown["signed"], &shown["counts"]["rules"]), (&json!(true), &json!(1)));
    // First 8 bytes of the SHA-256 of the public key of RFC 8032's algorithm for 32 zero bytes.
    assert_eq!(shown["key_id"], "139e3940e64b5491");
    assert_eq!(shown["digest"].as_str().unwrap().len(), 64);
    assert_eq!(shown["size_bytes"], fs::metadata(desk.path("shop.bundle")).unwrap().len());
}

#[test]
fn a_damaged_bundle_is_refused_by_every_command() {
    let desk = Desk::with_bundle();
    let bundle = fs::read(desk.path("shop.bundle")).unwrap();
    let mut flipped = bundle.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [&bundle[..bundle.len() - 1], &flipped, b"", b"not a bundle"] {
        desk.write("shop.bundle", damaged);
        for arguments in [
            &["inspect", "shop.bundle"][..],
            &["decide", "--bundle", "shop.bundle"],
            &["decide", "--bundle", "shop.bundle", "--engine", "native"],
        ] {
            let ran = desk.run(arguments, "").expect(1);
            assert!(ran.err.starts_with("portcullis: cannot use the bundle `shop.bundle`: "), "{}", ran.err);
            assert_eq!((ran.err.lines().count(), ran.out.as_str()), (1, ""), "{}", ran.err);
        }
    }
}

// === decide ===

const REQUESTS: &str = r#"{"action": "GET", "path": "/"}
{"action": "GET", "path": "/staff/x", "subject": {"id": "a", "roles": ["staff"]}}
{"action": "GET", "path": "/staff/x"}
"#;

#[test]
fn decide_answers_each_line_in_order_with_either_engine() {
    let desk = Desk::with_bundle();
    let component = desk.decide(&[], REQUESTS).expect(0);
    let expected = json!({"decision": "allow", "status": 200, "reason": "rule", "rules": ["staff"],
        "restriction": null, "obligations": [], "errors": [], "revision": 1});
    let decisions = component.lines();
    assert_eq!(decisions[1], expected);
    let reasons: Vec<&Value> = decisions.iter().map(|decision| &decision["reason"]).collect();
    assert_eq!(reasons, ["public", "rule", "unauthenticated"]);
    assert_eq!(component.err, "");
    assert_eq!(desk.decide(&["--engine", "native"], REQUESTS).expect(0).out, component.out);
    assert_eq!(desk.decide(&["--engine", "component"], REQUESTS.trim_end()).expect(0).out, component.out);
    assert_eq!(desk.decide(&[], "").expect(0).out, "");
}

#[test]
fn decide_can_explain() {
    let desk = Desk::with_bundle();
    for engine in ["component", "native"] {
        let explained = desk.decide(&["--explain", "--engine", engine], REQUESTS).expect(0).lines();
        assert_eq!(explained[2]["reason"], "unauthenticated");
        assert_eq!(explained[2]["explanation"]["nearest"], json!([{"rule": "staff", "failed": ["who"]}]));
        assert_eq!(explained[0]["explanation"]["stages"][0], json!({"stage": "normalization", "outcome": "passed"}));
    }
}

#[test]
fn a_bad_line_is_answered_on_its_line_and_the_others_go_on() {
    let desk = Desk::with_bundle();
    let mut input = Vec::new();
    let long = [vec![b' '; 1 << 20], b"{}".to_vec()].concat();
    for line in [
        &b"{\"action\": \"GET\", \"path\": \"/\"}"[..],
        b"not json",
        b"",
        b"{\"action\": \"GET\", \"path\": \"/\", \"colour\": 1}",
        b"{\"action\": \"\xff\"}",
        &long,
        b"[\"GET\", null, \"/\", null, null, null, null, null, null, null, null]",
        b"{\"action\": \"GET\", \"path\": \"/\"}\r",
    ] {
        input.extend_from_slice(line);
        input.push(b'\n');
    }
    let answers = desk.decide(&[], &input).expect(1).lines();
    assert_eq!(answers.len(), 8);
    assert_eq!((&answers[0]["reason"], &answers[7]["reason"]), (&json!("public"), &json!("public")));
    assert_eq!(answers[2], json!({"error": "line 3: empty"}));
    assert_eq!(answers[4], json!({"error": "line 5: not UTF-8 at byte 13"}));
    assert_eq!(answers[5], json!({"error": "line 6: longer than 1048576 bytes"}));
    let array = "line 7: invalid type: sequence, expected an object";
    for (at, expected) in [(6, array), (1, "line 2: "), (3, "line 4: unknown field `colour`")] {
        assert!(answers[at]["error"].as_str().unwrap().starts_with(expected), "{}", answers[at]);
    }
}

#[test]
fn decide_answers_a_line_before_it_waits_for_the_next() {
    let desk = Desk::with_bundle();
    let mut child = desk.command(&["decide", "--bundle", "shop.bundle"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for line in REQUESTS.lines() {
        // In two parts: half a line is no reason to answer, nor to forget what was answered.
        let (first, second) = line.split_at(5);
        stdin.write_all(first.as_bytes()).unwrap();
        stdin.write_all(format!("{second}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert!(answer.contains("\"decision\""), "{answer}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn decide_ends_quietly_when_nobody_reads() {
    let desk = Desk::with_bundle();
    let mut child = desk.command(&["decide", "--bundle", "shop.bundle", "--engine", "native"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    // Writing fails as soon as the command is gone.
    while stdin.write_all(REQUESTS.as_bytes()).is_ok() {}
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

// === lint ===

#[test]
fn lint_shows_findings_with_their_names_and_lines() {
    let desk = Desk::new();
    desk.write("shop.yaml", POLICY);
    let ran = desk.run(&["lint", "shop.yaml"], "").expect(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    let twice = POLICY.to_owned()
        + "  - {id: again, effect: allow, who: {roles: [staff]}, target: {path: {exact: /staff/x}}}\n";
    let ran = desk.run(&["lint", "-"], &twice).expect(1);
    let expected = "\
stdin:6:5: warning: rule `again` changes nothing: rule `staff` of line 5 covers it [shadowed-rule]
  |
6 |   - {id: again, effect: allow, who: {roles: [staff]}, target: {path: {exact: /staff/x}}}
  |     ^
  |
  = help: remove it, or make the other narrower
";
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", expected));
    let ran = desk.run(&["lint", "-"], "version: 1\nrulez: []\n").expect(2);
    assert!(ran.err.starts_with("stdin:2:1: error: `rulez` is not a key of a policy document\n"), "{}", ran.err);
}

// === test ===

const TESTS: &str = "tests:
  - {name: home is public, request: {action: GET, path: /}, expect: {decision: allow, reason: public}}
  - {name: staff may enter, request: {action: GET, path: /staff, subject: {id: u}}, expect: {decision: allow}}
";

#[test]
fn test_explains_failures_and_lists_rules_that_were_never_exercised() {
    let desk = Desk::new();
    desk.write("shop.yaml", POLICY.to_owned() + TESTS);
    let ran = desk.run(&["test", "shop.yaml"], "").expect(1);
    let (begin, end) = (
        "ok    home is public\nFAIL  staff may enter (shop.yaml:8:5)\n      decision: expected \"allow\", found \"deny\"\n      | deny, 403, no_match\n",
        "      |   staff: who\n2 tests, 1 failed\n0 of 1 rules exercised\n\nnever exercised:\n  staff  allow   line 5\n",
    );
    assert!(ran.out.starts_with(begin) && ran.out.ends_with(end), "{}", ran.out);
    assert_eq!(ran.err, "");
    let lines = desk.run(&["test", "--json", "shop.yaml"], "").expect(1).lines();
    assert_eq!(lines[0], json!({"test": "home is public", "line": 7, "column": 5, "passed": true}));
    assert_eq!(lines[1]["differences"], json!([{"key": "decision", "expected": "allow", "found": "deny"}]));
    assert_eq!(lines[1]["decision"]["explanation"]["nearest"], json!([{"rule": "staff", "failed": ["who"]}]));
    assert_eq!((&lines[2]["tests"], &lines[2]["failed"]), (&json!(2), &json!(1)));
    assert_eq!(lines[2]["coverage"], json!([{"rule": "staff", "effect": "allow", "line": 5, "tests": 0}]));
}

#[test]
fn test_ends_well_when_all_pass_or_there_are_none() {
    let desk = Desk::new();
    let text = POLICY.to_owned() + &TESTS.replace("subject: {id: u}", "subject: {id: u, roles: [staff]}");
    let ran = desk.run(&["test", "-"], &text).expect(0);
    assert_eq!(ran.out, "ok    home is public\nok    staff may enter\n2 tests, 0 failed\n1 of 1 rules exercised\n");
    let ran = desk.run(&["test", "-"], POLICY).expect(0);
    assert!(ran.out.starts_with("0 tests, 0 failed\n0 of 1 rules exercised\n"), "{}", ran.out);
    let ran = desk.run(&["test", "-"], "tests: [{name: a}]\n").expect(2);
    assert!(ran.out.is_empty() && ran.err.contains("error: test has no `request`"), "{}", ran.err);
}

// === explain ===

#[test]
fn explain_reads_a_document_or_a_bundle() {
    let desk = Desk::with_bundle();
    let request = r#"{"action": "GET", "path": "/staff/x"}"#;
    let text = desk.run(&["explain", "shop.yaml", "--request", request], "").expect(0).out;
    assert!(text.starts_with("deny, 401, unauthenticated\n") && text.ends_with("\n  staff: who\n"), "{text}");
    assert_eq!(desk.run(&["explain", "--bundle", "shop.bundle", "--request", "-"], request).expect(0).out, text);
    let explained = desk.run(&["explain", "shop.bundle", "--json", "--request", request], "").expect(0).lines();
    let decided = desk.decide(&["--explain"], request).expect(0).lines();
    assert_eq!(explained, decided);
}

#[test]
fn explain_points_at_what_is_wrong_with_the_request() {
    let desk = Desk::with_bundle();
    let ran = desk.run(&["explain", "shop.yaml", "--request", r#"{"action": "GET", "pth": "/"}"#], "").expect(2);
    let line = "request:1:19: error: `pth` is not a key of a request\n";
    assert!(ran.err.contains(line) && ran.err.contains("  = help: did you mean `path`?\n"), "{}", ran.err);
    let ran = desk.run(&["explain", "none.yaml", "--request", r#"{"action": "GET", "path": "/"}"#], "").expect(1);
    assert!(ran.err.starts_with("portcullis: cannot read `none.yaml`: "), "{}", ran.err);
}

// === diff ===

#[test]
fn diff_lists_the_requests_that_would_be_answered_otherwise() {
    let desk = Desk::with_bundle();
    desk.write("requests.jsonl", REQUESTS);
    let same = desk.run(&["diff", "shop.yaml", "shop.bundle", "--requests", "requests.jsonl"], "").expect(0);
    let summary = "3 requests, 0 would change: 0 from allow to deny, 0 from deny to allow, 0 in something else\n";
    assert_eq!((same.out.as_str(), same.err.as_str()), ("", summary));

    // The rule has moved and has another name, the public path is gone.
    let new = "version: 1\nroles: {staff: {}}\nrules:\n  - {effect: deny, who: {roles: [staff]}, target: {path: {exact: /x}}}\n  - {id: s, effect: allow, who: {roles: [staff]}, target: {path: {under: /staff}}}\n";
    desk.write("new.yaml", new);
    desk.write("requests.jsonl", REQUESTS.to_owned() + "nonsense\n");
    let ran = desk.run(&["diff", "shop.bundle", "new.yaml", "--requests", "requests.jsonl"], "").expect(1);
    let lines = ran.lines();
    assert_eq!((lines.len(), &lines[0]["line"]), (2, &json!(1)));
    assert_eq!(lines[0]["request"], json!({"action": "GET", "path": "/"}));
    assert_eq!((&lines[0]["old"]["reason"], &lines[0]["new"]["reason"]), (&json!("public"), &json!("unauthenticated")));
    assert!(lines[1]["error"].as_str().unwrap().starts_with("line 4: "), "{}", lines[1]);
    let summary = "3 requests, 1 would change: 1 from allow to deny, 0 from deny to allow, 0 in something else; 1 lines are no requests\n";
    assert_eq!(ran.err, summary);

    let ran = desk.run(&["diff", "shop.bundle", "-", "--requests", "requests.jsonl"], "rulez: []\n").expect(2);
    assert!(ran.out.is_empty() && ran.err.contains("stdin:1:1: error: "), "{}", ran.err);
}

// === import ===

#[test]
fn import_writes_a_document_that_compiles_and_notes_on_stderr() {
    let desk = Desk::new();
    let seeds = "permissions:\n  - {role: member, verb: get, path: api/v2/shop, action: accept}\n  - {role: member, verb: get, path: /x, action: accept}\n";
    let ran = desk.run(&["import", "barong", "-"], seeds).expect(0);
    assert!(ran.err.starts_with("stdin:3:5: warning: permission is left out: "), "{}", ran.err);
    desk.write("policy.yaml", &ran.out);
    desk.run(&["compile", "policy.yaml", "-o", "shop.bundle"], "").expect(0);
    let request = r#"{"action": "GET", "path": "/api/v2/shop/1", "subject": {"id": "u", "roles": ["member"]}}"#;
    assert_eq!(desk.decide(&[], request).expect(0).lines()[0]["decision"], "allow");

    let ran = desk.run(&["import", "padlock", "-"], "a: b\n").expect(2);
    assert!(ran.out.is_empty() && ran.err.starts_with("stdin:1:1: error: expected a configuration"), "{}", ran.err);
}

// === serve ===

/// A running server; killed when the test ends early.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
    /// Lines before `listening`.
    lines: Vec<String>,
}

impl Server {
    fn start(desk: &Desk, more: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"], more].concat();
        let mut child = desk.command(&arguments).stderr(Stdio::inherit()).env("RUST_LOG", "warn").spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut lines = Vec::new();
        let address = loop {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "it ended: {lines:?}");
            match line.trim_end().strip_prefix("listening on http://") {
                Some(address) => break address.parse().unwrap(),
                None => lines.push(line.trim_end().to_owned()),
            }
        };
        Self { child, stdout, address, lines }
    }

    fn line(&self, prefix: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(prefix))
    }

    fn open(&self, method: &str, path: &str, token: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{authorization}{headers}content-length: {length}\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        stream
    }

    /// Status, head and body of one exchange.
    fn ask(&self, method: &str, path: &str, token: &str, headers: &str, body: &str) -> (u16, String, String) {
        answer(self.open(method, path, token, headers, body))
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Exit code after the signal, and what else was on stdout.
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let code = self.child.wait().unwrap().code();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (code, rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer(mut stream: TcpStream) -> (u16, String, String) {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn serve_is_set_up_used_stopped_and_started_again() {
    let desk = Desk::new();
    let server = Server::start(&desk, &[]);
    assert_eq!((mode(&desk.path("data")), mode(&desk.path("data/signing.key"))), (0o700, 0o600));
    let key = server.line("bundle key: ").unwrap().to_owned();
    assert_eq!(key.len(), 44);
    assert_eq!(server.ask("GET", "/healthz", "", "", "").0, 200);
    let setup = server.line("setup token: ").unwrap().to_owned();
    let json_type = "content-type: application/json\r\n";
    let (status, _, body) = server.ask("POST", "/setup", &setup, json_type, r#"{"id": "root"}"#);
    assert_eq!(status, 201, "{body}");
    let token = serde_json::from_str::<Value>(&body).unwrap()["token"].as_str().unwrap().to_owned();
    let (status, _, body) = server.ask("PUT", "/policy/document", &token, "content-type: application/yaml\r\n", POLICY);
    assert_eq!(status, 201, "{body}");
    let tag = |server: &Server| {
        let (status, head, _) = server.ask("GET", "/policy/bundle", &token, "", "");
        assert_eq!(status, 200);
        head.lines().find(|line| line.starts_with("etag: ")).unwrap().to_owned()
    };
    let before = tag(&server);

    // A long poll under way is answered when the server stops, and does not hold it up.
    let condition = before.replace("etag", "if-none-match") + "\r\n";
    let poll = server.open("GET", "/policy/bundle?wait=60", &token, &condition, "");
    // Connections are accepted in order, so the poll is under way when a later one was answered.
    assert_eq!(tag(&server), before);
    assert_eq!(server.end("-TERM"), (Some(0), String::new()));
    assert_eq!(answer(poll).0, 304);

    let server = Server::start(&desk, &[]);
    assert_eq!((server.line("bundle key: "), server.line("setup token: ")), (Some(key.as_str()), None));
    assert_eq!(tag(&server), before);
    let (_, _, body) = server.ask("POST", "/policy/decide", &token, json_type, r#"{"action": "GET", "path": "/"}"#);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["reason"], "public");
    assert_eq!(server.end("-INT"), (Some(0), String::new()));
}

#[test]
fn serve_prints_a_new_setup_token_until_set_up_is_done() {
    let desk = Desk::new();
    let first = Server::start(&desk, &[]);
    let old = first.line("setup token: ").unwrap().to_owned();
    first.end("-TERM");
    let second = Server::start(&desk, &[]);
    let new = second.line("setup token: ").unwrap().to_owned();
    assert_ne!(old, new);
    let json_type = "content-type: application/json\r\n";
    assert_eq!(second.ask("POST", "/setup", &old, json_type, r#"{"id": "root"}"#).0, 401);
    assert_eq!(second.ask("POST", "/setup", &new, json_type, r#"{"id": "root"}"#).0, 201);
    assert_eq!(second.ask("POST", "/setup", &new, json_type, r#"{"id": "root"}"#).0, 401);
}

#[test]
fn serve_refuses_settings_in_one_line() {
    let desk = Desk::new();
    desk.write("portcullis.toml", "lissten = '127.0.0.1:0'");
    for (arguments, expected) in [
        (&["serve", "--config", "portcullis.toml"][..], "portcullis: unknown setting `lissten`"),
        (&["serve", "--config", "none.toml"], "portcullis: cannot read the configuration `none.toml`: "),
        (&["serve", "--listen", "here"], "portcullis: `listen` is `here`"),
        (
            &["serve", "--database", "postgres://db/x"],
            "portcullis: `database` is a URL that this version does not support",
        ),
    ] {
        let ran = desk.run(arguments, "").expect(2);
        assert!(ran.err.starts_with(expected) && ran.err.lines().count() == 1, "{}", ran.err);
        assert_eq!(ran.out, "");
    }
    assert_eq!(desk.files(), ["portcullis.toml"]);
}

#[test]
fn serve_on_a_port_in_use_says_so_and_leaves_the_setup_token() {
    let desk = Desk::new();
    let server = Server::start(&desk, &[]);
    let address = server.address.to_string();
    let ran = desk.run(&["serve", "--listen", &address, "--data-dir", "data"], "").expect(1);
    assert!(ran.err.contains(&format!("portcullis: cannot listen on {address}: ")), "{}", ran.err);
    let setup = server.line("setup token: ").unwrap();
    let answer = server.ask("POST", "/setup", setup, "content-type: application/json\r\n", r#"{"id": "root"}"#);
    assert_eq!(answer.0, 201);
}
