//! What the dialect takes as an e-mail address.

/// Runs of letters, digits and some signs with single dots between, at most 64 of them; then labels of letters and digits, the
/// last one of letters only. A domain of one label is fine.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_sign = |byte: u8| b"-_+!\"'#$%^&*{}/=?~|`".contains(&byte);
    let is_run = |run: &str| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte));
    let is_label = |label: &str| {
        let is_inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    let is_last = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    local.len() <= 64 && local.split('.').all(is_run) && domain.split('.').all(is_label) && is_last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["a@b", "a.b+c@example.org", "x_y@sub-1.example.co", "o'neil@example.org", "A@B.ORG"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a..b@c",
            ".a@b",
            "a.@b",
            "a b@c",
            "a@b c",
            "a@-b.org",
            "a@b-.org",
            "a@b.1",
            "a@b..org",
            "a@b@c",
            "caf\u{e9}@b.org",
            "a@b.org\n",
            "a,b@c.org",
            "<a@b.org>",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
        assert!(is_email(&format!("{}@b.org", "x".repeat(64))) && !is_email(&format!("{}@b.org", "x".repeat(65))));
    }
}
