//! Any bytes as a document: read or refused, never a panic; what is read is JSON to others too, and written again it
//! is the same.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis_compiler::{Options, compile};
use portcullis_core::{Policy, Report, ValidateOptions, ValidateScratch, Verdict, validate};
use serde::de::IgnoredAny;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let document = "{version: 1, schemas: {json: true, unique: {uniqueItems: true}, form: {x-form: true}}}";
    Policy::open(compile(document, &Options::default()).expect("no errors").bundle).expect("a compiled bundle opens")
});

fuzz_target!(|bytes: &[u8]| {
    let report = report("json", bytes);
    let is_json = serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    match (report.verdict, report.normalized) {
        (Verdict::Valid, Some(json)) => {
            assert!(is_json, "{json}");
            assert_eq!(self::report("json", json.as_bytes()).normalized.as_ref(), Some(&json));
        }
        (Verdict::Unreadable, None) => {
            assert!(!is_json || report.violations[0].code != "malformed", "{:?}", report.violations);
        }
        (verdict, normalized) => panic!("{verdict:?} {normalized:?}"),
    }
    assert_ne!(self::report("unique", bytes).verdict, Verdict::OverLimit);
    if let Some(json) = self::report("form", bytes).normalized {
        assert_eq!(self::report("json", json.as_bytes()).normalized, Some(json));
    }
});

fn report(schema: &str, bytes: &[u8]) -> Report<'static> {
    let options = ValidateOptions { normalized: true, ..ValidateOptions::default() };
    let schema = POLICY.schema_number(schema).expect("it is there");
    validate(&POLICY, schema, bytes, &options, &mut ValidateScratch::default()).expect("a report")
}
