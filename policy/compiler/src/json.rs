//! JSON -> YAML, where the two differ: a character beyond 16 bits is two `\u` escapes in JSON, one `\U` in YAML.
//!
//! Only what stands behind such a character on its line moves, by two columns.

use std::borrow::Cow;

/// `text` as YAML, if it looks like a JSON object; unchanged otherwise.
pub(crate) fn as_yaml(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('{') || !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let mut yaml = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        yaml.push_str(before);
        let taken = match pair(escape) {
            Some(character) => {
                yaml.push_str(&format!("\\U{:08X}", u32::from(character)));
                "\\uXXXX\\uXXXX".len()
            }
            None => {
                // The escape and the character after it, which may be another backslash.
                let taken = escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end);
                yaml.push_str(&escape[..taken]);
                taken
            }
        };
        rest = &escape[taken..];
    }
    yaml.push_str(rest);
    Cow::Owned(yaml)
}

/// The character of a surrogate pair (RFC 8259 section 7) at the start of `escape`.
fn pair(escape: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut characters = char::decode_utf16([unit(0)?, unit(6)?]);
    match (characters.next(), characters.next()) {
        (Some(Ok(character)), None) => Some(character),
        _ => None,
    }
}
