//! Canonical paths (section 2) and what path patterns match (section 1).

use super::cache::regex;
use super::document::Path;

pub fn canonical(raw: &str) -> Option<String> {
    let path = raw.split('?').next().unwrap_or_default();
    if path.len() > 8192 || !path.starts_with('/') || path.contains(['\\', '#', ';']) {
        return None;
    }
    let mut bytes = Vec::new();
    let mut spelled = Vec::new();
    let mut at = 0;
    while let Some(byte) = path.as_bytes().get(at) {
        let encoded = *byte == b'%';
        let byte = if encoded {
            let digits = path.get(at + 1..at + 3).filter(|digits| digits.chars().all(|one| one.is_ascii_hexdigit()))?;
            at += 3;
            u8::from_str_radix(digits, 16).ok()?
        } else {
            at += 1;
            *byte
        };
        if byte.is_ascii_control() || (encoded && (byte == b'/' || byte == b'\\')) {
            return None;
        }
        let kept = if encoded { "-._~" } else { "-._~!$&'()*+,=:@/" };
        let stays = byte.is_ascii_alphanumeric() || kept.contains(byte as char) && byte.is_ascii();
        spelled.push(if stays { (byte as char).to_string() } else { format!("%{byte:02X}") });
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()?;
    let mut segments: Vec<String> = Vec::new();
    let spelled = spelled.concat();
    let mut parts = spelled.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        match part {
            "." => {}
            ".." => drop(segments.pop()?),
            other => segments.push(other.to_owned()),
        }
        if parts.peek().is_none() && (part == "." || part == "..") {
            segments.push(String::new());
        }
    }
    let mut path = format!("/{}", segments.join("/"));
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    (path.len() <= 8192).then_some(path)
}

pub fn matches(pattern: &Path, path: &str) -> bool {
    match pattern {
        Path::Exact(pattern) => path == pattern,
        Path::Under(pattern) => pattern == "/" || path == pattern || path.starts_with(&format!("{pattern}/")),
        Path::Prefix(pattern) => path.starts_with(pattern),
        Path::Template(pattern) => is_of_template(pattern, path),
        Path::Regex(pattern) => regex(pattern).is_match(path.as_bytes()),
    }
}

fn is_of_template(pattern: &str, path: &str) -> bool {
    let expected: Vec<&str> = pattern.split('/').collect();
    let found: Vec<&str> = path.split('/').collect();
    let is_rest = pattern.ends_with("*}");
    let same_length = if is_rest { found.len() >= expected.len() } else { found.len() == expected.len() };
    let holds = |(expected, found): (&&str, &&str)| {
        if expected.starts_with('{') { !found.is_empty() } else { expected == found }
    };
    same_length && expected.iter().zip(&found).all(holds)
}
