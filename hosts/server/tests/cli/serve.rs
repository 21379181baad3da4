//! `portcullis serve`: a server from its start to its end.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::desk::{Desk, POLICY};

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
            &["serve", "--database", "mysql://db/x"],
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
