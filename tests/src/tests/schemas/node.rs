//! The component as `jco` transpiles it, in Node: of every document of `tests/schema-cases` it says what the core says.

use portcullis_runtime::{Report, ValidateOptions, Verdict, Violation};
use serde_json::{Value, json};

use super::cases::{Case, cases};
use super::js::{ask, transpile};
use super::{Engines, bundle};

#[test]
fn the_transpiled_component_says_what_the_core_says() {
    let folder = tempfile::tempdir().unwrap();
    transpile(folder.path());
    let mut asked = String::new();
    let mut expected = Vec::new();
    for case in cases() {
        let (engines, bundle) = (Engines::open(&case.schema).unwrap(), bundle(&case.schema).unwrap());
        for document in case.all_documents() {
            let line = json!({"bundle": hex(&bundle), "document": hex(&document), "language": case.language});
            asked.push_str(&format!("{line}\n"));
            expected.push((says(&case, &engines, &document), document));
        }
    }
    let found = ask("validate.js", &folder.path().join("portcullis-policy.js"), &asked);
    assert_eq!(found.len(), expected.len());
    for (found, (expected, document)) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "(transpiled, native) {}", String::from_utf8_lossy(document));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The report of the linked core in the form of `js/validate.js`: values of parameters stay texts.
fn says(case: &Case, engines: &Engines, document: &[u8]) -> Value {
    let options = ValidateOptions { language: &case.language, normalized: true, ..ValidateOptions::default() };
    let report: Report = engines.validate(document, &options);
    let normalized = report.normalized.clone();
    let violation = |Violation { pointer, keyword, code, params, message }| json!({"pointer": pointer, "keyword": keyword, "code": code, "params": params, "message": message});
    let verdict = match report.verdict {
        Verdict::Valid => "valid",
        Verdict::Invalid => "invalid",
        Verdict::Unreadable => "unreadable",
        Verdict::OverLimit => "over_limit",
    };
    let violations: Vec<Value> = report.violations.into_iter().map(violation).collect();
    let report = json!({"verdict": verdict, "violations": violations, "has_more": report.has_more});
    json!({"report": report, "normalized": normalized})
}
