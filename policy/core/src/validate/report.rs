//! What a host learns of a document.

use super::fault::{Fault, FaultKind};
use super::keyword::Keyword;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Valid,
    /// It can be read and does not satisfy the schema.
    Invalid,
    /// It is no JSON, or no form, that every reader reads the same way.
    Unreadable,
    /// It is larger, or takes more work, than the limits allow.
    OverLimit,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<'p> {
    pub verdict: Verdict,
    /// In document order; at most `limits::VIOLATIONS`. One, when the document was not looked at to its end.
    pub violations: Vec<Violation<'p>>,
    /// There are more than are listed.
    pub has_more: bool,
    /// See `ValidateOptions::normalized`.
    pub normalized: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation<'p> {
    /// RFC 6901, into the document.
    pub pointer: String,
    /// Keyword of the schema, or `document` when the document cannot be read.
    pub keyword: &'static str,
    /// Stable; as the schema says, or that of the keyword.
    pub code: &'p str,
    pub params: Vec<(&'static str, Param)>,
    /// For people; may change.
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Param {
    Text(String),
    /// A value as JSON.
    Json(String),
}

// === impl Report ===

impl Report<'_> {
    pub(super) fn valid(normalized: Option<String>) -> Self {
        Self { verdict: Verdict::Valid, violations: Vec::new(), has_more: false, normalized }
    }

    pub(super) fn refused(fault: Fault) -> Self {
        let verdict = match fault.kind {
            FaultKind::TooLarge | FaultKind::TooCostly => Verdict::OverLimit,
            _ => Verdict::Unreadable,
        };
        let (code, message) = fault.kind.code();
        let offset = Param::Json(fault.offset.to_string());
        let violation = Violation {
            pointer: String::new(),
            keyword: "document",
            code,
            params: vec![("offset", offset)],
            message: message.to_owned(),
        };
        Self { verdict, violations: vec![violation], has_more: false, normalized: None }
    }
}

// === impl Param ===

impl Param {
    /// As it stands in a message.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Json(text) => text,
        }
    }

    pub fn to_json(&self) -> String {
        match self {
            Self::Json(json) => json.clone(),
            Self::Text(text) => {
                let mut json = String::new();
                crate::json::quote(text, &mut json);
                json
            }
        }
    }
}

impl Keyword {
    /// Whether a violation names the part that should not be there.
    pub(super) fn is_about_property(self) -> bool {
        matches!(self, Self::PropertyNames | Self::AdditionalProperties | Self::UnevaluatedProperties)
    }
}
