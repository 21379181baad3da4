//! The official JSON-Schema-Test-Suite, draft 2020-12: every group, but for those that a keyword excludes.
//!
//! A group is left out when its schema does not compile, and only because of what `EXCLUDED` names; the test prints
//! which, and why. Tests that hold where `format` is an annotation must fail here, where it is an assertion.

use std::path::{Path, PathBuf};

use portcullis_runtime::Verdict;
use serde_json::Value;

use super::Engines;

/// What a diagnostic says of a keyword that the vocabulary does not have, and the keyword.
const EXCLUDED: [(&str, &str); 11] = [
    ("the keyword `$dynamicRef`", "$dynamicRef"),
    ("the keyword `$dynamicAnchor`", "$dynamicAnchor"),
    ("the keyword `$vocabulary`", "$vocabulary"),
    ("the keyword `contentSchema`", "contentSchema"),
    ("is not a keyword of a schema", "a keyword that is unknown"),
    ("the dialect is `https://json-schema.org/draft/2020-12/schema`", "$schema of another dialect"),
    ("is not in this document, and nothing is fetched from elsewhere", "$ref to another document"),
    ("format `idn-", "format idn-email, idn-hostname"),
    ("format `iri", "format iri, iri-reference"),
    ("format `relative-json-pointer`", "format relative-json-pointer"),
    ("format `uri-template`", "format uri-template"),
];

/// How the suite calls tests that an assertion of formats must fail.
const FORMAT_AS_ANNOTATION: &str = "string is only an annotation by default";

#[test]
fn the_official_suite_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json-schema-test-suite/draft2020-12");
    let mut all = Vec::new();
    files(&folder, &mut all);
    all.sort();
    let (mut run, mut skipped, mut wrong) = (0, Vec::new(), Vec::new());
    for path in &all {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let groups: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for group in &groups {
            let what = format!("{name}: {}", group["description"].as_str().unwrap());
            match excluding(group) {
                Some(keyword) => skipped.push(format!("{what}: {keyword}")),
                None => {
                    let tests = group["tests"].as_array().unwrap();
                    run += tests.len();
                    wrong.extend(failures(group).into_iter().map(|test| format!("{what}: {test}")));
                }
            }
        }
    }
    println!("{run} tests run; groups left out, and what excludes them:\n{}", skipped.join("\n"));
    assert!(wrong.is_empty(), "{} of {run} fail:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run > 1_000, "the suite is not there");
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// The keyword because of which a group is left out; every diagnostic must be about such a one.
fn excluding(group: &Value) -> Option<&'static str> {
    let errors = Engines::open(&group["schema"].to_string()).err()?;
    let mut keywords = errors.iter().map(|error| {
        let known = EXCLUDED.iter().find(|(text, _)| error.message.contains(text));
        known.unwrap_or_else(|| panic!("{} does not compile: {error}", group["schema"])).1
    });
    keywords.next()
}

fn failures(group: &Value) -> Vec<String> {
    let engines = Engines::open(&group["schema"].to_string()).unwrap();
    let wrong = group["tests"].as_array().unwrap().iter().filter(|test| {
        let is_annotation = test["description"].as_str().unwrap().ends_with(FORMAT_AS_ANNOTATION);
        let expected = test["valid"].as_bool().unwrap() && !is_annotation;
        (engines.report(test["data"].to_string().as_bytes()).verdict == Verdict::Valid) != expected
    });
    wrong.map(|test| format!("{}: {}", test["description"], test["data"])).collect()
}
