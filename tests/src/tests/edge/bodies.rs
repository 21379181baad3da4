//! E15: bodies that a policy has schemas for, through a real Envoy: none goes on that was not checked to its end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use portcullis_rig::envoy::shown_decision;
use portcullis_rig::http::send_bytes;
use portcullis_rig::upstream::Seen;
use portcullis_rig::{Answer, Request, Response, http2};
use serde_json::json;

use super::TIMEOUT;
use super::failures::{Edge, Published};

const DOCUMENT: &str = "
version: 1
schemas:
  user: {type: object, required: [name], properties: {name: {type: string, maxLength: 9}}, additionalProperties: {type: string}}
  trimmed: {type: object, properties: {name: {type: string, x-trim: true, maxLength: 3}}}
  search: {type: object, x-form: true, properties: {page: {type: integer}}, additionalProperties: false}
public: [{path: {under: /}}]
validations:
  - {target: {path: {under: /users}}, schema: user}
  - {target: {path: {exact: /trimmed}}, schema: trimmed}
  - {target: {path: {exact: /search}}, schema: search}
";

const GOOD: &str = r#"{"name":"ada"}"#;
const BAD: &str = r#"{"name":7}"#;

fn edge() -> Edge {
    let edge = Edge::start(Answer::Bundle(Published::new(DOCUMENT, 3).bundle()), |setup| setup.workers = 1);
    let is_it = |response: &Response| shown_decision(response).is_ok_and(|decision| decision["revision"] == 3);
    edge.envoy.wait_until_all("the worker to have the policy", &Request::get("/"), TIMEOUT, is_it).unwrap();
    edge
}

fn post(path: &str, body: &str) -> Request {
    Request::new("POST", path).body("application/json", body)
}

/// The body as the upstream saw it, or the status of the refusal; then the upstream saw nothing.
fn fate(edge: &Edge, send: impl FnOnce() -> Response) -> Result<String, u16> {
    let before = edge.upstream.requests();
    let response = send();
    let reached = edge.upstream.requests() - before;
    match response.status {
        200 => {
            assert_eq!(reached, 1);
            Ok(Seen::in_response(&response).unwrap().body().to_owned())
        }
        status => {
            assert_eq!(reached, 0, "{status} {}", response.text());
            Err(status)
        }
    }
}

