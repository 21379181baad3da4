//! Component glue for the interface `validator`: a document in, the core's report out. No logic.
//!
//! Each shape is taken apart by name, so that a new case does not compile until someone decides.

use portcullis_core as core_api;

use crate::exports::portcullis::policy::validator::{
    Failure, Guest, Options, Param, PolicyBorrow, Report, Verdict, Violation,
};
use crate::{Component, OpenPolicy};

impl Guest for Component {
    fn validate(
        policy: PolicyBorrow<'_>,
        schema: String,
        document: Vec<u8>,
        options: Options,
    ) -> Result<Report, Failure> {
        let OpenPolicy { policy, scratch: _, documents } = policy.get();
        let schema = policy.schema_number(&schema).ok_or(Failure::UnknownSchema)?;
        let scratch = &mut documents.borrow_mut();
        let report = core_api::validate(policy, schema, &document, &(&options).into(), scratch);
        report.map(Report::from).ok_or(Failure::UnusablePolicy)
    }
}

impl<'a> From<&'a Options> for core_api::ValidateOptions<'a> {
    fn from(options: &'a Options) -> Self {
        let Options { language, max_bytes, normalized } = options;
        let default = Self::default();
        let max_bytes = max_bytes.map_or(default.max_bytes, |bytes| bytes as usize);
        Self { language, max_bytes, normalized: *normalized }
    }
}

impl From<core_api::Report<'_>> for Report {
    fn from(report: core_api::Report<'_>) -> Self {
        let core_api::Report { verdict, violations, has_more, normalized } = report;
        Self {
            verdict: match verdict {
                core_api::Verdict::Valid => Verdict::Valid,
                core_api::Verdict::Invalid => Verdict::Invalid,
                core_api::Verdict::Unreadable => Verdict::Unreadable,
                core_api::Verdict::OverLimit => Verdict::OverLimit,
            },
            violations: violations.into_iter().map(Violation::from).collect(),
            has_more,
            normalized,
        }
    }
}

impl From<core_api::Violation<'_>> for Violation {
    fn from(violation: core_api::Violation<'_>) -> Self {
        let core_api::Violation { pointer, keyword, code, params, message } = violation;
        let params = params.into_iter().map(|(name, value)| Param { name: name.to_owned(), value: value.to_json() });
        Self { pointer, keyword: keyword.to_owned(), code: code.to_owned(), params: params.collect(), message }
    }
}
