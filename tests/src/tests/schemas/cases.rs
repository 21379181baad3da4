//! `tests/schema-cases/*.toml`: documents, and what is said of them.

use std::path::Path;

use portcullis_runtime::{Report, ValidateOptions, Verdict, Violation};
use serde::Deserialize;

use super::Engines;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    note: String,
    #[serde(default = "anything")]
    pub(super) schema: String,
    /// Documents of which the same is said.
    #[serde(default)]
    documents: Vec<String>,
    /// The same, as hexadecimal digits.
    #[serde(default)]
    hex: Vec<String>,
    #[serde(default)]
    pub(super) language: String,
    verdict: String,
    /// Pointer, keyword and code of each.
    violations: Option<Vec<String>>,
    messages: Option<Vec<String>>,
    /// Name and value of the parameters of the first.
    params: Option<Vec<String>>,
    normalized: Option<String>,
}

fn anything() -> String {
    "true".to_owned()
}

#[test]
fn every_case_holds() {
    let (mut count, mut wrong) = (0, Vec::new());
    for case in cases() {
        for document in case.all_documents() {
            let found = differences(&case, &document);
            let document = String::from_utf8_lossy(&document);
            wrong.extend(found.map(|found| format!("{}: {document}\n  {found}", case.note)));
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 300, "{count} cases");
}

/// Of all files, the name of the file before each note.
pub(super) fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema-cases");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let File { cases } = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().display().to_string();
        all.extend(cases.into_iter().map(|case| Case { note: format!("{name}: {}", case.note), ..case }));
    }
    all
}

impl Case {
    pub(super) fn all_documents(&self) -> Vec<Vec<u8>> {
        let texts = self.documents.iter().map(|text| text.clone().into_bytes());
        texts.chain(self.hex.iter().map(|digits| bytes(digits))).collect()
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// What is said of a document, where it is not what the case says.
fn differences(case: &Case, document: &[u8]) -> Option<String> {
    let engines = Engines::open(&case.schema).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.note));
    let options =
        ValidateOptions { normalized: case.normalized.is_some(), language: &case.language, ..Default::default() };
    let report = engines.validate(document, &options);
    let lines = |line: fn(&Violation) -> String| report.violations.iter().map(line).collect::<Vec<_>>();
    let violations = lines(|one| format!("{} {} {}", one.pointer, one.keyword, one.code).trim_start().to_owned());
    let params = report
        .violations
        .first()
        .map(|one| one.params.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>());
    let is_same = verdict(&report) == case.verdict
        && case.violations.as_ref().is_none_or(|expected| *expected == violations)
        && case.messages.as_ref().is_none_or(|expected| *expected == lines(|one| one.message.clone()))
        && case.params.as_ref().is_none_or(|expected| Some(expected) == params.as_ref())
        && case.normalized.as_ref().is_none_or(|expected| Some(expected) == report.normalized.as_ref());
    (!is_same).then(|| format!("{report:?}"))
}

fn verdict(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Valid => "valid",
        Verdict::Invalid => "invalid",
        Verdict::Unreadable => "unreadable",
        Verdict::OverLimit => "over limit",
    }
}