#[test]
fn only_checked_bodies_reach_the_upstream_behind_envoy() {
    let edge = edge();
    let send = |request: Request| fate(&edge, || edge.envoy.send(&request).unwrap());
    assert_eq!(send(post("/users", GOOD)), Ok(GOOD.to_owned()));
    assert_eq!(send(post("/users", BAD)), Err(422));
    assert_eq!(send(post("/users", "{\"name\":\"a\",\"name\":\"b\"}")), Err(400));
    assert_eq!(send(Request::new("POST", "/users").header("content-type", "application/json")), Err(400));
    assert_eq!(send(Request::new("POST", "/users").body("text/plain", GOOD)), Err(415));
    assert_eq!(send(Request::new("POST", "/users").body("application/json; charset=utf-7", GOOD)), Err(415));
    assert_eq!(send(post("/users", GOOD).header("content-encoding", "br")), Err(415));
    assert_eq!(send(post("/elsewhere", BAD)), Ok(BAD.to_owned()));
    assert_eq!(send(Request::get("/users")), Ok(String::new()));
    // What was checked is what goes on, with its length.
    assert_eq!(send(post("/trimmed", r#"{ "name": "  ada  " }"#)), Ok(r#"{"name":"ada"}"#.to_owned()));
    let form = |body: &str| Request::new("POST", "/search").body("application/x-www-form-urlencoded", body);
    assert_eq!(send(form("page=7")), Ok("page=7".to_owned()));
    assert_eq!(send(form("page=x")), Err(422));

    let refused = edge.envoy.send(&post("/users", r#"{"name":"much too long","x":1}"#)).unwrap();
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    let violations = refused.json().unwrap()["violations"].clone();
    assert_eq!((&violations[0]["pointer"], &violations[1]["pointer"]), (&json!("/name"), &json!("/x")));
    assert_eq!(violations[0]["params"], json!({"limit": 9, "actual": 13}));
    let metrics = edge.envoy.filter_metrics().unwrap();
    let counts = |kind: &str| metrics.iter().any(|line| line.contains("validations_total") && line.contains(kind));
    for kind in ["\"valid\"", "\"invalid\"", "\"malformed\"", "\"content_type\""] {
        assert!(counts(kind), "{kind} is not in {metrics:#?}");
    }
}

/// The pieces as chunks of HTTP/1.1.
fn chunked(pieces: &[&str], trailers: &str) -> Vec<u8> {
    let head =
        "POST /users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks: String = pieces.iter().map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect();
    format!("{head}{chunks}0\r\n{trailers}\r\n").into_bytes()
}

#[test]
fn chunks_and_trailers_do_not_carry_a_body_past_the_check_in_envoy() {
    let edge = edge();
    let send = |pieces: &[&str], trailers: &str| {
        fate(&edge, || send_bytes(edge.envoy.listener(), &chunked(pieces, trailers)).unwrap())
    };
    for trailers in ["", "x-end: 1\r\n"] {
        assert_eq!(send(&["{\"name\"", ":", "\"ada\"}"], trailers), Ok(GOOD.to_owned()), "{trailers:?}");
        assert_eq!(send(&["{\"name\"", ":", "7}"], trailers), Err(422), "{trailers:?}");
        assert_eq!(send(&[GOOD, "x"], trailers), Err(400), "{trailers:?}");
        assert_eq!(send(&[], trailers), Err(400), "{trailers:?}");
    }
}

#[test]
fn frames_and_trailers_of_http2_do_not_carry_a_body_past_the_check_in_envoy() {
    let edge = edge();
    let send = |frames: &[&str], trailers: &[(&'static str, &'static str)]| {
        let request = http2::Request {
            method: "POST",
            path: "/users".to_owned(),
            headers: vec![("content-type", "application/json")],
            frames: frames.iter().map(|frame| frame.as_bytes().to_vec()).collect(),
            trailers: trailers.to_vec(),
        };
        fate(&edge, || http2::send(edge.envoy.listener(), &request).unwrap())
    };
    for trailers in [&[][..], &[("x-end", "1")]] {
        assert_eq!(send(&["{\"name\"", ":", "\"ada\"}"], trailers), Ok(GOOD.to_owned()), "{trailers:?}");
        assert_eq!(send(&[GOOD, ""], trailers), Ok(GOOD.to_owned()), "{trailers:?}");
        assert_eq!(send(&["{\"name\"", ":", "7}"], trailers), Err(422), "{trailers:?}");
        assert_eq!(send(&[BAD], trailers), Err(422), "{trailers:?}");
        assert_eq!(send(&[GOOD, "x"], trailers), Err(400), "{trailers:?}");
        assert_eq!(send(&[""], trailers), Err(400), "{trailers:?}");
        assert_eq!(send(&[], trailers), Err(400), "{trailers:?}");
    }
}

#[test]
fn a_body_over_the_bound_is_refused_in_envoy_while_it_comes() {
    let bound = 100_000;
    let bundle = Published::new(DOCUMENT, 3).bundle();
    let edge = Edge::start(Answer::Bundle(bundle), |setup| {
        setup.workers = 1;
        setup.more = json!({"revocations": false, "max_body_bytes": bound});
    });
    edge.wait_for(3);
    let body = |size: usize| format!("{{\"name\":\"ada\"{}}}", " ".repeat(size - 14));
    let send = |request: Request| fate(&edge, || edge.envoy.send(&request).unwrap());
    assert_eq!(send(post("/users", &body(bound))).map(|body| body.len()), Ok(bound));
    assert_eq!(send(post("/users", &body(bound + 1))), Err(413));

    // Without an announced length, and the rest is never sent.
    let mut stream = TcpStream::connect(edge.envoy.listener()).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let before = edge.upstream.requests();
    let (head, _) = chunked(&[], "").split_last_chunk::<5>().map(|(head, end)| (head.to_vec(), *end)).unwrap();
    stream.write_all(&head).unwrap();
    let piece = " ".repeat(bound + 1);
    stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(edge.upstream.requests(), before);
}

#[test]
fn a_client_that_leaves_in_the_middle_leaves_nothing_in_envoy() {
    let edge = edge();
    let before = edge.upstream.requests();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(edge.envoy.listener()).unwrap();
        let whole = chunked(&["{\"name\":\"ada\"}"], "");
        stream.write_all(&whole[..whole.len() - 5]).unwrap();
        // Unread data makes it a reset.
        drop(stream);
    }
    assert_eq!(fate(&edge, || edge.envoy.send(&post("/users", GOOD)).unwrap()), Ok(GOOD.to_owned()));
    assert_eq!(edge.upstream.requests(), before + 1);
}
