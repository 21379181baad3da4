//! Which schemas the body of a request must satisfy.
//!
//! In: method, host, path and content type of a request. Out: the schemas of all validations whose target is there; a
//! content type that none of them is for is refused, as is a charset in which the bytes would say something else.
//! Tried one after the other: a policy has at most `VALIDATIONS`.

use portcullis_bundle::Policy;
use portcullis_bundle::layout::OTHER_METHOD;
use portcullis_bundle::schema::{PathKind, Validation, schema_flags};
use regex_automata::Input;
use regex_automata::dfa::Automaton as _;

use crate::canonical::canonicalize;
use crate::host::{self, Host};

const FORM: &str = "application/x-www-form-urlencoded";
const SUFFIX: &str = "+json";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyCheck {
    /// No validation is for this request.
    Free,
    /// Numbers of the schemas that the body must satisfy, at least one.
    Schemas(Vec<u32>),
    /// Validations are for this request, but none for this content type.
    WrongContentType,
}

/// `None` when path or host are malformed, or the policy cannot be read: nothing may pass.
pub fn body_check(
    policy: &Policy,
    method: &str,
    host: Option<&str>,
    path: &str,
    content_type: Option<&str>,
) -> Option<BodyCheck> {
    let records = policy.records();
    if records.validations.is_empty() {
        return Some(BodyCheck::Free);
    }
    let bit = records.method_bit(method).unwrap_or(OTHER_METHOD);
    let mut of_method = records.validations.iter().filter(|one| one.methods.get() & bit != 0).peekable();
    if of_method.peek().is_none() {
        return Some(BodyCheck::Free);
    }
    let mut canonical = Vec::new();
    canonicalize(path, &mut canonical).ok()?;
    let host = match host {
        None | Some("") => None,
        Some(authority) => Some(Host::parse(authority)?),
    };
    let media_type = content_type.and_then(utf8_media_type);
    let (mut schemas, mut is_target) = (Vec::new(), false);
    for validation in of_method {
        if !is_host(policy, validation, host)? || !is_path(policy, validation, &canonical)? {
            continue;
        }
        is_target = true;
        if fits(policy, validation, media_type)? && !schemas.contains(&validation.schema.get()) {
            schemas.push(validation.schema.get());
        }
    }
    Some(match (is_target, schemas.is_empty()) {
        (false, _) => BodyCheck::Free,
        (true, true) => BodyCheck::WrongContentType,
        (true, false) => BodyCheck::Schemas(schemas),
    })
}

fn is_host(policy: &Policy, validation: &Validation, host: Option<Host<'_>>) -> Option<bool> {
    match validation.hosts.get() {
        0 => Some(true),
        hosts => host::matches(policy, hosts, host),
    }
}

/// Without its parameters; `None` for a charset other than UTF-8.
fn utf8_media_type(content_type: &str) -> Option<&str> {
    let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let mut parameters = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let is_utf8 = |charset: &str| ["utf-8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    let is_read = parameters
        .all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || is_utf8(value.trim().trim_matches('"')));
    is_read.then(|| media_type.trim())
}

/// A validation that names no media types is for those that its schema reads: the upstream must not read the bytes as
/// something else.
fn fits(policy: &Policy, validation: &Validation, media_type: Option<&str>) -> Option<bool> {
    let Some(media_type) = media_type else { return Some(false) };
    let types = policy.content_types(validation.content_types)?;
    let mut known = types.iter().filter_map(|&text| policy.str(text));
    if !types.is_empty() {
        return Some(known.any(|known| known.eq_ignore_ascii_case(media_type)));
    }
    let is_form = policy.schema(validation.schema.get())?.flags.get() & schema_flags::FORM != 0;
    Some(if is_form { media_type.eq_ignore_ascii_case(FORM) } else { is_json(media_type) })
}

/// `application/json`, or a type with its suffix (RFC 6839 section 3.1).
fn is_json(media_type: &str) -> bool {
    let tail = |bytes: usize| media_type.len().checked_sub(bytes).and_then(|start| media_type.get(start..));
    media_type.eq_ignore_ascii_case("application/json")
        || tail(SUFFIX.len()).is_some_and(|tail| tail.eq_ignore_ascii_case(SUFFIX))
}

fn is_path(policy: &Policy, validation: &Validation, path: &[u8]) -> Option<bool> {
    let pattern = policy.text(validation.path)?;
    Some(match PathKind::from_byte(validation.kind)? {
        PathKind::Any => true,
        PathKind::Exact => path == pattern,
        PathKind::Under if pattern == b"/" => true,
        PathKind::Under => path.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")),
        PathKind::Prefix => path.starts_with(pattern),
        PathKind::Template => is_template(pattern, path),
        PathKind::Regex => {
            let automaton = policy.automaton(validation.automaton.get())?;
            automaton.try_search_fwd(&Input::new(path).earliest(true)).ok()?.is_some()
        }
    })
}

/// Segment by segment; `{x}` is one that is not empty, `{x*}` one or more.
fn is_template(template: &[u8], path: &[u8]) -> bool {
    let mut segments = path.split(|&byte| byte == b'/');
    for pattern in template.split(|&byte| byte == b'/') {
        let Some(segment) = segments.next() else { return false };
        let name = pattern.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        let holds = match name {
            Some(name) if name.ends_with(b"*") => return !segment.is_empty(),
            Some(_) => !segment.is_empty(),
            None => segment == pattern,
        };
        if !holds {
            return false;
        }
    }
    segments.next().is_none()
}
