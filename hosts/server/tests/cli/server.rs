//! A server that runs, for tests of `portcullis serve`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::desk::Desk;

/// A running server; killed when the test ends early.
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub address: SocketAddr,
    /// Lines before `listening`.
    lines: Vec<String>,
}

impl Server {
    pub fn start(desk: &Desk, more: &[&str]) -> Self {
        Self::start_with(desk, more, |command| command.stderr(Stdio::inherit()).env("RUST_LOG", "warn"))
    }

    /// `change` says how it is run.
    pub fn start_with(desk: &Desk, more: &[&str], change: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"], more].concat();
        let mut child = change(&mut desk.command(&arguments)).spawn().unwrap();
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

    pub fn line(&self, prefix: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(prefix))
    }

    pub fn open(&self, method: &str, path: &str, token: &str, headers: &str, body: &str) -> TcpStream {
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
    pub fn ask(&self, method: &str, path: &str, token: &str, headers: &str, body: &str) -> (u16, String, String) {
        answer(self.open(method, path, token, headers, body))
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Exit code after the signal, and what else was on stdout.
    pub fn end(self, signal: &str) -> (Option<i32>, String) {
        let (code, rest, _) = self.end_with_logs(signal);
        (code, rest)
    }

    /// The same, and what was on stderr, if that is a pipe; little enough to fit into it.
    pub fn end_with_logs(mut self, signal: &str) -> (Option<i32>, String, String) {
        self.signal(signal);
        let code = self.child.wait().unwrap().code();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let mut logs = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut logs).unwrap();
        }
        (code, rest, logs)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn answer(mut stream: TcpStream) -> (u16, String, String) {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}
