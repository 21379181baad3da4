//! What `portcullis serve` tells about itself: lines of logs, and traces.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

use serde_json::Value;

use crate::desk::Desk;
use crate::server::Server;

/// What the server logs while it is asked `ask`, and stopped.
fn logs(desk: &Desk, arguments: &[&str], ask: impl FnOnce(&Server)) -> String {
    let server = Server::start_with(desk, arguments, |command| command.stderr(Stdio::piped()));
    ask(&server);
    let (code, _, logs) = server.end_with_logs("-TERM");
    assert_eq!(code, Some(0));
    logs
}

const TRUST: &str = "trusted_proxies = ['127.0.0.1']\n";

#[test]
fn a_request_is_one_line_of_json_without_its_secrets() {
    let desk = Desk::new();
    desk.write("portcullis.toml", format!("{TRUST}log_format = 'json'\n"));
    let logs = logs(&desk, &["--config", "portcullis.toml"], |server| {
        let setup = server.line("setup token: ").unwrap();
        let kind = "content-type: application/json\r\n";
        let (status, _, body) = server.ask("POST", "/setup", setup, kind, r#"{"id": "ro\"ot"}"#);
        assert_eq!(status, 201, "{body}");
        let token = serde_json::from_str::<Value>(&body).unwrap()["token"].as_str().unwrap().to_owned();
        let path = "/directory/users/nobody?secret=hidden";
        let (status, head, _) = server.ask("GET", path, &token, "x-request-id: edge-7\r\n", "");
        assert_eq!(status, 404);
        assert!(head.contains("x-request-id: edge-7"), "{head}");
        assert_eq!(server.ask("GET", "/no/such/path", "", "", "").0, 401);
        assert!(!setup.is_empty() && !token.is_empty());
    });
    let lines: Vec<Value> = logs.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<&Value> = lines.iter().filter(|line| line["target"] == "portcullis::request").collect();
    assert_eq!(requests.len(), 3, "{logs}");
    let told = |line: &Value| {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let status = line["response.status"].as_u64().unwrap();
        (format!("{} {} {status}", text("request.method"), text("request.route")), text("caller.id"))
    };
    assert_eq!(told(requests[0]), ("POST /setup 201".to_owned(), "setup".to_owned()));
    assert_eq!(told(requests[1]).1, "user/ro\"ot");
    assert_eq!(told(requests[2]), ("GET none 401".to_owned(), "anonymous".to_owned()));
    assert_eq!((&requests[1]["request.id"], &requests[1]["level"]), (&"edge-7".into(), &"info".into()));
    assert_eq!(
        (&requests[1]["peer.address"], &requests[1]["message"]),
        (&"127.0.0.1".into(), &"a request was answered".into())
    );
    assert!(requests[1]["duration_us"].is_u64() && requests[1]["time"].as_str().unwrap().ends_with('Z'));
    for secret in ["hidden", "pts_", "ptc_", "nobody", "such"] {
        assert!(!logs.contains(secret), "{secret} in {logs}");
    }
}

#[test]
fn nothing_that_a_client_says_begins_a_line() {
    let desk = Desk::new();
    let logs = logs(&desk, &[], |server| {
        let setup = server.line("setup token: ").unwrap();
        let kind = "content-type: application/json\r\n";
        let id = r#"{"id": "a\u2028level=ERROR\u202ec"}"#;
        let (status, _, body) = server.ask("POST", "/setup", setup, kind, id);
        assert_eq!(status, 422, "{body}");
    });
    let line = logs.lines().find(|line| line.contains("request.route=/setup ")).unwrap();
    assert!(line.contains(" INFO portcullis::request: a request was answered request.method=POST "), "{line}");
    assert!(!logs.contains(['\u{85}', '\u{2028}', '\u{202e}', '\u{1b}']), "{logs}");
}

#[test]
fn the_filter_says_what_is_logged() {
    let desk = Desk::new();
    let ask = |server: &Server| assert_eq!(server.ask("GET", "/healthz", "", "", "").0, 200);
    let quiet = logs(&desk, &["--log", "info,portcullis::request=off"], ask);
    assert!(quiet.contains("stopping") && !quiet.contains("/healthz"), "{quiet}");
    assert_eq!(logs(&desk, &["--log", "warn"], ask), "");
    let ask = |server: &Server| assert_eq!(server.ask("GET", "/v1/allow", "", "", "").0, 403);
    let usual = logs(&desk, &[], ask);
    assert!(!usual.contains("/v1/allow"), "a line for each request of each client of a proxy: {usual}");
    let told = logs(&desk, &["--log", "info,portcullis::request=debug"], ask);
    assert!(told.contains("request.route=/v1/allow response.status=403"), "{told}");
    let ran = desk.run(&["serve", "--log", "=x=", "--data-dir", "data"], "").expect(2);
    assert!(ran.err.starts_with("portcullis: `log` is `=x=`: ") && ran.err.contains("(flag --log)"), "{}", ran.err);
}

#[test]
fn spans_go_where_the_environment_of_open_telemetry_says() {
    let desk = Desk::new();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let batch = thread::spawn(move || {
        let (mut stream, _) = collector.accept().unwrap();
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        while !is_whole(&bytes) {
            let read = stream.read(&mut chunk).unwrap();
            assert_ne!(read, 0, "it ended early");
            bytes.extend_from_slice(&chunk[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
        String::from_utf8(bytes).unwrap()
    });
    let server = Server::start_with(&desk, &[], |command| {
        let quiet = command.stderr(Stdio::inherit()).env("RUST_LOG", "error");
        quiet.env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint).env("OTEL_SERVICE_NAME", "gate-1")
    });
    assert_eq!(server.ask("GET", "/healthz", "", "", "").0, 200);
    assert_eq!(server.end("-TERM").0, Some(0));
    let posted = batch.join().unwrap();
    assert!(posted.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{posted}");
    let body: Value = serde_json::from_str(posted.split_once("\r\n\r\n").unwrap().1).unwrap();
    let resource = &body["resourceSpans"][0];
    assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "gate-1");
    let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
    assert!(spans.iter().any(|span| span["name"] == "GET /healthz"), "{body}");
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length.parse() == Ok(body.len()))
}
