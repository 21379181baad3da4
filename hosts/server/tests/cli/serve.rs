//! `portcullis serve`: a server from its start to its end.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::desk::{Desk, POLICY};
use crate::server::{Server, answer};

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
