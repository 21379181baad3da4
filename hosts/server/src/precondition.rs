//! `if-match` and `if-none-match` (RFC 9110 section 13): headers + the current entity tag -> go on or not.

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName};

/// The conditions of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// Result of comparing them with what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Hold,
    /// `if-match` names nothing that is there: 412.
    NoMatch,
    /// `if-none-match` names what is there: 304 for a read, 412 for a write.
    Match,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header `{header}` is not a list of entity tags")]
pub struct BadTags {
    header: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    Any,
    List(Vec<Tag>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    is_weak: bool,
    /// Without quotes.
    opaque: Vec<u8>,
}

// === impl Preconditions ===

impl Preconditions {
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, BadTags> {
        Ok(Self {
            if_match: tags(headers, &IF_MATCH, "if-match")?,
            if_none_match: tags(headers, &IF_NONE_MATCH, "if-none-match")?,
        })
    }

    /// What is there must be this; `None` when there must be nothing.
    pub fn only(current: Option<String>) -> Self {
        let tag = |opaque: String| Tag { is_weak: false, opaque: opaque.into_bytes() };
        match current {
            Some(current) => Self { if_match: Some(Tags::List(vec![tag(current)])), if_none_match: None },
            None => Self { if_match: None, if_none_match: Some(Tags::Any) },
        }
    }

    /// In the order of RFC 9110 section 13.2.2. `current` is a strong tag without quotes; `None` when there is nothing.
    pub fn compare(&self, current: Option<&str>) -> Outcome {
        // `if-match` compares strongly: a weak tag names nothing. `if-none-match` compares weakly.
        let strongly = |tag: &Tag| !tag.is_weak && Some(tag.opaque.as_slice()) == current.map(str::as_bytes);
        let weakly = |tag: &Tag| Some(tag.opaque.as_slice()) == current.map(str::as_bytes);
        if self.if_match.as_ref().is_some_and(|tags| !tags.name(current, strongly)) {
            return Outcome::NoMatch;
        }
        if self.if_none_match.as_ref().is_some_and(|tags| tags.name(current, weakly)) {
            return Outcome::Match;
        }
        Outcome::Hold
    }
}

// === impl Tags ===

impl Tags {
    fn name(&self, current: Option<&str>, is_current: impl Fn(&Tag) -> bool) -> bool {
        match self {
            Self::Any => current.is_some(),
            Self::List(tags) => tags.iter().any(is_current),
        }
    }
}

/// All lines of a header as one list; `None` when there is no line.
fn tags(headers: &HeaderMap, name: &HeaderName, header: &'static str) -> Result<Option<Tags>, BadTags> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(|value| value.as_bytes()).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let list = lines.join(&b',');
    if list.trim_ascii() == b"*" {
        return Ok(Some(Tags::Any));
    }
    let mut tags = Vec::new();
    let mut rest = list.as_slice();
    loop {
        rest = skip_empty(rest);
        if rest.is_empty() {
            break;
        }
        let (tag, after) = take_tag(rest).ok_or(BadTags { header })?;
        tags.push(tag);
        rest = after.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return Err(BadTags { header });
        }
    }
    match tags.is_empty() {
        true => Err(BadTags { header }),
        false => Ok(Some(Tags::List(tags))),
    }
}

/// A recipient accepts empty elements of a list (RFC 9110 section 5.6.1.2).
fn skip_empty(list: &[u8]) -> &[u8] {
    let end = list.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t')).unwrap_or(list.len());
    list.get(end..).unwrap_or_default()
}

/// `"opaque"` or `W/"opaque"`.
fn take_tag(list: &[u8]) -> Option<(Tag, &[u8])> {
    let (is_weak, quoted) = match list.strip_prefix(b"W/") {
        Some(quoted) => (true, quoted),
        None => (false, list),
    };
    let body = quoted.strip_prefix(b"\"")?;
    let end = body.iter().position(|&byte| byte == b'"')?;
    let (opaque, rest) = body.split_at_checked(end)?;
    let is_legal = opaque.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..));
    is_legal.then(|| (Tag { is_weak, opaque: opaque.to_vec() }, rest.strip_prefix(b"\"").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(lines: &[(&str, &str)]) -> Result<Preconditions, BadTags> {
        let headers = lines.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        Preconditions::from_headers(&headers.collect())
    }

    #[track_caller]
    fn check(lines: &[(&str, &str)], current: Option<&str>, expected: Outcome) {
        assert_eq!(given(lines).unwrap().compare(current), expected, "{lines:?} with {current:?}");
    }

    #[test]
    fn if_match_wants_the_current_tag() {
        check(&[], None, Outcome::Hold);
        check(&[("if-match", "\"7\"")], Some("7"), Outcome::Hold);
        check(&[("if-match", "\"6\"")], Some("7"), Outcome::NoMatch);
        check(&[("if-match", "\"7\"")], None, Outcome::NoMatch);
        check(&[("if-match", "\"5\", \"7\" ,,\"8\"")], Some("7"), Outcome::Hold);
        check(&[("if-match", "\"5\""), ("if-match", "\"7\"")], Some("7"), Outcome::Hold);
        check(&[("if-match", "W/\"7\"")], Some("7"), Outcome::NoMatch);
        check(&[("if-match", "*")], Some("7"), Outcome::Hold);
        check(&[("if-match", "*")], None, Outcome::NoMatch);
    }

    #[test]
    fn if_none_match_wants_any_other() {
        check(&[("if-none-match", "\"7\"")], Some("7"), Outcome::Match);
        check(&[("if-none-match", "W/\"7\"")], Some("7"), Outcome::Match);
        check(&[("if-none-match", "\"6\"")], Some("7"), Outcome::Hold);
        check(&[("if-none-match", "*")], Some("7"), Outcome::Match);
        check(&[("if-none-match", "*")], None, Outcome::Hold);
        check(&[("if-match", "\"6\""), ("if-none-match", "\"7\"")], Some("7"), Outcome::NoMatch);
    }

    #[test]
    fn what_is_not_a_list_of_tags_is_an_error() {
        for value in ["7", "\"7", "w/\"7\"", "\"7\" \"8\"", "*, \"7\"", "\"a b\"", "", ","] {
            assert_eq!(given(&[("if-match", value)]), Err(BadTags { header: "if-match" }), "{value:?}");
        }
        assert!(given(&[("if-match", "*"), ("if-match", "*")]).is_err());
    }
}
