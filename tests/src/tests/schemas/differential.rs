//! Random schemas and documents: the verdict is that of the crate `jsonschema`, and every violation lies in the document.
//!
//! `SCHEMA_PAIRS` asks for another number of pairs than that of every run.

use portcullis_runtime::Verdict;
use serde_json::Value;

use super::Engines;
use crate::generate::schemas::{Random, document, schema};

const PAIRS: usize = 30_000;
/// Documents for each schema.
const DOCUMENTS: usize = 30;

#[test]
fn random_documents_get_the_verdict_of_another_validator() {
    let pairs = std::env::var("SCHEMA_PAIRS").map_or(PAIRS, |pairs| pairs.parse().unwrap());
    let mut random = Random::new(20);
    let (mut compared, mut valid) = (0, 0);
    while compared < pairs {
        let schema = schema(&mut random);
        // A schema that leads back to itself is refused; nothing else of what is made here is.
        let engines = match Engines::open(&schema.to_string()) {
            Ok(engines) => engines,
            Err(errors) => {
                let is_cycle = errors.iter().all(|error| error.message.contains("leads back to itself"));
                assert!(is_cycle, "{errors:?}\n{schema}");
                continue;
            }
        };
        let other = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
        for _document in 0..DOCUMENTS {
            let document = document(&mut random, 3);
            let expected = other.is_valid(&document);
            let found = is_valid(&engines, &document);
            assert_eq!(found, expected, "(ours, the other's)\n{schema}\n{document}");
            compared += 1;
            valid += usize::from(found);
        }
    }
    println!("{compared} pairs, {valid} valid");
    assert!(valid * 10 > compared && valid * 10 < compared * 9, "{valid} of {compared} are valid");
}

fn is_valid(engines: &Engines, document: &Value) -> bool {
    let text = document.to_string();
    let report = engines.report(text.as_bytes());
    let is_valid = report.verdict == Verdict::Valid;
    assert_eq!(is_valid, report.violations.is_empty(), "{report:?}");
    for violation in &report.violations {
        assert!(document.pointer(&violation.pointer).is_some(), "{violation:?} is not in {document}");
        assert!(
            !violation.message.contains('{') || text.contains('{') || violation.keyword == "const",
            "{violation:?}"
        );
    }
    match report.normalized {
        Some(normalized) => assert_eq!(&serde_json::from_str::<Value>(&normalized).unwrap(), document),
        None => assert!(!is_valid),
    }
    is_valid
}
