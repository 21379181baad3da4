//! The command line, by running the binary. One file per command.
#![expect(clippy::unwrap_used, reason = "clippy allows it in tests, but not in the helpers of an integration test")]

mod desk;
mod server;

mod admin;
mod compile;
mod decide;
mod diff;
mod explain;
mod import;
mod inspect;
mod lint;
mod observe;
mod print_config;
mod serve;
mod test;
mod validate;

use std::fs;

use desk::{Desk, POLICY};

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
        &["validate", "shop.yaml"],
        &["validate", "--schema", "user"],
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
    for command in
        ["admin", "compile", "decide", "diff", "explain", "import", "inspect", "lint", "serve", "test", "validate"]
    {
        let help = desk.run(&[command, "--help"], "").expect(0).out;
        assert!(help.contains("Example:\n") && help.contains(&format!("portcullis {command}")), "{help}");
    }
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
