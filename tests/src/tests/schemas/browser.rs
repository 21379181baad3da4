//! `examples/browser-form` in a headless Chromium: beside each field stands what the core says of it.

use std::path::Path;

use portcullis_compiler::{Options, compile};
use portcullis_runtime::{NativePolicy, ValidateOptions, Verdict};
use serde_json::{Value, json};

use super::js::{ask, transpile};

/// What is typed, and the body that a browser makes of it.
const FORMS: [([&str; 3], &str); 4] = [
    (["joe", "short", "17"], "email=joe&password=short&age=17"),
    (["joe@example.org", "long enough", "x"], "email=joe%40example.org&password=long+enough&age=x"),
    ([" Joe@Example.org ", "short", "18"], "email=+Joe%40Example.org+&password=short&age=18"),
    (["joe@example.org", "long enough", "18"], "email=joe%40example.org&password=long+enough&age=18"),
];
const FIELDS: [&str; 3] = ["email", "password", "age"];

#[test]
fn the_form_shows_each_violation_beside_its_field() {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/browser-form/policy.yaml");
    let bundle = compile(&std::fs::read_to_string(policy).unwrap(), &Options::default()).unwrap().bundle;
    let folder = tempfile::tempdir().unwrap();
    transpile(folder.path());
    std::fs::write(folder.path().join("policy.bundle"), &bundle).unwrap();
    let typed = |texts: [&str; 3]| json!({"email": texts[0], "password": texts[1], "age": texts[2]});
    let lines: String = FORMS.iter().map(|(texts, _)| format!("{}\n", typed(*texts))).collect();
    let expected: Vec<Value> = FORMS.iter().map(|(_, body)| shown(&bundle, body)).collect();
    assert_eq!(ask("browser.js", folder.path(), &lines), expected);
    assert_eq!(expected[0]["beside"]["age"], "You must be 18.");
    assert_eq!(expected[3]["mayBeSent"], true);
}

/// By the linked core.
fn shown(bundle: &[u8], body: &str) -> Value {
    let native = NativePolicy::open(bundle.to_vec()).unwrap();
    let report = native.validate("signup", body.as_bytes(), &ValidateOptions::default()).unwrap();
    let mut beside = json!({});
    for field in FIELDS {
        let own = report.violations.iter().filter(|violation| violation.pointer == format!("/{field}"));
        beside[field] = own.map(|violation| violation.message.as_str()).collect::<Vec<_>>().join(" ").into();
    }
    json!({"beside": beside, "mayBeSent": report.verdict == Verdict::Valid})
}
