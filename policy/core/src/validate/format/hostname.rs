//! Host names: RFC 1123 section 2.1, with A-labels of RFC 5890.

use super::idna;

/// RFC 1035 section 2.3.4: 255 octets with the lengths of the labels, so 253 characters.
const NAME_BYTES: usize = 253;
const LABEL_BYTES: usize = 63;

pub(super) fn is_hostname(text: &str) -> bool {
    text.len() <= NAME_BYTES
        && text.split('.').all(|label| {
            is_label(label.as_bytes())
                && match label.get(..4) {
                    Some(prefix) if prefix.eq_ignore_ascii_case("xn--") => {
                        idna::is_encoded_label(label.get(4..).unwrap_or_default())
                    }
                    _ => true,
                }
        })
}

/// Letters, digits and hyphens, no hyphen at an end.
pub(super) fn is_label(label: &[u8]) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    label.len() <= LABEL_BYTES && label.iter().all(is_inner) && is_end(label.first()) && is_end(label.last())
}
