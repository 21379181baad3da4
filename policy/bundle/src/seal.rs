//! Records become bundle bytes.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{Immutable, IntoBytes};

use crate::layout::{FORMAT, Header, MAGIC, Sections, Span, sections};
use crate::limits::{BUNDLE_BYTES, TENANT_BYTES};
use crate::open::digest;
use crate::reason::Reason;
use crate::signature::SigningKey;

/// What a bundle says about itself.
pub struct Meta<'a> {
    /// 1..=63 bytes; longer ones are cut.
    pub tenant: &'a str,
    pub revision: u64,
    /// Unix seconds.
    pub created: u64,
    /// Unix seconds; `None` is never.
    pub expires: Option<u64>,
    /// See `layout::flags`.
    pub flags: u32,
    /// See `layout::facts`.
    pub facts: u32,
    pub principals: u32,
    /// See `layout::Header`.
    pub roots: [u32; 2],
    /// By `Reason`.
    pub statuses: [u16; Reason::COUNT],
}

macro_rules! contents {
    ($($name:ident: $record:ty,)*) => {
        /// The sections of a bundle in the making; see `layout` for what each holds.
        #[derive(Debug, Default)]
        pub struct Contents { $(pub $name: Vec<$record>,)* }

        impl Contents {
            /// Bytes of all sections.
            fn bytes(&self) -> usize {
                let sections = [$(size_of_val(self.$name.as_slice()),)*];
                sections.into_iter().fold(0, usize::saturating_add)
            }

            fn write(&self, bytes: &mut Vec<u8>) -> Sections {
                Sections { $($name: add(bytes, &self.$name),)* }
            }
        }
    };
}
sections!(contents);

impl Contents {
    /// Bytes of a bundle, signed when there is a key; `None` when it would pass `BUNDLE_BYTES`.
    ///
    /// The same contents, meta and key always give the same bytes.
    pub fn seal(&self, meta: &Meta<'_>, key: Option<&SigningKey>) -> Option<Vec<u8>> {
        let length = size_of::<Header>().checked_add(self.bytes()).filter(|length| *length <= BUNDLE_BYTES)?;
        let mut bytes = Vec::with_capacity(length);
        bytes.resize(size_of::<Header>(), 0);
        let sections = self.write(&mut bytes);
        let (head, body) = bytes.split_first_chunk_mut::<{ size_of::<Header>() }>()?;
        let mut tenant = [0; TENANT_BYTES];
        for (to, from) in tenant.iter_mut().zip(meta.tenant.bytes()) {
            *to = from;
        }
        let mut header = Header {
            magic: MAGIC,
            format: U16::new(FORMAT),
            must_understand: U16::ZERO,
            flags: U32::new(meta.flags),
            revision: U64::new(meta.revision),
            created: U64::new(meta.created),
            expires: U64::new(meta.expires.unwrap_or(0)),
            length: U64::new(length as u64),
            tenant_length: meta.tenant.len().min(TENANT_BYTES) as u8,
            tenant,
            facts: U32::new(meta.facts),
            principals: U32::new(meta.principals),
            roots: meta.roots.map(U32::new),
            sections,
            statuses: meta.statuses.map(U16::new),
            key_id: key.map_or([0; 8], |key| key.public_key().id().0),
            digest: [0; 32],
            signature: [0; 64],
        };
        header.digest = digest(&header, body);
        header.signature = key.map_or([0; 64], |key| key.sign(&header.digest));
        head.copy_from_slice(header.as_bytes());
        Some(bytes)
    }
}

/// Adds a section; all of the bundle is within `BUNDLE_BYTES`.
fn add<T: IntoBytes + Immutable>(bytes: &mut Vec<u8>, records: &[T]) -> Span {
    let offset = bytes.len() as u32;
    let records = records.as_bytes();
    bytes.extend_from_slice(records);
    Span { offset: U32::new(offset), bytes: U32::new(records.len() as u32) }
}
