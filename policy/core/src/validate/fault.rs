//! Why a document was not looked at, or not to its end.

/// What is wrong with the bytes of a document, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    /// In bytes from the start.
    pub(super) offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// The document ends too early.
    End,
    Syntax,
    TrailingBytes,
    Utf8,
    Control,
    Escape,
    LoneSurrogate,
    Number,
    NumberRange,
    DuplicateKey,
    TooDeep,
    TooManyFields,
    TooLarge,
    TooCostly,
}

impl Fault {
    pub(super) fn at(kind: FaultKind, offset: usize) -> Self {
        Self { kind, offset }
    }
}

impl FaultKind {
    /// Stable code and what it means.
    pub(super) fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::End => ("malformed", "the document ends too early"),
            Self::Syntax => ("malformed", "this is not valid here"),
            Self::TrailingBytes => ("trailing_bytes", "there is something behind the end of the document"),
            Self::Utf8 => ("invalid_utf8", "this is not UTF-8"),
            Self::Control => ("malformed", "control characters in a text must be escaped"),
            Self::Escape => ("malformed", "this is not a valid escape"),
            Self::LoneSurrogate => ("lone_surrogate", "half of a surrogate pair is not a character"),
            Self::Number => ("malformed", "this is not a valid number"),
            Self::NumberRange => ("number_range", "the exponent is beyond what is supported"),
            Self::DuplicateKey => ("duplicate_key", "an object that ends here has a key twice"),
            Self::TooDeep => ("too_deep", "the document is nested too deep"),
            Self::TooManyFields => ("too_many_fields", "the form has too many fields"),
            Self::TooLarge => ("too_large", "the document is too large"),
            Self::TooCostly => ("too_costly", "the document takes too much work to check"),
        }
    }
}
