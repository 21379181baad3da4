//! What the workers of one Envoy share about one tenant: a lease, the bytes of policies and revocations, and a record
//! that says which bytes are the right ones and when the server last confirmed them.
//!
//! The record is small and every worker reads it on each tick; the bytes are read when the record names others.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::config::{Config, Tenancy};
use crate::host::{Cas, Host, HostError};

/// Shared data outlives the module: another version of it with another layout of what is shared has another name here.
const FORMAT: &str = "portcullis/1/";

/// Names in the shared data. They name the source too: another server, key or token shares nothing.
#[derive(Debug)]
pub struct Names {
    pub lease: String,
    pub record: String,
    prefix: String,
}

/// What lies beside the record, in a place of its own for each worker that wrote it: a leader that was replaced and
/// does not know it yet cannot change what another shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    Bundle,
    Candidate,
    Revocations,
}

impl Names {
    pub fn of(config: &Config, tenancy: &Tenancy) -> Self {
        let mut source = Sha256::new();
        for part in [&config.cluster, &config.authority, &tenancy.token] {
            source.update(part);
            source.update([0]);
        }
        source.update(config.public_key.id().0);
        let source: [u8; 32] = source.finalize().into();
        let source: String = source.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let prefix = [FORMAT, tenancy.tenant.as_str(), "/", &source, "/"].concat();
        Self { lease: [&prefix, "lease"].concat(), record: [&prefix, "record"].concat(), prefix }
    }

    pub fn item(&self, item: Item, writer: u64) -> String {
        let item = match item {
            Item::Bundle => "bundle/",
            Item::Candidate => "candidate/",
            Item::Revocations => "revocations/",
        };
        [&self.prefix, item, itoa::Buffer::new().format(writer)].concat()
    }

    /// Frees what another worker shared before; who still wants it takes the newer one.
    pub fn clear(&self, host: &impl Host, item: Item, writer: u64, me: u64) {
        if writer != me && writer != 0 {
            // It only costs memory when it stays.
            let _ = host.set_shared(&self.item(item, writer), &[], None);
        }
    }
}

/// Bytes of a bundle, by their digest, and the entity tag that the server knows them by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Who has the bytes; 0 for nobody.
    pub writer: u64,
    pub digest: [u8; 32],
    pub revision: u64,
    pub etag: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub bundle: Shared,
    pub candidate: Shared,
    /// When the server confirmed the bundle; milliseconds since the epoch, 0 for never.
    pub bundle_confirmed: u64,
    pub revocations_confirmed: u64,
    /// Another number for each write of revocations: milliseconds since the epoch, or one more than the last.
    pub revocations_edition: u64,
    pub revocations_writer: u64,
}

impl Record {
    fn encode(&self) -> Vec<u8> {
        let Self { bundle, candidate, .. } = self;
        let Self { bundle_confirmed, revocations_confirmed, revocations_edition, revocations_writer, .. } = self;
        let mut bytes = Vec::new();
        for number in [bundle_confirmed, revocations_confirmed, revocations_edition, revocations_writer] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for Shared { writer, digest, revision, etag } in [bundle, candidate] {
            bytes.extend_from_slice(&writer.to_le_bytes());
            bytes.extend_from_slice(digest);
            bytes.extend_from_slice(&revision.to_le_bytes());
            // A longer one is not kept: then the next leader asks without.
            let etag = if etag.len() > usize::from(u8::MAX) { "" } else { etag };
            bytes.push(etag.len() as u8);
            bytes.extend_from_slice(etag.as_bytes());
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut numbers = [0; 4];
        for number in &mut numbers {
            *number = take_u64(&mut bytes)?;
        }
        let [bundle_confirmed, revocations_confirmed, revocations_edition, revocations_writer] = numbers;
        let (bundle, candidate) = (Shared::take(&mut bytes)?, Shared::take(&mut bytes)?);
        Some(Self {
            bundle,
            candidate,
            bundle_confirmed,
            revocations_confirmed,
            revocations_edition,
            revocations_writer,
        })
    }

    /// The record of the workers; none yet is the empty one.
    pub fn read(host: &impl Host, names: &Names) -> Result<Self, HostError> {
        Self::read_with_cas(host, names).map(|(record, _)| record)
    }

    fn read_with_cas(host: &impl Host, names: &Names) -> Result<(Self, Option<Cas>), HostError> {
        match host.shared(&names.record)? {
            None => Ok((Self::default(), None)),
            // What nobody can read is written anew.
            Some((bytes, cas)) => Ok((Self::decode(&bytes).unwrap_or_default(), Some(cas))),
        }
    }

    /// Changes the record of the workers, whatever another does meanwhile; the change may refuse.
    pub fn update<E: From<HostError>>(
        host: &impl Host,
        names: &Names,
        change: impl Fn(&mut Self) -> Result<(), E>,
    ) -> Result<Self, E> {
        const TRIES: usize = 8;
        for _ in 0..TRIES {
            let (mut record, cas) = Self::read_with_cas(host, names)?;
            change(&mut record)?;
            if host.set_shared(&names.record, &record.encode(), cas)? {
                return Ok(record);
            }
        }
        Err(HostError.into())
    }
}

impl Shared {
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let writer = take_u64(bytes)?;
        let (digest, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        let revision = take_u64(bytes)?;
        let (&length, rest) = bytes.split_first()?;
        let (etag, rest) = rest.split_at_checked(usize::from(length))?;
        *bytes = rest;
        Some(Self { writer, digest: *digest, revision, etag: core::str::from_utf8(etag).ok()?.to_owned() })
    }
}

fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

/// Milliseconds since the epoch.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Record, Shared};

    #[test]
    fn a_record_comes_back_whole_or_not_at_all() {
        let record = Record {
            bundle: Shared { writer: 9, digest: [7; 32], revision: 3, etag: "\"e\"".to_owned() },
            candidate: Shared::default(),
            bundle_confirmed: 1,
            revocations_confirmed: u64::MAX,
            revocations_edition: 2,
            revocations_writer: 4,
        };
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes), Some(record));
        assert!((0..bytes.len()).all(|length| Record::decode(&bytes[..length]).is_none()));
    }
}
