//! `portcullis lint`.

use crate::desk::{Desk, POLICY};

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
