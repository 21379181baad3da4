//! What is wrong with a document, and where.

use core::fmt;

use crate::tree::Position;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// No bundle comes out.
    Error,
    /// Legal, but hardly meant.
    Warning,
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One line for the author of a document; shown as `line:column: severity: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    pub message: String,
}

impl Diagnostic {
    pub(crate) fn error(at: Position, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, line: at.line, column: at.column, message: message.into() }
    }

    pub(crate) fn warning(at: Position, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(at, message) }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, line, column, message } = self;
        write!(f, "{line}:{column}: {}: {message}", severity.name())
    }
}
