//! Altered bundles whose header fits again, so that the check of their structure is reached.

use portcullis_bundle::layout::{FORMAT, Header, MAGIC};
use sha2::{Digest, Sha256};
use zerocopy::little_endian::{U16, U64};
use zerocopy::{FromBytes, IntoBytes};

/// The same body under a header of this format, unsigned, with the right length and digest; `None` when it is too short.
pub fn renewed(bundle: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = Header::read_from_prefix(bundle).ok()?;
    let mut header = Header {
        magic: MAGIC,
        format: U16::new(FORMAT),
        must_understand: U16::ZERO,
        length: U64::new(bundle.len() as u64),
        key_id: [0; 8],
        signature: [0; 64],
        ..header
    };
    let before = std::mem::offset_of!(Header, digest);
    header.digest = Sha256::new().chain_update(&header.as_bytes()[..before]).chain_update(body).finalize().into();
    Some([header.as_bytes(), body].concat())
}
