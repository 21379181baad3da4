//! `portcullis decide`: line by line, in order.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use serde_json::{Value, json};

use crate::desk::Desk;

pub const REQUESTS: &str = r#"{"action": "GET", "path": "/"}
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
