//! Documents before and after a change.

use super::*;
use crate::{Options, compile};

const DOCUMENT: &str = r#"# Who may do what.
version: 1
roles:
  # Those who sell.
  clerk:
    permissions: [orders.read] # for now
  boss: {inherits: [clerk]}
rules:
  # First of all.
  - id: read   # everybody
    effect: allow
    who: {roles: [clerk]}
    target: {methods: [GET], path: {under: /orders}}

  - effect: deny
    who: {subjects: ["größe"]}
    target: {path: {under: /}}
  # The last one.
  - {id: audit, effect: audit, who: {authenticated: true}, target: {path: {under: /}}}
# Behind the rules.
restrictions: []
"#;

const RULE: &str = r#"{"id": "new", "effect": "audit", "who": {"roles": ["clerk"]}, "target": {"path": {"under": "/new"}}, "topic": "yes"}"#;

fn put(section: Section, name: &str, body: &str) -> Edit {
    Edit::Put { section, name: name.to_owned(), body: body.to_owned() }
}

fn remove(section: Section, name: &str) -> Edit {
    Edit::Remove { section, name: name.to_owned() }
}

/// The document after the change, which compiles and was changed in place.
#[track_caller]
fn after(text: &str, change: &Edit) -> String {
    let edited = edit(text, change).unwrap();
    assert!(!edited.is_rewritten, "{}", edited.text);
    compile(&edited.text, &Options::default()).unwrap();
    edited.text
}

/// Lines that are gone, with `-`, and new ones, with `+`.
#[track_caller]
fn check(text: &str, change: &Edit, expected: &[&str]) {
    let next = after(text, change);
    let (old, new): (Vec<_>, Vec<_>) = (text.lines().collect(), next.lines().collect());
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same_start;
    let same_end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let gone = old[same_start..old.len() - same_end].iter().map(|line| format!("-{line}"));
    let came = new[same_start..new.len() - same_end].iter().map(|line| format!("+{line}"));
    assert_eq!(gone.chain(came).collect::<Vec<_>>(), expected);
}

#[test]
fn a_new_rule_stands_behind_the_others() {
    check(
        DOCUMENT,
        &put(Section::Rules, "new", RULE),
        &[
            "+  - id: new",
            "+    effect: audit",
            "+    who:",
            r#"+      roles: ["clerk"]"#,
            "+    target:",
            "+      path:",
            "+        under: /new",
            r#"+    topic: "yes""#,
        ],
    );
}

#[test]
fn a_rule_is_replaced_where_it_stands() {
    let body = r#"{"id": "read", "effect": "allow", "who": {"anyone": true}, "target": {"path": {"under": "/"}}}"#;
    check(
        DOCUMENT,
        &put(Section::Rules, "read", body),
        &[
            "-  - id: read   # everybody",
            "-    effect: allow",
            "-    who: {roles: [clerk]}",
            "-    target: {methods: [GET], path: {under: /orders}}",
            "+  - id: read",
            "+    effect: allow",
            "+    who:",
            "+      anyone: true",
            "+    target:",
            "+      path:",
            "+        under: /",
        ],
    );
    let body = r#"{"id": "audit", "effect": "audit", "who": {"anyone": true}, "target": {"path": {"under": "/"}}}"#;
    let next = after(DOCUMENT, &put(Section::Rules, "audit", body));
    assert!(next.contains("# The last one.\n  - id: audit\n    effect: audit\n"), "{next}");
    assert!(next.contains("# Behind the rules.\nrestrictions: []\n"));
}

#[test]
fn rules_are_removed_by_id_or_by_position() {
    check(
        DOCUMENT,
        &remove(Section::Rules, "audit"),
        &["-  - {id: audit, effect: audit, who: {authenticated: true}, target: {path: {under: /}}}"],
    );
    check(
        DOCUMENT,
        &remove(Section::Rules, "rules[1]"),
        &["-  - effect: deny", "-    who: {subjects: [\"größe\"]}", "-    target: {path: {under: /}}"],
    );
    let mut text = DOCUMENT.to_owned();
    for name in ["read", "rules[0]", "audit"] {
        text = after(&text, &remove(Section::Rules, name));
    }
    assert!(text.contains("\nrules: []\n# Behind"), "{text}");
    let text = after(&text, &put(Section::Rules, "new", RULE));
    assert_eq!(edit(&text, &remove(Section::Rules, "read")), Err(EditError::NotFound { name: "read".to_owned() }));
}

