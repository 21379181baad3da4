//! Which schemas the body of a request must satisfy.

use portcullis_bundle::Policy;
use portcullis_compiler::{Options, compile};
use portcullis_core::{BodyCheck, body_check};

const DOCUMENT: &str = "
version: 1
schemas: {a: true, b: true, c: true, d: true, e: true, f: true, g: true, h: {type: object, x-form: true}}
validations:
  - {target: {methods: [PUT], path: {exact: /exact}}, schema: a}
  - {target: {methods: [PUT], path: {under: /under}}, schema: b}
  - {target: {methods: [PUT], path: {prefix: /prefix}}, schema: c}
  - {target: {methods: [PUT], path: {template: '/users/{id}/roles'}}, schema: d}
  - {target: {methods: [PUT], path: {template: '/files/{rest*}'}}, schema: e}
  - {target: {methods: [PUT], path: {regex: '^/x/[0-9]+$'}}, schema: f}
  - {target: {methods: [PATCH], hosts: ['*.example.com'], path: {under: /}}, schema: a, when_content_type: application/json}
  - {target: {methods: [PATCH], path: {exact: /exact}}, schema: b, when_content_type: [text/json, Application/JSON]}
  - {target: {methods: [LINK]}, schema: g}
  - {target: {methods: [POST], path: {exact: /form}}, schema: h}
";

/// Names of schemas, or what else the answer is.
fn ask(method: &str, host: &str, path: &str, content_type: Option<&str>) -> String {
    let policy = Policy::open(compile(DOCUMENT, &Options::default()).unwrap().bundle).unwrap();
    match body_check(&policy, method, Some(host), path, content_type) {
        None => "refused".to_owned(),
        Some(BodyCheck::Free) => "free".to_owned(),
        Some(BodyCheck::WrongContentType) => "wrong content type".to_owned(),
        Some(BodyCheck::Schemas(schemas)) => {
            let name = |schema: u32| policy.str(policy.schema(schema).unwrap().name).unwrap().to_owned();
            schemas.into_iter().map(name).collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn every_kind_of_path() {
    let cases = [
        ("/exact", "a"),
        ("/exact/", "free"),
        ("/exact?x=1", "a"),
        ("/./exact", "a"),
        ("/under", "b"),
        ("/under/x", "b"),
        ("/underx", "free"),
        ("/prefixx", "c"),
        ("/users/7/roles", "d"),
        ("/users//roles", "free"),
        ("/users/7/roles/x", "free"),
        ("/users/7", "free"),
        ("/files/a/b", "e"),
        ("/files/", "free"),
        ("/files", "free"),
        ("/x/12", "f"),
        ("/x/1a", "free"),
        ("/%", "refused"),
        ("exact", "refused"),
    ];
    for (path, expected) in cases {
        assert_eq!(ask("PUT", "example.com", path, Some("application/json")), expected, "{path}");
    }
}

#[test]
fn methods_hosts_and_content_types() {
    let json = Some("application/json; charset=utf-8");
    assert_eq!(ask("GET", "example.com", "/exact", json), "free");
    assert_eq!(ask("PATCH", "api.example.com", "/y", json), "a");
    assert_eq!(ask("PATCH", "example.com", "/y", json), "free");
    assert_eq!(ask("PATCH", "api.example.com:443", "/exact", Some("APPLICATION/JSON")), "a b");
    assert_eq!(ask("PATCH", "api.example.com", "/exact", Some("text/json")), "b");
    assert_eq!(ask("PATCH", "api.example.com", "/exact", Some("text/plain")), "wrong content type");
    assert_eq!(ask("PATCH", "api.example.com", "/exact", None), "wrong content type");
    assert_eq!(ask("PATCH", "a b", "/exact", json), "refused");
    assert_eq!(ask("LINK", "x", "/any", json), "g");
    assert_eq!(ask("BREW", "x", "/any", None), "free");
}

#[test]
fn a_body_is_read_as_what_it_says_it_is() {
    let form = "application/x-www-form-urlencoded";
    for json in ["application/json", "Application/JSON ; v=1", "application/problem+json", "application/LD+JSON"] {
        assert_eq!(ask("LINK", "x", "/", Some(json)), "g", "{json}");
        assert_eq!(ask("POST", "x", "/form", Some(json)), "wrong content type", "{json}");
    }
    for other in [form, "text/plain", "text/json", "application/xml", "json", "+jso", ""] {
        assert_eq!(ask("LINK", "x", "/", Some(other)), "wrong content type", "{other}");
    }
    assert_eq!(ask("LINK", "x", "/", None), "wrong content type");
    assert_eq!(ask("POST", "x", "/form", Some("APPLICATION/x-www-form-urlencoded;charset=UTF-8")), "h");
}

#[test]
fn only_utf8_says_the_same_to_every_reader() {
    for charset in ["charset=utf-8", "Charset = \"UTF-8\"", "a=b; charset=us-ascii", "charsets=utf-7", "a", ""] {
        assert_eq!(ask("LINK", "x", "/", Some(&format!("application/json;{charset}"))), "g", "{charset}");
    }
    for charset in
        ["charset=utf-16", "CHARSET=utf-7", "charset=utf-8;charset=utf-7", "a=\";charset=utf-7\"", "charset="]
    {
        let content_type = format!("application/json; {charset}");
        assert_eq!(ask("LINK", "x", "/", Some(&content_type)), "wrong content type", "{charset}");
        // Also where the policy names the type.
        assert_eq!(ask("PATCH", "x.example.com", "/y", Some(&content_type)), "wrong content type", "{charset}");
    }
}
