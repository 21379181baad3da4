//! Numbers and encodings of the interface.

use wasmtime::error::Context;
use wasmtime::{Result, ensure};

/// Headers in order; names in lower case.
pub type Pairs = Vec<(String, Vec<u8>)>;

/// What a call of the host returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok = 0,
    NotFound = 1,
    BadArgument = 2,
    CasMismatch = 8,
}

pub(super) mod map {
    pub const REQUEST_HEADERS: u32 = 0;
    pub const CALL_RESPONSE_HEADERS: u32 = 6;
}

pub(super) mod buffer {
    pub const CALL_RESPONSE_BODY: u32 = 4;
    pub const PLUGIN_CONFIGURATION: u32 = 7;
}

/// What `proxy_on_request_headers` returns when the request goes on.
pub(super) const CONTINUE: u32 = 0;

/// Number of pairs, sizes of each name and value, then the texts, each with a zero behind it.
pub(super) fn encode(pairs: &[(String, Vec<u8>)]) -> Vec<u8> {
    let size = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let mut encoded = size(pairs.len()).to_vec();
    for (name, value) in pairs {
        encoded.extend(size(name.len()));
        encoded.extend(size(value.len()));
    }
    for part in pairs.iter().flat_map(|(name, value)| [name.as_bytes(), value]) {
        encoded.extend_from_slice(part);
        encoded.push(0);
    }
    encoded
}

pub(super) fn decode(encoded: &[u8]) -> Result<Pairs> {
    let (count, rest) = split_size(encoded)?;
    let (mut sizes, mut texts) = rest.split_at_checked(count * 8).context("pairs without their sizes")?;
    let mut pairs = Pairs::new();
    for _ in 0..count {
        let (name, value);
        (name, sizes) = split_size(sizes)?;
        (value, sizes) = split_size(sizes)?;
        let parts = (split_text(&mut texts, name)?, split_text(&mut texts, value)?);
        pairs.push((String::from_utf8(parts.0)?, parts.1));
    }
    ensure!(texts.is_empty(), "{} bytes behind the last pair", texts.len());
    Ok(pairs)
}

fn split_size(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let (size, rest) = bytes.split_first_chunk().context("a size has four bytes")?;
    Ok((u32::from_le_bytes(*size) as usize, rest))
}

fn split_text(texts: &mut &[u8], size: usize) -> Result<Vec<u8>> {
    let (text, rest) = texts.split_at_checked(size).context("a text is cut")?;
    *texts = rest.strip_prefix(&[0]).context("no zero behind a text")?;
    Ok(text.to_vec())
}
