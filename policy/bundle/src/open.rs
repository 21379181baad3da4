//! Bytes from anywhere become a `Policy`, or a named refusal.

use sha2::{Digest, Sha256};
use zerocopy::{FromBytes, IntoBytes};

use crate::check;
use crate::layout::{FORMAT, Header, MAGIC};
use crate::limits::BUNDLE_BYTES;
use crate::policy::Policy;
use crate::signature::{KeyId, PublicKey};
use crate::tenant::TenantId;

/// Why bytes are not a usable bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("not a bundle")]
    NotABundle,
    #[error("bundle format {format} is not supported, this reader knows format {FORMAT}")]
    Format { format: u16 },
    #[error("bundle needs features {bits:#06x} that this reader does not know")]
    MustUnderstand { bits: u16 },
    #[error("bundle is {found} bytes, its header says {expected}")]
    Length { expected: u64, found: usize },
    #[error("bundle is {bytes} bytes, the limit is {BUNDLE_BYTES}")]
    TooLarge { bytes: usize },
    #[error("bundle was altered: its digest does not match")]
    Digest,
    #[error("bundle is not signed")]
    Unsigned,
    #[error("bundle is signed by the unknown key {key}")]
    UnknownKey { key: KeyId },
    #[error("signature of the bundle is wrong")]
    Signature,
    #[error("bundle is malformed in `{section}`")]
    Malformed { section: &'static str },
    #[error("bundle is for another tenant, `{found}`")]
    Tenant { found: TenantId },
    #[error("bundle has revision {found}, older than {current}")]
    Older { found: u64, current: u64 },
    #[error("bundle has expired at {expires} (unix seconds)")]
    Expired { expires: u64 },
}

/// What a host that is about to use a policy asks of it.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    pub tenant: &'a TenantId,
    /// Revision of the policy in use; 0 when there is none. The same again is welcome.
    pub revision: u64,
    /// Unix seconds.
    pub now: u64,
}

impl Policy {
    /// The policy in `bytes`, if they are whole, unaltered and well-formed. Who made them is not asked.
    pub fn open(bytes: Vec<u8>) -> Result<Self, OpenError> {
        let header = whole(&bytes)?;
        Self::open_checked(bytes, header)
    }

    /// The policy in `bytes`, if moreover one of `keys` signed them.
    pub fn open_signed(bytes: Vec<u8>, keys: &[PublicKey]) -> Result<Self, OpenError> {
        let header = whole(&bytes)?;
        Self::open_by(bytes, header, keys)
    }

    /// The same for bytes that were opened with `digest` before, elsewhere in the same process: they are not hashed again.
    pub fn open_shared(bytes: Vec<u8>, keys: &[PublicKey], digest: [u8; 32]) -> Result<Self, OpenError> {
        let header = header(&bytes)?;
        if header.digest != digest {
            return Err(OpenError::Digest);
        }
        Self::open_by(bytes, header, keys)
    }

    fn open_by(bytes: Vec<u8>, header: Header, keys: &[PublicKey]) -> Result<Self, OpenError> {
        let signer = KeyId(header.key_id);
        if signer == KeyId::UNSIGNED {
            return Err(OpenError::Unsigned);
        }
        let key = keys.iter().find(|key| key.id() == signer).ok_or(OpenError::UnknownKey { key: signer })?;
        if !key.signed(&header) {
            return Err(OpenError::Signature);
        }
        Self::open_checked(bytes, header)
    }

    /// Whether this policy may be used; the error is `Tenant`, `Older` or `Expired`.
    pub fn admit(&self, admission: &Admission<'_>) -> Result<(), OpenError> {
        let Admission { tenant, revision: current, now } = *admission;
        if self.tenant() != tenant.as_str() {
            let found = self.tenant().parse().map_err(|_| OpenError::Malformed { section: "header" })?;
            return Err(OpenError::Tenant { found });
        }
        if self.revision() < current {
            return Err(OpenError::Older { found: self.revision(), current });
        }
        match self.expires() {
            Some(expires) if expires <= now => Err(OpenError::Expired { expires }),
            _ => Ok(()),
        }
    }

    fn open_checked(bytes: Vec<u8>, header: Header) -> Result<Self, OpenError> {
        let policy = Self::new(bytes, header)?;
        check::check(&policy)?;
        Ok(policy)
    }
}

/// The header of `bytes`, if their length and digest are what it says.
fn whole(bytes: &[u8]) -> Result<Header, OpenError> {
    let header = header(bytes)?;
    let body = bytes.get(size_of::<Header>()..).unwrap_or_default();
    if header.digest != digest(&header, body) {
        return Err(OpenError::Digest);
    }
    if KeyId(header.key_id) == KeyId::UNSIGNED && header.signature != [0; 64] {
        return Err(OpenError::Signature);
    }
    Ok(header)
}

/// The header of `bytes`, if they are as many as it says.
fn header(bytes: &[u8]) -> Result<Header, OpenError> {
    if bytes.len() > BUNDLE_BYTES {
        return Err(OpenError::TooLarge { bytes: bytes.len() });
    }
    if !bytes.starts_with(&MAGIC) {
        return Err(OpenError::NotABundle);
    }
    let (header, _) = Header::read_from_prefix(bytes).map_err(|_| OpenError::NotABundle)?;
    if header.format.get() != FORMAT {
        return Err(OpenError::Format { format: header.format.get() });
    }
    if header.must_understand.get() != 0 {
        return Err(OpenError::MustUnderstand { bits: header.must_understand.get() });
    }
    if header.length.get() != bytes.len() as u64 {
        return Err(OpenError::Length { expected: header.length.get(), found: bytes.len() });
    }
    Ok(header)
}

/// SHA-256 of the header up to its digest, and of the body.
pub(crate) fn digest(header: &Header, body: &[u8]) -> [u8; 32] {
    let before = header.as_bytes().get(..core::mem::offset_of!(Header, digest)).unwrap_or_default();
    Sha256::new().chain_update(before).chain_update(body).finalize().into()
}
