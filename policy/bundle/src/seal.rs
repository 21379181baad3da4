//! Records become bundle bytes.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{Immutable, IntoBytes};

use crate::layout::{
    Address, Category, Edge, Entry, FORMAT, Header, Host, MAGIC, Name, Network, Node, Range, Restriction, Rule,
    Sections, Span, Text, Who,
};
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
    pub principals: u32,
    /// By `Reason`.
    pub statuses: [u16; Reason::COUNT],
}

/// The sections of a bundle in the making; see `layout` for what each holds.
#[derive(Debug, Default)]
pub struct Contents {
    pub strings: Vec<u8>,
    pub rules: Vec<Rule>,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    pub entries: Vec<Entry>,
    pub lengths: Vec<U32>,
    pub who: Vec<Who>,
    pub members: Vec<U32>,
    pub names: Vec<Name>,
    pub host_lists: Vec<Range>,
    pub hosts: Vec<Host>,
    pub methods: Vec<Text>,
    pub states: Vec<Text>,
    pub categories: Vec<Category>,
    pub restrictions: Vec<Restriction>,
    pub addresses: Vec<Address>,
    pub networks: Vec<Network>,
}

impl Contents {
    /// Bytes of a bundle, signed when there is a key; `None` when it would pass `BUNDLE_BYTES`.
    ///
    /// The same contents, meta and key always give the same bytes.
    pub fn seal(&self, meta: &Meta<'_>, key: Option<&SigningKey>) -> Option<Vec<u8>> {
        let mut body = Body(Vec::new());
        let sections = Sections {
            strings: body.add(&self.strings)?,
            rules: body.add(&self.rules)?,
            nodes: body.add(&self.nodes)?,
            edges: body.add(&self.edges)?,
            entries: body.add(&self.entries)?,
            lengths: body.add(&self.lengths)?,
            who: body.add(&self.who)?,
            members: body.add(&self.members)?,
            names: body.add(&self.names)?,
            host_lists: body.add(&self.host_lists)?,
            hosts: body.add(&self.hosts)?,
            methods: body.add(&self.methods)?,
            states: body.add(&self.states)?,
            categories: body.add(&self.categories)?,
            restrictions: body.add(&self.restrictions)?,
            addresses: body.add(&self.addresses)?,
            networks: body.add(&self.networks)?,
        };
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
            principals: U32::new(meta.principals),
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
