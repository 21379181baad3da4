//! `portcullis import`.

use crate::desk::Desk;

#[test]
fn import_writes_a_document_that_compiles_and_notes_on_stderr() {
    let desk = Desk::new();
    let seeds = "permissions:\n  - {role: member, verb: get, path: api/v2/shop, action: accept}\n  - {role: member, verb: get, path: /x, action: accept}\n";
    let ran = desk.run(&["import", "barong", "-"], seeds).expect(0);
    assert!(ran.err.starts_with("stdin:3:5: warning: permission is left out: "), "{}", ran.err);
    desk.write("policy.yaml", &ran.out);
    desk.run(&["compile", "policy.yaml", "-o", "shop.bundle"], "").expect(0);
    let request = r#"{"action": "GET", "path": "/api/v2/shop/1", "subject": {"id": "u", "roles": ["member"]}}"#;
    assert_eq!(desk.decide(&[], request).expect(0).lines()[0]["decision"], "allow");

    let ran = desk.run(&["import", "padlock", "-"], "a: b\n").expect(2);
    assert!(ran.out.is_empty() && ran.err.starts_with("stdin:1:1: error: expected a configuration"), "{}", ran.err);
}
