//! A path of a Barong row -> the path pattern that matches the same requests.
//!
//! Barong compares decoded paths without the leading slash and without trailing ones, by plain prefix. We compare
//! canonical paths, so characters that these encode are encoded here.

use core::fmt;

use portcullis_core::{Malformed, canonicalize};

use crate::import::yaml;

#[derive(Debug, PartialEq, Eq)]
pub enum Pattern {
    Prefix(String),
    /// Whatever is below this path. It ended with `/`, and a request never does when Barong compares, so the path
    /// itself is not meant.
    Below(String),
}

/// Why no request ever matched a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeverMatches {
    LeadingSlash,
    EmptySegment,
    DotSegment,
    Refused,
}

impl NeverMatches {
    pub fn why(self) -> &'static str {
        match self {
            Self::LeadingSlash => "its path begins with `/`, so Barong never matched it",
            Self::EmptySegment => "its path has an empty segment, so Barong never matched it",
            Self::DotSegment => "its path has a dot segment; requests are compared without such",
            Self::Refused => "its path has a character that no accepted request has",
        }
    }

    pub(super) fn help(self) -> Option<&'static str> {
        (self == Self::LeadingSlash).then_some("write the path without the first `/` if the row is meant")
    }
}

impl Pattern {
    /// The path of a row.
    pub fn parse(path: &str) -> Result<Self, NeverMatches> {
        if path.starts_with('/') {
            return Err(NeverMatches::LeadingSlash);
        }
        let mut canonical = String::new();
        let mut segments = path.split('/').peekable();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            match segment {
                // The last segment is only the beginning of one.
                "." | ".." if !is_last => return Err(NeverMatches::DotSegment),
                "" if !is_last => return Err(NeverMatches::EmptySegment),
                _ => canonical.push('/'),
            }
            canonical.push_str(&encode(segment).ok_or(NeverMatches::Refused)?);
        }
        Ok(match canonical.strip_suffix('/') {
            Some(above) => Self::Below(above.to_owned()),
            None => Self::Prefix(canonical),
        })
    }

    /// Whether Barong's cut of a last `.suffix` keeps requests from matching that match as written.
    pub(super) fn ends_in_suffix(&self) -> bool {
        match self {
            Self::Prefix(path) => path.rsplit('/').next().is_some_and(|last| last.contains('.')),
            Self::Below(_) => false,
        }
    }

    /// The segment after the first `admin/`: Barong's topic for audits that name none.
    pub(super) fn admin_segment(&self) -> Option<&str> {
        let (Self::Prefix(path) | Self::Below(path)) = self;
        let (_, after) = path.split_once("admin/")?;
        after.split('/').next().filter(|segment| !segment.is_empty())
    }
}

/// A segment as it stands in a canonical path.
fn encode(segment: &str) -> Option<String> {
    // These end a path or begin an encoding when they are not encoded themselves.
    let literal = segment.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    let mut canonical = Vec::new();
    // Between two letters it is no dot segment.
    let made: Result<(), Malformed> = canonicalize(&format!("/x{literal}x"), &mut canonical);
    made.ok()?;
    let canonical = String::from_utf8(canonical).ok()?;
    canonical.strip_prefix("/x")?.strip_suffix('x').map(str::to_owned)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(path) => write!(f, "{{prefix: {}}}", yaml::scalar(path)),
            Self::Below(path) => write!(f, "{{template: {}}}", yaml::scalar(&format!("{path}/{{rest*}}"))),
        }
    }
}
