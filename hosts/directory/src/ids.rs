//! Names, parsed once: whoever holds one of these types holds a legal name.

use std::fmt;

/// Why a text is not a name; `what` is the kind of name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("{what} is {bytes} bytes, the limit is {max}")]
    TooLong { what: &'static str, bytes: usize, max: usize },
    #[error("{what} has the character {found:?} at byte {at}, which is not allowed")]
    Char { what: &'static str, at: usize, found: char },
    #[error("{what} must not be `{found}`")]
    Dots { what: &'static str, found: String },
    #[error("email needs a text on each side of `@`")]
    Email,
}

/// Id of a user: 1..=255 bytes of printable UTF-8 without space, `/` and `\`; not `.` or `..`.
///
/// So every id fits into one segment of a canonical path (`/directory/users/{id}`). Compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Box<str>);

/// Name of a role: 1..=255 bytes of printable UTF-8, inner spaces allowed. The policy gives it a meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(Box<str>);

/// Name of a permission group: as a role's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Box<str>);

/// E-mail address: 3..=254 bytes of printable UTF-8 without spaces, with something on each side of an `@`. Which
/// addresses exist only mail can tell; what a dialect asks beyond this is its own.
///
/// Two addresses that differ in case are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(Box<str>);

/// State of a user, compared with `subject.states` of a policy: 1..=64 bytes of printable UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserState(Box<str>);

/// What a token is for, in its owner's words: 1..=255 bytes of printable UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenLabel(Box<str>);

/// Name of a tenant: 1..=63 bytes of `a-z`, `0-9` and `-`, first byte a letter.
///
/// The bound is the DNS label limit (RFC 1035 §2.3.4), so a tenant can be a host name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Box<str>);

/// Name of a proxy that asks for policy, unique in its tenant: 1..=64 bytes of `A-Za-z0-9._-`, not `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeName(Box<str>);

/// Name that one thread of a proxy gives to itself for as long as it lives: 1..=64 bytes of `A-Za-z0-9._-`, not `.` or
/// `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerName(Box<str>);

// === impl UserId ===

impl UserId {
    pub const MAX_BYTES: usize = 255;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "user id";
        printable(WHAT, text, Self::MAX_BYTES)?;
        if let Some((at, found)) = text.char_indices().find(|(_, found)| matches!(found, ' ' | '/' | '\\')) {
            return Err(NameError::Char { what: WHAT, at, found });
        }
        if matches!(text, "." | "..") {
            return Err(NameError::Dots { what: WHAT, found: text.to_owned() });
        }
        Ok(Self(text.into()))
    }
}

// === impl RoleName ===

impl RoleName {
    pub const MAX_BYTES: usize = 255;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        printable("role", text, Self::MAX_BYTES)?;
        Ok(Self(text.into()))
    }
}

// === impl GroupName and Email ===

impl GroupName {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        printable("group", text, RoleName::MAX_BYTES)?;
        Ok(Self(text.into()))
    }
}

impl Email {
    pub const MAX_BYTES: usize = 254;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "email";
        printable(WHAT, text, Self::MAX_BYTES)?;
        if let Some((at, found)) = text.char_indices().find(|(_, found)| found.is_whitespace()) {
            return Err(NameError::Char { what: WHAT, at, found });
        }
        match text.rsplit_once('@') {
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() => Ok(Self(text.into())),
            _ => Err(NameError::Email),
        }
    }

    /// The same for addresses that are the same.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

// === impl UserState ===

impl UserState {
    pub const MAX_BYTES: usize = 64;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        printable("state", text, Self::MAX_BYTES)?;
        Ok(Self(text.into()))
    }

    /// The state of a user who may use the server.
    pub fn active() -> Self {
        Self("active".into())
    }
}

// === impl TokenLabel ===

impl TokenLabel {
    pub const MAX_BYTES: usize = 255;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        printable("label", text, Self::MAX_BYTES)?;
        Ok(Self(text.into()))
    }
}

// === impl TenantId ===

impl TenantId {
    pub const MAX_BYTES: usize = 63;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "tenant";
        bounded(WHAT, text, Self::MAX_BYTES)?;
        let legal = |at: usize, found: char| match found {
            'a'..='z' => true,
            '0'..='9' | '-' => at > 0,
            _ => false,
        };
        match text.char_indices().find(|&(at, found)| !legal(at, found)) {
            Some((at, found)) => Err(NameError::Char { what: WHAT, at, found }),
            None => Ok(Self(text.into())),
        }
    }
}

