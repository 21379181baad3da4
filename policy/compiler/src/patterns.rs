//! Path and host patterns as typed -> patterns that something can match.
//!
//! Rules match canonical paths, so a pattern that is no canonical path itself would never match: it is refused, with
//! the spelling that was meant.

use core::fmt;

use portcullis_bundle::limits::PATTERN_BYTES;
use portcullis_core::{Malformed, canonicalize};

use crate::automata::{self, Alphabet, AutomatonError};
use crate::model::{Host, PathKind, Pattern};

/// Why a pattern is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PatternError {
    TooLong(usize),
    NotAbsolute(String),
    Query(String),
    NotCanonical { found: String, canonical: String },
    Malformed { found: String, why: Malformed },
    TrailingSlash(String),
    Segment(String),
    RestNotLast(String),
    HostHasMore { found: String, name: String },
    Host(String),
    Regex(AutomatonError),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(f, "pattern is {bytes} bytes, the limit is {PATTERN_BYTES}"),
            Self::NotAbsolute(found) => write!(f, "path `{found}` does not start with `/`"),
            Self::Query(found) => write!(f, "path `{found}` has a `?`: a query is not part of the path"),
            Self::NotCanonical { found, canonical } => {
                write!(f, "path `{found}` is not canonical and would never match; write `{canonical}`")
            }
            Self::Malformed { found, why } => {
                let why = match why {
                    Malformed::NotAbsolute => "it does not start with `/`",
                    Malformed::TooLong => "it is too long",
                    Malformed::Encoding => "`%` needs two hexadecimal digits",
                    Malformed::Control => "it has a control byte",
                    Malformed::Backslash => "it has a backslash",
                    Malformed::Fragment => "it has a `#`",
                    Malformed::EncodedSlash => "it has an encoded slash or backslash",
                    Malformed::Parameter => "it has a `;`",
                    Malformed::AboveRoot => "it climbs above the root",
                    Malformed::NotUtf8 => "it is not UTF-8 when decoded",
                };
                write!(f, "path `{found}` would never match: {why}")
            }
            Self::TrailingSlash(found) => {
                let without = found.trim_end_matches('/');
                write!(
                    f,
                    "`under: {found}` would match nothing below it; write `under: {without}` or `prefix: {found}`"
                )
            }
            Self::Segment(found) => {
                write!(f, "segment `{found}` of a template is neither a text nor `{{name}}` nor `{{name*}}`")
            }
            Self::RestNotLast(found) => write!(f, "`{found}` may only be the last segment of a template"),
            Self::HostHasMore { found, name } => {
                write!(f, "host `{found}` would never match: port and trailing dot do not count; write `{name}`")
            }
            Self::Regex(error) => error.fmt(f),
            Self::Host(found) => write!(f, "`{found}` is not a host, `*.` and a host, or `*`"),
        }
    }
}

impl Pattern {
    pub(crate) fn parse(kind: PathKind, text: &str) -> Result<Self, PatternError> {
        if text.len() > PATTERN_BYTES {
            return Err(PatternError::TooLong(text.len()));
        }
        if kind == PathKind::Regex {
            regex(text)?;
            return Ok(Self { kind, text: text.into() });
        }
        if !text.starts_with('/') {
            return Err(PatternError::NotAbsolute(text.to_owned()));
        }
        if text.contains('?') {
            return Err(PatternError::Query(text.to_owned()));
        }
        match kind {
            PathKind::Exact => require_canonical(text, text)?,
            PathKind::Under if text.len() > 1 && text.ends_with('/') => {
                return Err(PatternError::TrailingSlash(text.to_owned()));
            }
            PathKind::Under => require_canonical(text, text)?,
            PathKind::Prefix => require_canonical_prefix(text)?,
            PathKind::Template => require_template(text)?,
            PathKind::Regex => regex(text)?,
        }
        Ok(Self { kind, text: text.into() })
    }
}

/// Whether `text` is a regular expression for paths.
pub(crate) fn regex(text: &str) -> Result<(), PatternError> {
    if text.len() > PATTERN_BYTES {
        return Err(PatternError::TooLong(text.len()));
    }
    automata::check(text, Alphabet::Ascii).map_err(PatternError::Regex)
}

/// `sample` is `text` with its variable parts filled in.
fn require_canonical(sample: &str, text: &str) -> Result<(), PatternError> {
    let mut canonical = Vec::new();
    canonicalize(sample, &mut canonical).map_err(|why| PatternError::Malformed { found: text.to_owned(), why })?;
    if canonical == sample.as_bytes() {
        return Ok(());
    }
    let canonical = String::from_utf8_lossy(&canonical).into_owned();
    Err(PatternError::NotCanonical { found: text.to_owned(), canonical })
}

/// A prefix may end anywhere, so its last segment stands for every segment that begins so.
fn require_canonical_prefix(text: &str) -> Result<(), PatternError> {
    let (before, last) = text.rsplit_once('/').unwrap_or(("", text));
    require_canonical(&format!("{before}/"), text)?;
    require_canonical(&format!("/x{last}x"), text)
}

fn require_template(text: &str) -> Result<(), PatternError> {
    let mut sample = String::new();
    let mut segments = text.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        sample.push('/');
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) => {
                let is_rest = name.ends_with('*');
                let name = name.strip_suffix('*').unwrap_or(name);
                if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                    return Err(PatternError::Segment(segment.to_owned()));
                }
                if is_rest && segments.peek().is_some() {
                    return Err(PatternError::RestNotLast(segment.to_owned()));
                }
                sample.push('x');
            }
            None if segment.contains(['{', '}']) => return Err(PatternError::Segment(segment.to_owned())),
            None => sample.push_str(segment),
        }
    }
    require_canonical(&sample, text).map_err(|error| match error {
        PatternError::NotCanonical { found, canonical } if sample != text => {
            // The canonical form of the sample has lost the names; say what is wrong with the template instead.
            PatternError::NotCanonical { found, canonical: format!("{canonical}` with its names in place of `x") }
        }
        other => other,
    })
}

/// `None` is any host.
pub(crate) fn host(text: &str) -> Result<Option<Host>, PatternError> {
    if text == "*" {
        return Ok(None);
    }
    let (name, is_suffix) = match text.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (text, false),
    };
    let parsed = portcullis_core::Host::parse(name).ok_or_else(|| PatternError::Host(text.to_owned()))?;
    let lower = String::from_utf8_lossy(parsed.as_bytes()).to_ascii_lowercase();
    if lower.len() != name.len() {
        let name = if is_suffix { format!("*.{lower}") } else { lower };
        return Err(PatternError::HostHasMore { found: text.to_owned(), name });
    }
    Ok(Some(if is_suffix { Host::Suffix(format!(".{lower}")) } else { Host::Exact(lower) }))
}
