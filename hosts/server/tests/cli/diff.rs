//! `portcullis diff`.

use serde_json::json;

use crate::decide::REQUESTS;
use crate::desk::Desk;

#[test]
fn diff_lists_the_requests_that_would_be_answered_otherwise() {
    let desk = Desk::with_bundle();
    desk.write("requests.jsonl", REQUESTS);
    let same = desk.run(&["diff", "shop.yaml", "shop.bundle", "--requests", "requests.jsonl"], "").expect(0);
    let summary = "3 requests, 0 would change: 0 from allow to deny, 0 from deny to allow, 0 in something else\n";
    assert_eq!((same.out.as_str(), same.err.as_str()), ("", summary));

    // The rule has moved and has another name, the public path is gone.
    let new = "version: 1\nroles: {staff: {}}\nrules:\n  - {effect: deny, who: {roles: [staff]}, target: {path: {exact: /x}}}\n  - {id: s, effect: allow, who: {roles: [staff]}, target: {path: {under: /staff}}}\n";
    desk.write("new.yaml", new);
    desk.write("requests.jsonl", REQUESTS.to_owned() + "nonsense\n");
    let ran = desk.run(&["diff", "shop.bundle", "new.yaml", "--requests", "requests.jsonl"], "").expect(1);
    let lines = ran.lines();
    assert_eq!((lines.len(), &lines[0]["line"]), (2, &json!(1)));
    assert_eq!(lines[0]["request"], json!({"action": "GET", "path": "/"}));
    assert_eq!((&lines[0]["old"]["reason"], &lines[0]["new"]["reason"]), (&json!("public"), &json!("unauthenticated")));
    assert!(lines[1]["error"].as_str().unwrap().starts_with("line 4: "), "{}", lines[1]);
    let summary = "3 requests, 1 would change: 1 from allow to deny, 0 from deny to allow, 0 in something else; 1 lines are no requests\n";
    assert_eq!(ran.err, summary);

    let ran = desk.run(&["diff", "shop.bundle", "-", "--requests", "requests.jsonl"], "rulez: []\n").expect(2);
    assert!(ran.out.is_empty() && ran.err.contains("stdin:1:1: error: "), "{}", ran.err);
}
