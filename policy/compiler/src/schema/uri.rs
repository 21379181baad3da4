//! References to schemas: RFC 3986, as far as schemas of one document need it.

/// The absolute form of `reference`, seen from `base`, and its fragment (section 5.2).
pub(super) fn resolve(base: &str, reference: &str) -> (String, Option<String>) {
    let (reference, fragment) = match reference.split_once('#') {
        Some((reference, fragment)) => (reference, Some(fragment.to_owned())),
        None => (reference, None),
    };
    (absolute(base, reference), fragment)
}

fn absolute(base: &str, reference: &str) -> String {
    if reference.is_empty() {
        return base.to_owned();
    }
    if has_scheme(reference) {
        return normal(reference);
    }
    let (scheme, rest) = base.split_once(':').unwrap_or(("", base));
    if reference.starts_with("//") {
        return normal(&format!("{scheme}:{reference}"));
    }
    let (authority, path) = match rest.strip_prefix("//") {
        Some(after) => {
            let end = after.find(['/', '?']).unwrap_or(after.len());
            (format!("//{}", &after[..end]), &after[end..])
        }
        None => (String::new(), rest),
    };
    let path = path.split('?').next().unwrap_or_default();
    if reference.starts_with('/') {
        return normal(&format!("{scheme}:{authority}{reference}"));
    }
    if reference.starts_with('?') {
        return format!("{scheme}:{authority}{path}{reference}");
    }
    let folder = match path.rfind('/') {
        Some(end) => &path[..=end],
        None if authority.is_empty() => "",
        None => "/",
    };
    normal(&format!("{scheme}:{authority}{folder}{reference}"))
}

fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

/// Without dot segments (section 5.2.4).
fn normal(uri: &str) -> String {
    let (uri, query) = uri.split_at(uri.find('?').unwrap_or(uri.len()));
    let (scheme, rest) = uri.split_once(':').unwrap_or(("", uri));
    let start = match rest.strip_prefix("//") {
        Some(after) => 2 + after.find('/').unwrap_or(after.len()),
        None => 0,
    };
    let (authority, path) = rest.split_at(start);
    if !path.starts_with('/') {
        return format!("{scheme}:{authority}{path}{query}");
    }
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    segments.pop();
                }
                if is_last {
                    segments.push("");
                }
            }
            part => segments.push(part),
        }
    }
    format!("{scheme}:{authority}/{}{query}", segments.join("/"))
}

/// The fragment without percent-encoding; `None` when it is not UTF-8 or broken.
pub(super) fn decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut parts = fragment.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