// === impl EdgeName and WorkerName ===

impl EdgeName {
    pub const MAX_BYTES: usize = 64;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        plain("edge", text, Self::MAX_BYTES).map(|()| Self(text.into()))
    }
}

impl WorkerName {
    pub const MAX_BYTES: usize = 64;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        plain("worker", text, Self::MAX_BYTES).map(|()| Self(text.into()))
    }
}

impl Default for TenantId {
    /// The only tenant of a new directory.
    fn default() -> Self {
        Self("default".into())
    }
}

macro_rules! text_type {
    ($($name:ident),*) => {$(
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_type!(UserId, RoleName, GroupName, Email, UserState, TokenLabel, TenantId, EdgeName, WorkerName);

/// `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`, and fit to be a segment of a path.
fn plain(what: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    bounded(what, text, max)?;
    let legal = |found: char| found.is_ascii_alphanumeric() || matches!(found, '.' | '_' | '-');
    if let Some((at, found)) = text.char_indices().find(|&(_, found)| !legal(found)) {
        return Err(NameError::Char { what, at, found });
    }
    match text {
        "." | ".." => Err(NameError::Dots { what, found: text.to_owned() }),
        _ => Ok(()),
    }
}

fn bounded(what: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    match text.len() {
        0 => Err(NameError::Empty { what }),
        bytes if bytes > max => Err(NameError::TooLong { what, bytes, max }),
        _ => Ok(()),
    }
}

fn printable(what: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    bounded(what, text, max)?;
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    let legal = |at: usize, found: char| match found {
        ' ' => at != 0 && at != last,
        _ => is_printable(found),
    };
    match text.char_indices().find(|&(at, found)| !legal(at, found)) {
        Some((at, found)) => Err(NameError::Char { what, at, found }),
        None => Ok(()),
    }
}

/// Something a reader can see: no control, format (zero width, bidirectional) or unassigned character.
fn is_printable(found: char) -> bool {
    // The standard library escapes exactly what does not print, and quotes and the backslash, which do.
    matches!(found, '\'' | '"' | '\\') || found.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        assert_eq!(UserId::parse(text).unwrap_err().to_string(), expected, "{text:?}");
    }

    #[test]
    fn user_ids_are_printable_and_fit_a_path_segment() {
        for legal in ["a", "alice@example.com", "UID-7", "Ünï", "日本", "a.b", "...", "o'neil", &"x".repeat(255)] {
            assert_eq!(UserId::parse(legal).unwrap().as_str(), legal);
        }
        refused("", "user id is empty");
        refused(&"x".repeat(256), "user id is 256 bytes, the limit is 255");
        refused("a b", "user id has the character ' ' at byte 1, which is not allowed");
        refused("a/b", "user id has the character '/' at byte 1, which is not allowed");
        refused("a\\b", "user id has the character '\\\\' at byte 1, which is not allowed");
        refused("a\nb", "user id has the character '\\n' at byte 1, which is not allowed");
        refused("a\u{202e}b", "user id has the character '\\u{202e}' at byte 1, which is not allowed");
        refused("..", "user id must not be `..`");
    }

    #[test]
    fn role_names_may_have_inner_spaces_only() {
        assert!(RoleName::parse("shop manager").is_ok());
        assert!(RoleName::parse("a/b").is_ok());
        assert!(RoleName::parse(" a").is_err());
        assert!(RoleName::parse("a ").is_err());
    }

    #[test]
    fn edges_and_workers_have_plain_names() {
        for legal in ["a", "edge-1.eu_west", "7", "...", &"x".repeat(64)] {
            assert!(EdgeName::parse(legal).is_ok() && WorkerName::parse(legal).is_ok(), "{legal}");
        }
        for illegal in ["", ".", "..", "a b", "a/b", "é", "a\n", &"x".repeat(65)] {
            assert!(EdgeName::parse(illegal).is_err() && WorkerName::parse(illegal).is_err(), "{illegal}");
        }
    }

    #[test]
    fn tenants_are_dns_labels_that_start_with_a_letter() {
        assert!(TenantId::parse("shop-1").is_ok());
        for illegal in ["", "1shop", "-a", "Shop", "a_b", &"a".repeat(64)] {
            assert!(TenantId::parse(illegal).is_err(), "{illegal}");
        }
    }
}
