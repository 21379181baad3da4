//! The `authorization` header (RFC 6750 section 2.1).

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header `authorization` is not one bearer token")]
pub struct NotBearer;

/// Exactly one header, `Bearer` in any case, one space, and a token of the characters that one may have. `None` without a
/// header; anything else is an error, never nothing.
pub fn parse<'h>(values: impl IntoIterator<Item = &'h [u8]>) -> Result<Option<&'h str>, NotBearer> {
    let mut values = values.into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    let value = std::str::from_utf8(value).map_err(|_| NotBearer)?;
    let (scheme, token) = value.split_once(' ').ok_or(NotBearer)?;
    let is_one = values.next().is_none() && scheme.eq_ignore_ascii_case("bearer");
    if is_one && is_token(token) { Ok(Some(token)) } else { Err(NotBearer) }
}

fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(legal)
}
