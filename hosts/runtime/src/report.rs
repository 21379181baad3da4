//! A report on a document that owns its texts, and its JSON.

use portcullis_core as core_api;
use portcullis_core::Verdict;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// See `portcullis_core::Report`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    #[serde(serialize_with = "verdict_name")]
    pub verdict: Verdict,
    pub violations: Vec<Violation>,
    pub has_more: bool,
    /// Text of JSON; not part of the report's own JSON.
    #[serde(skip)]
    pub normalized: Option<String>,
}

/// See `portcullis_core::Violation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub pointer: String,
    pub keyword: String,
    pub code: String,
    /// Names and values as JSON.
    #[serde(serialize_with = "param_values")]
    pub params: Vec<(String, String)>,
    pub message: String,
}

/// Why there is no report; then the document counts as wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidateError {
    #[error("the policy has no such schema")]
    UnknownSchema,
    /// There is no policy, it cannot be read, or the component failed.
    #[error("there is no usable policy")]
    Unavailable,
}

impl From<core_api::Report<'_>> for Report {
    fn from(report: core_api::Report<'_>) -> Self {
        let core_api::Report { verdict, violations, has_more, normalized } = report;
        Self { verdict, violations: violations.into_iter().map(Violation::from).collect(), has_more, normalized }
    }
}

impl From<core_api::Violation<'_>> for Violation {
    fn from(violation: core_api::Violation<'_>) -> Self {
        let core_api::Violation { pointer, keyword, code, params, message } = violation;
        let params = params.into_iter().map(|(name, value)| (name.to_owned(), value.to_json()));
        Self { pointer, keyword: keyword.to_owned(), code: code.to_owned(), params: params.collect(), message }
    }
}

// === JSON names; the core knows nothing of serde ===

fn verdict_name<S: Serializer>(verdict: &Verdict, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match verdict {
        Verdict::Valid => "valid",
        Verdict::Invalid => "invalid",
        Verdict::Unreadable => "unreadable",
        Verdict::OverLimit => "over_limit",
    })
}

fn param_values<S: Serializer>(params: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    let mut object = to.serialize_map(Some(params.len()))?;
    for (name, value) in params {
        let value: &RawValue = serde_json::from_str(value).map_err(serde::ser::Error::custom)?;
        object.serialize_entry(name, value)?;
    }
    object.end()
}
