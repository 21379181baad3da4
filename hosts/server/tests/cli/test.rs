//! `portcullis test`.

use serde_json::json;

use crate::desk::{Desk, POLICY};

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
