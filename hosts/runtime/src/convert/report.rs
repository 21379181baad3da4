//! Reports as wasmtime generates them -> those of this crate.

use portcullis_core::{ValidateOptions, Verdict};

use super::wit::exports::portcullis::policy::validator as generated;
use crate::report::{Report, ValidateError, Violation};

impl<'a> From<&ValidateOptions<'a>> for generated::Options<'a> {
    fn from(options: &ValidateOptions<'a>) -> Self {
        let ValidateOptions { language, max_bytes, normalized } = *options;
        // No document is longer than a list of the component can be.
        Self { language, max_bytes: Some(u32::try_from(max_bytes).unwrap_or(u32::MAX)), normalized }
    }
}

impl From<generated::Failure> for ValidateError {
    fn from(failure: generated::Failure) -> Self {
        match failure {
            generated::Failure::UnknownSchema => Self::UnknownSchema,
            generated::Failure::UnusablePolicy => Self::Unavailable,
        }
    }
}

impl From<generated::Report> for Report {
    fn from(report: generated::Report) -> Self {
        let generated::Report { verdict, violations, has_more, normalized } = report;
        Self {
            verdict: match verdict {
                generated::Verdict::Valid => Verdict::Valid,
                generated::Verdict::Invalid => Verdict::Invalid,
                generated::Verdict::Unreadable => Verdict::Unreadable,
                generated::Verdict::OverLimit => Verdict::OverLimit,
            },
            violations: violations.into_iter().map(Violation::from).collect(),
            has_more,
            normalized,
        }
    }
}

impl From<generated::Violation> for Violation {
    fn from(violation: generated::Violation) -> Self {
        let generated::Violation { pointer, keyword, code, params, message } = violation;
        let params = params.into_iter().map(|generated::Param { name, value }| (name, value)).collect();
        Self { pointer, keyword, code, params, message }
    }
}
