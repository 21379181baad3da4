//! `portcullis validate`: violations as text and as lines of JSON, forms, limits.

use serde_json::{Value, json};

use crate::desk::Desk;

const SCHEMAS: &str = "version: 1
schemas:
  user:
    type: object
    required: [email]
    properties:
      email: {type: string, format: email, maxLength: 20, x-lowercase: true, x-code: user.email}
      age: {type: integer, minimum: 18, x-message: {en: 'You must be {limit}', uk: 'Вам має бути {limit}'}}
    additionalProperties: false
  search:
    x-form: true
    type: object
    properties: {page: {type: integer, minimum: 1}, tag: {type: array, items: {maxLength: 3}}}
";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("shop.yaml", SCHEMAS);
    desk
}

#[test]
fn validate_lists_every_violation_and_says_nothing_of_a_valid_document() {
    let desk = desk();
    let command = ["validate", "shop.yaml", "--schema", "user"];
    let ran = desk.run(&command, r#"{"email": "joe@example.org"}"#).expect(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    desk.write("user.json", r#"{"age": 17, "email": "joe", "colour": 1}"#);
    let ran = desk.run(&[&command[..], &["user.json"]].concat(), "").expect(1);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "/age: You must be 18 [minimum]"), "{}", ran.out);
    assert!(lines[1].starts_with("/email: ") && lines[1].ends_with(" [user.email]"), "{}", ran.out);
    assert!(lines[2].ends_with(" [additional_properties]"), "{}", ran.out);
    let ran = desk.run(&[&command[..], &["--language", "uk-UA"]].concat(), r#"{"email": "a@b.c", "age": 1}"#).expect(1);
    assert_eq!(ran.out, "/age: Вам має бути 18 [minimum]\n");
    let ran = desk.run(&command, "{}{}").expect(1);
    assert!(ran.out.starts_with("document: ") && ran.out.ends_with(" [trailing_bytes]\n"), "{}", ran.out);
}

#[test]
fn validate_gives_json_for_programs_from_a_bundle_too() {
    let desk = desk();
    desk.run(&["compile", "shop.yaml", "-o", "shop.bundle"], "").expect(0);
    let command = ["validate", "shop.bundle", "--schema", "user", "--json"];
    let lines = desk.run(&command, r#"{"email": "a@b.c", "age": 17}"#).expect(1).lines();
    let expected = json!([{"pointer": "/age", "keyword": "minimum", "code": "minimum",
        "params": {"limit": 18, "actual": 17}, "message": "You must be 18"}]);
    assert_eq!(Value::from(lines), expected);
    let normalized = [&command[..], &["--normalized"]].concat();
    let ran = desk.run(&normalized, r#"{"email": "Joe@Example.ORG"}"#).expect(0);
    assert_eq!(ran.lines(), [json!({"email": "joe@example.org"})]);
}

#[test]
fn validate_reads_a_form_where_the_schema_says_so() {
    let desk = desk();
    let command = ["validate", "shop.yaml", "--schema", "search", "--normalized"];
    let ran = desk.run(&command, "page=2&tag=a&tag=b").expect(0);
    assert_eq!(ran.lines(), [json!({"page": 2, "tag": ["a", "b"]})]);
    let ran = desk.run(&command, "page=0&tag=long").expect(1);
    assert!(ran.out.contains("/page: ") && ran.out.contains("/tag/0: "), "{}", ran.out);
}

#[test]
fn validate_says_what_it_cannot_do() {
    let desk = desk();
    let ran = desk.run(&["validate", "shop.yaml", "--schema", "users"], "{}").expect(1);
    assert_eq!(ran.err, "portcullis: the policy has no schema `users`; it has search, user\n");
    let ran = desk.run(&["validate", "-", "--schema", "user"], SCHEMAS).expect(1);
    assert_eq!(ran.err, "portcullis: policy and document cannot both be standard input\n");
    let ran = desk.run(&["validate", "-", "--schema", "user", "none.json"], SCHEMAS).expect(1);
    assert!(ran.err.starts_with("portcullis: cannot read `none.json`: "), "{}", ran.err);
    desk.run(&["validate", "-", "--schema", "user", "shop.yaml"], "schemas: {a: {colour: 1}}\n").expect(2);
    let small = ["validate", "shop.yaml", "--schema", "user", "--max-bytes", "10"];
    let ran = desk.run(&small, r#"{"email": "a@b.c"}"#).expect(1);
    assert!(ran.out.ends_with(" [too_large]\n"), "{}", ran.out);
}
