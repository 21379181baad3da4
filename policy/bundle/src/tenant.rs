//! The name of a tenant, as a bundle carries it.

use crate::limits::TENANT_BYTES;

/// Name of a tenant: 1..=63 bytes of `a-z`, `0-9` and `-`, first byte a letter.
///
/// The bound is the DNS label limit (RFC 1035 section 2.3.4), so that a tenant can be a host name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Box<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant is 1 to {TENANT_BYTES} lower-case letters, digits and `-`, the first a letter")]
pub struct InvalidTenant;

impl TenantId {
    pub fn parse(text: &str) -> Result<Self, InvalidTenant> {
        let holds = text.len() <= TENANT_BYTES
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if holds { Ok(Self(text.into())) } else { Err(InvalidTenant) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self("default".into())
    }
}

impl core::str::FromStr for TenantId {
    type Err = InvalidTenant;

    fn from_str(text: &str) -> Result<Self, InvalidTenant> {
        Self::parse(text)
    }
}

impl core::fmt::Display for TenantId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}
