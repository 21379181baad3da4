//! `portcullis explain`.

use crate::desk::Desk;

#[test]
fn explain_reads_a_document_or_a_bundle() {
    let desk = Desk::with_bundle();
    let request = r#"{"action": "GET", "path": "/staff/x"}"#;
    let text = desk.run(&["explain", "shop.yaml", "--request", request], "").expect(0).out;
    assert!(text.starts_with("deny, 401, unauthenticated\n") && text.ends_with("\n  staff: who\n"), "{text}");
    assert_eq!(desk.run(&["explain", "--bundle", "shop.bundle", "--request", "-"], request).expect(0).out, text);
    let explained = desk.run(&["explain", "shop.bundle", "--json", "--request", request], "").expect(0).lines();
    let decided = desk.decide(&["--explain"], request).expect(0).lines();
    assert_eq!(explained, decided);
}

#[test]
fn explain_points_at_what_is_wrong_with_the_request() {
    let desk = Desk::with_bundle();
    let ran = desk.run(&["explain", "shop.yaml", "--request", r#"{"action": "GET", "pth": "/"}"#], "").expect(2);
    let line = "request:1:19: error: `pth` is not a key of a request\n";
    assert!(ran.err.contains(line) && ran.err.contains("  = help: did you mean `path`?\n"), "{}", ran.err);
    let ran = desk.run(&["explain", "none.yaml", "--request", r#"{"action": "GET", "path": "/"}"#], "").expect(1);
    assert!(ran.err.starts_with("portcullis: cannot read `none.yaml`: "), "{}", ran.err);
}
