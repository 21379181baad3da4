//! The bundle that edges get: its bytes, their digest, and the bytes compressed, once for all who ask.

use std::fmt;
use std::io::{self, Write as _};

use axum::body::Bytes;
use axum::http::HeaderValue;
use flate2::Compression;
use flate2::write::GzEncoder;
use portcullis_core::Reason;
use portcullis_directory::{Revision, UnixSeconds};
use tokio::sync::OnceCell;

pub struct Bundle {
    pub digest: Digest,
    pub revision: Revision,
    /// When its document was stored.
    pub created_at: UnixSeconds,
    bytes: Bytes,
    gzip: OnceCell<Bytes>,
    zstd: OnceCell<Bytes>,
    statuses: Statuses,
}

/// HTTP status of a deny by reason, in the order of `Reason::ALL`.
pub type Statuses = [u16; Reason::COUNT];

/// SHA-256, shown in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

/// How bytes are sent (RFC 9110 section 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Identity,
    Gzip,
    Zstd,
}

type Compress = fn(&[u8]) -> io::Result<Vec<u8>>;

/// A level at which compressing a large bundle takes tenths of a second, not seconds.
const ZSTD_LEVEL: i32 = 6;

impl Bundle {
    pub fn new(
        bytes: Bytes,
        digest: Digest,
        (revision, created_at): (Revision, UnixSeconds),
        statuses: Statuses,
    ) -> Self {
        Self { digest, revision, created_at, bytes, gzip: OnceCell::new(), zstd: OnceCell::new(), statuses }
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes as `coding` has them. Whoever asks first compresses, the others wait for it.
    pub async fn encoded(&self, coding: Coding) -> io::Result<Bytes> {
        let (cell, compress): (_, Compress) = match coding {
            Coding::Identity => return Ok(self.bytes.clone()),
            Coding::Gzip => (&self.gzip, gzip),
            Coding::Zstd => (&self.zstd, |bytes| zstd::bulk::compress(bytes, ZSTD_LEVEL)),
        };
        let bytes = self.bytes.clone();
        let compressed = cell.get_or_try_init(async || {
            let compressed = tokio::task::spawn_blocking(move || compress(&bytes)).await;
            compressed.map_err(io::Error::other)?.map(Bytes::from)
        });
        compressed.await.cloned()
    }

    /// The status that this policy gives to a deny for `reason`.
    pub fn status(&self, reason: Reason) -> u16 {
        let of_reason = Reason::ALL.into_iter().zip(self.statuses).find(|&(one, _)| one == reason);
        of_reason.map_or_else(|| reason.default_status(), |(_, status)| status)
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

// === impl Digest ===

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

// === entity tags ===

/// Strong entity tag of a document.
pub fn revision_tag(revision: Revision) -> HeaderValue {
    quoted(revision)
}

/// Entity tag of a bundle, whatever its coding: it names the policy, and an edge verifies the bytes themselves.
pub fn digest_tag(digest: Digest) -> HeaderValue {
    quoted(digest)
}

#[expect(clippy::expect_used, reason = "decimal and hexadecimal digits between quotes are a legal header value")]
fn quoted(digits: impl fmt::Display) -> HeaderValue {
    HeaderValue::try_from(format!("\"{digits}\"")).expect("digits are visible ASCII")
}
