//! Texts -> YAML flow scalars and comments that every reader takes for the same texts.

/// `text` as a scalar inside `[]` and `{}`: plain where no reader could mistake it, else in quotes.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    if text.chars().all(|found| !found.is_control()) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for found in text.chars() {
        match found {
            '"' | '\\' => quoted.extend(['\\', found]),
            _ if found.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(found))),
            _ => quoted.push(found),
        }
    }
    quoted + "\""
}

/// `[a, b]`
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(scalar).collect();
    format!("[{}]", texts.join(", "))
}

/// `text` on one line of a comment.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|found| if found.is_control() { ' ' } else { found }).collect()
}

/// A word that is no number, boolean or null in YAML 1.1 or 1.2.
fn is_plain(text: &str) -> bool {
    const TAKEN: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"];
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_.-".contains(&byte))
        && !TAKEN.iter().any(|word| text.eq_ignore_ascii_case(word))
}
