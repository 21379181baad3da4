//! Settings as TOML, each with where it comes from.

use figment::value::{Dict, Num, Value};

use crate::config::origin::Origin;

/// Keys whose values are URLs that may have a password.
const URLS: [&str; 3] = ["database", "object_store", "otlp_endpoint"];

const MASK: &str = "***";

/// `settings` are a table. What has no value is a comment.
pub fn toml(settings: &Value, origin: impl Fn(&str) -> Origin) -> String {
    let mut text = String::new();
    if let Some(settings) = settings.as_dict() {
        table(&mut text, "", settings, &origin);
    }
    text
}

/// Keys first, tables after them: what follows the name of a table belongs to it.
fn table(text: &mut String, section: &str, settings: &Dict, origin: &impl Fn(&str) -> Origin) {
    let full = |key: &str| if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
    for (key, value) in settings {
        if value.as_dict().is_none() {
            text.push_str(&line(key, value, &origin(&full(key))));
        }
    }
    for (key, value) in settings {
        if let Some(inner) = value.as_dict() {
            text.push_str(&format!("\n[{}]\n", full(key)));
            table(text, &full(key), inner, origin);
        }
    }
}

fn line(key: &str, value: &Value, origin: &Origin) -> String {
    let origin = one_line(&origin.to_string());
    match value {
        Value::Empty(..) => format!("# {key} is not set\n"),
        Value::String(_, url) if URLS.contains(&key) => {
            let masked = masked(url);
            let note = if masked == *url { "" } else { ", password masked" };
            format!("{key} = {} # {origin}{note}\n", quoted(&masked))
        }
        value => format!("{key} = {} # {origin}\n", inline(value)),
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(_, text) => quoted(text),
        Value::Char(_, letter) => quoted(&letter.to_string()),
        Value::Bool(_, is_so) => is_so.to_string(),
        Value::Num(_, number) => self::number(*number),
        Value::Array(_, items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Dict(_, entries) => {
            let set = entries.iter().filter(|(_, value)| !matches!(value, Value::Empty(..)));
            let pairs = set.map(|(key, value)| format!("{key} = {}", inline(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        // Only settings of tables have no value.
        Value::Empty(..) => quoted(""),
    }
}

/// Settings are whole numbers.
fn number(number: Num) -> String {
    number
        .to_u128()
        .map(|number| number.to_string())
        .or(number.to_i128().map(|number| number.to_string()))
        .unwrap_or_default()
}

/// A basic string of TOML: JSON escapes all that it must, but for DEL.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The URL without its password, which stands before the last `@` or in the query.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let rest = match rest.rsplit_once('@') {
        Some((credentials, place)) => match credentials.split_once(':') {
            Some((user, _)) => format!("{user}:{MASK}@{place}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((address, query)) = rest.split_once('?') else { return format!("{scheme}://{rest}") };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if key.to_ascii_lowercase().contains("pass") => format!("{key}={MASK}"),
        _ => pair.to_owned(),
    });
    format!("{scheme}://{address}?{}", pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format as _, Toml};

    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://u:se@cret@db:5432/x", "postgres://u:***@db:5432/x"),
            ("postgres://u:a?b/c:d@db/x", "postgres://u:***@db/x"),
            ("postgres://u@db/x", "postgres://u@db/x"),
            ("postgres://:secret@db/x?sslmode=require", "postgres://:***@db/x?sslmode=require"),
            ("postgres://db/x?user=u&password=secret", "postgres://db/x?user=u&password=***"),
            ("postgres://db/x?sslPassword=secret&a=b", "postgres://db/x?sslPassword=***&a=b"),
            ("sqlite:///data/x.db", "sqlite:///data/x.db"),
            ("s3://key:secret@bucket", "s3://key:***@bucket"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }

    #[test]
    fn texts_are_texts_of_toml() {
        for text in ["", "a\"b\\c", "line\nfeed\ttab", "\u{0}\u{1f}\u{7f}", "é ü"] {
            let read = Figment::from(Toml::string(&format!("key = {}", quoted(text))));
            assert_eq!(read.extract_inner::<String>("key").unwrap(), text);
        }
    }
}
