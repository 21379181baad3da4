//! `portcullis compile`: bundles, diagnostics, exit codes.

use std::fs;

use serde_json::{Value, json};

use crate::desk::{Desk, POLICY};

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
