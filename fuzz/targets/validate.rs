//! A bundle that opens and any document: a report from each schema, the same each time, and never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_core::{Policy, ValidateOptions, ValidateScratch, Verdict, body_check, limits, validate};
use portcullis_fuzz::{Checked, renewed};

fuzz_target!(|input: &[u8]| {
    let Some(Checked { document, bundle }) = Checked::new(input) else { return };
    let Some(bundle) = renewed(bundle) else { return };
    let Ok(policy) = Policy::open(bundle) else { return };
    let mut scratch = ValidateScratch::default();
    let options = ValidateOptions { language: "de-AT", normalized: true, ..ValidateOptions::default() };
    for schema in 0..policy.records().schemas.len() as u32 {
        let report = validate(&policy, schema, document, &options, &mut scratch);
        assert_eq!(report, validate(&policy, schema, document, &options, &mut scratch), "asked twice");
        let Some(report) = report else { panic!("the bundle was checked, and cannot be read") };
        assert!(report.violations.len() <= limits::VIOLATIONS);
        assert_eq!(report.violations.is_empty(), report.verdict == Verdict::Valid);
        assert_eq!(report.normalized.is_some(), report.verdict == Verdict::Valid);
    }
    for method in ["POST", "BREW"] {
        for path in ["/orders/1", "/search/x"] {
            std::hint::black_box(body_check(&policy, method, Some("api.shop.test"), path, Some("application/json")));
        }
    }
});
