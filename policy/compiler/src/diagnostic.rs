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

/// Something for the author of a document; shown as `line:column: severity: message; help`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// What is wrong, on one line.
    pub message: String,
    /// What to do about it, on one line.
    pub help: Option<String>,
    /// Stable name of the lint that found it.
    pub name: Option<&'static str>,
}

impl Diagnostic {
    pub fn new(severity: Severity, line: u32, column: u32, message: impl Into<String>) -> Self {
        Self { severity, line, column, message: message.into(), help: None, name: None }
    }

    pub(crate) fn error(at: Position, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, at.line, at.column, message)
    }

    pub(crate) fn warning(at: Position, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, at.line, at.column, message)
    }

    pub(crate) fn with_help(self, help: Option<impl Into<String>>) -> Self {
        Self { help: help.map(Into::into), ..self }
    }

    pub(crate) fn named(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, line, column, message, help, name: _ } = self;
        write!(f, "{line}:{column}: {}: {message}", severity.name())?;
        match help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}