#[test]
fn roles_stand_under_their_names() {
    check(
        DOCUMENT,
        &put(Section::Roles, "shop manager", r#"{"permissions": ["orders.write"], "inherits": ["boss"]}"#),
        &[r#"+  "shop manager":"#, r#"+    permissions: ["orders.write"]"#, r#"+    inherits: ["boss"]"#],
    );
    check(DOCUMENT, &put(Section::Roles, "boss", "{}"), &["-  boss: {inherits: [clerk]}", "+  boss: {}"]);
    check(DOCUMENT, &remove(Section::Roles, "boss"), &["-  boss: {inherits: [clerk]}"]);
}

#[test]
fn what_is_not_there_is_begun() {
    let restriction = r#"{"id": "r1", "category": "blacklist", "scope": "ip", "value": "10.0.0.1"}"#;
    let lines =
        ["-restrictions: []", r#"+restrictions: [{"id":"r1","category":"blacklist","scope":"ip","value":"10.0.0.1"}]"#];
    check(DOCUMENT, &put(Section::Restrictions, "r1", restriction), &lines);
    let added =
        ["+restrictions:", "+  - id: r1", "+    category: blacklist", "+    scope: ip", r#"+    value: "10.0.0.1""#];
    check("version: 1\n", &put(Section::Restrictions, "r1", restriction), &added);
    check("version: 1\nrestrictions:\nlevels: []\n", &put(Section::Restrictions, "r1", restriction), &added[1..]);
    let text = after("version: 1", &put(Section::Roles, "a", "{}"));
    assert_eq!(text, "version: 1\nroles:\n  a: {}\n");
}

#[test]
fn json_stays_json() {
    let text = "{\n  \"version\": 1,\n  \"rules\": [\n    {\"id\": \"a\", \"effect\": \"allow\", \"who\": {\"anyone\": true}, \"target\": {\"path\": {\"under\": \"/\"}}}\n  ]\n}\n";
    let body = r#"{"id":"b","effect":"deny","who":{"roles":["x"]},"target":{"path":{"under":"/"}}}"#;
    let two = after(&after(text, &put(Section::Roles, "x", "{}")), &put(Section::Rules, "b", body));
    let roles = r#""roles": {"x": {}}"#;
    let expected = text.replace("}}}\n  ]\n", &format!("}}}}}},\n    {body}\n  ],\n  {roles}\n"));
    assert_eq!(two, expected);
    assert_eq!(after(&two, &remove(Section::Rules, "b")), text.replace("]\n", &format!("],\n  {roles}\n")));
    let one = after(&two, &remove(Section::Rules, "a"));
    assert!(one.contains(&format!("[\n    {body}\n  ]")), "{one}");
    assert!(after(&one, &remove(Section::Rules, "b")).contains("\"rules\": [\n    \n  ]"));
    assert_eq!(
        after(r#"{"version":1,"rules":[],"roles":{"x":{}}}"#, &put(Section::Rules, "b", body)),
        format!(r#"{{"version":1,"rules":[{body}],"roles":{{"x":{{}}}}}}"#)
    );
}

#[test]
fn what_cannot_be_changed_in_place_is_written_anew() {
    let text = "version: 1\nrules:\n  - - id: a\n";
    assert!(edit(text, &remove(Section::Rules, "rules[0]")).is_ok());
    // Two entries on one line of block style, and a character beyond 16 bits in JSON.
    let text = "{\"version\": 1, \"roles\": {\"\\ud83d\\ude00\": {}}}";
    let edited = edit(text, &put(Section::Roles, "a", "{}")).unwrap();
    assert!(!edited.is_rewritten, "it was JSON before");
    compile(&edited.text, &Options::default()).unwrap();
    let text = "? roles\n: {clerk: {}} # a comment\n";
    let edited = edit(text, &put(Section::Rules, "new", RULE)).unwrap();
    compile(&edited.text, &Options::default()).unwrap();
}

#[test]
fn bodies_and_documents_that_are_none_are_refused() {
    for body in ["", "[]", "x", "{", r#"{"id": "other"}"#, "{}"] {
        assert_eq!(edit(DOCUMENT, &put(Section::Rules, "new", body)), Err(EditError::Body), "{body}");
    }
    assert!(matches!(edit("a: [", &put(Section::Roles, "a", "{}")), Err(EditError::Syntax { line: 1, .. })));
    assert!(matches!(edit("- a", &put(Section::Roles, "a", "{}")), Err(EditError::Unsupported(_))));
    let missing = remove(Section::Restrictions, "r");
    assert_eq!(edit("version: 1", &missing), Err(EditError::NotFound { name: "r".to_owned() }));
}

#[test]
fn entries_are_listed_as_json() {
    let lines: Vec<_> = entries(&format!("{DOCUMENT}levels: [{{key: email, value: verified}}]\n"))
        .into_iter()
        .map(|Entry { kind, name, class, scope, body }| format!("{kind}|{name}|{class}|{scope}|{body}"))
        .collect();
    assert_eq!(
        lines,
        [
            r#"role|clerk|||{"permissions":["orders.read"]}"#,
            r#"role|boss|||{"inherits":["clerk"]}"#,
            r#"rule|read|allow||{"id":"read","effect":"allow","who":{"roles":["clerk"]},"target":{"methods":["GET"],"path":{"under":"/orders"}}}"#,
            r#"rule|rules[1]|deny||{"effect":"deny","who":{"subjects":["größe"]},"target":{"path":{"under":"/"}}}"#,
            r#"rule|audit|audit||{"id":"audit","effect":"audit","who":{"authenticated":true},"target":{"path":{"under":"/"}}}"#,
            r#"level|1|||{"key":"email","value":"verified"}"#,
        ]
    );
    assert_eq!(entries("a: ["), []);
}
