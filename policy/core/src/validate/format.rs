//! Texts -> whether they have a format of JSON Schema (validation vocabulary section 7.3).
//!
//! In: a text. Out: yes or no, by the grammar that the format names. Never: a table of top-level domains, a clock.

mod address;
mod hostname;
mod idna;
mod regex;
mod time;
mod uri;

use core::net::{Ipv4Addr, Ipv6Addr};

use portcullis_bundle::schema::Format;

pub(super) fn is_format(format: Format, text: &str) -> bool {
    match format {
        Format::Email => address::is_email(text),
        Format::Uuid => is_uuid(text),
        Format::Date => time::is_date(text),
        Format::Time => time::is_time(text),
        Format::DateTime => time::is_date_time(text),
        Format::Duration => time::is_duration(text),
        Format::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
        Format::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
        Format::Hostname => hostname::is_hostname(text),
        Format::Uri => uri::is_uri(text),
        Format::UriReference => uri::is_uri_reference(text),
        Format::JsonPointer => is_json_pointer(text),
        Format::Regex => regex::is_regex(text),
    }
}

/// RFC 4122 section 3, any version and variant.
fn is_uuid(text: &str) -> bool {
    let groups = text.as_bytes().split(|&byte| byte == b'-').map(|group| {
        let is_hex = group.iter().all(u8::is_ascii_hexdigit);
        is_hex.then_some(group.len())
    });
    groups.eq([8, 4, 4, 4, 12].map(Some))
}

/// RFC 6901 section 3.
fn is_json_pointer(text: &str) -> bool {
    let Some(tokens) = text.strip_prefix('/') else { return text.is_empty() };
    tokens.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}

#[cfg(test)]
mod tests;
