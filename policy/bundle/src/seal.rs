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
            fn sections(&self, body: &mut Body) -> Option<Sections> {
                Some(Sections { $($name: body.add(&self.$name)?,)* })
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
        let mut body = Body(Vec::new());
        let sections = self.sections(&mut body)?;
        let Body(body) = body;
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
            length: U64::new(size_of::<Header>().checked_add(body.len())? as u64),
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
        header.digest = digest(&header, &body);
        header.signature = key.map_or([0; 64], |key| key.sign(&header.digest));
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(&body);
        Some(bytes)
    }
}

/// The bytes after the header.
struct Body(Vec<u8>);

impl Body {
    fn add<T: IntoBytes + Immutable>(&mut self, records: &[T]) -> Option<Span> {
        let bytes = records.as_bytes();
        let offset = size_of::<Header>().checked_add(self.0.len())?;
        if offset.checked_add(bytes.len())? > BUNDLE_BYTES {
            return None;
        }
        self.0.extend_from_slice(bytes);
        Some(Span { offset: U32::new(offset as u32), bytes: U32::new(bytes.len() as u32) })
    }
}
