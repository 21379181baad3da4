//! Tokens against forged requests: derived from the cookie, which a forger makes the browser send but cannot read.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::compare::is_same;
use crate::secret::{Secret, hex};

/// What the token is derived for; so that no other use of the cookie gives the same bytes.
const PURPOSE: &[u8] = b"portcullis csrf 1";

/// 64 hexadecimal digits; the same as long as the session lives.
pub fn token(cookie: &Secret) -> String {
    let mut mac = match Hmac::<Sha256>::new_from_slice(cookie.bytes()) {
        Ok(mac) => mac,
        // HMAC takes keys of any length.
        Err(_) => return String::new(),
    };
    mac.update(PURPOSE);
    hex(&mac.finalize().into_bytes())
}

pub fn is_token(cookie: &Secret, shown: &str) -> bool {
    !shown.is_empty() && is_same(token(cookie).as_bytes(), shown.as_bytes())
}

/// Whether requests of this method need one: all but those that change nothing (RFC 9110 section 9.2.1). Barong counts
/// TRACE among the others.
pub fn is_needed(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS")
}
