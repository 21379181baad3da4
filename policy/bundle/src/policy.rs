//! An opened bundle: typed, bounded reads of the bytes, nothing copied.
//!
//! Every reader returns an option because an index may come from anywhere; for an index that was read from the
//! same policy it is never `None`, `check` has seen to that.

use core::fmt;

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::hash::hash;
use crate::layout::{
    Address, Category, CategoryKind, Edge, Entry, FREE, Header, Host, Name, Network, Node, OTHER_METHOD, PARTIAL,
    PrincipalKind, Range, Restriction, Rule, Sections, Span, Text, Who, flags,
};
use crate::open::OpenError;
use crate::reason::Reason;
use crate::section::Section;
use crate::signature::KeyId;

/// One tenant's policy, ready to decide.
pub struct Policy {
    bytes: Vec<u8>,
    header: Header,
    records: Records,
}

/// Where the records of each kind lie.
pub(crate) struct Records {
    pub strings: Section<u8>,
    pub rules: Section<Rule>,
    pub nodes: Section<Node>,
    pub edges: Section<Edge>,
    pub entries: Section<Entry>,
    pub lengths: Section<U32>,
    pub who: Section<Who>,
    pub members: Section<U32>,
    pub names: Section<Name>,
    pub host_lists: Section<Range>,
    pub hosts: Section<Host>,
    pub methods: Section<Text>,
    pub states: Section<Text>,
    pub categories: Section<Category>,
    pub restrictions: Section<Restriction>,
    pub addresses: Section<Address>,
    pub networks: Section<Network>,
}

impl Records {
    pub fn locate(bytes: &[u8], sections: &Sections) -> Result<Self, OpenError> {
        fn at<T: FromBytes + Immutable + KnownLayout + Unaligned>(
            bytes: &[u8],
            span: Span,
            section: &'static str,
        ) -> Result<Section<T>, OpenError> {
            Section::new(bytes, span).ok_or(OpenError::Malformed { section })
        }
        Ok(Self {
            strings: at(bytes, sections.strings, "strings")?,
            rules: at(bytes, sections.rules, "rules")?,
            nodes: at(bytes, sections.nodes, "nodes")?,
            edges: at(bytes, sections.edges, "edges")?,
            entries: at(bytes, sections.entries, "entries")?,
            lengths: at(bytes, sections.lengths, "lengths")?,
            who: at(bytes, sections.who, "who")?,
            members: at(bytes, sections.members, "members")?,
            names: at(bytes, sections.names, "names")?,
            host_lists: at(bytes, sections.host_lists, "host_lists")?,
            hosts: at(bytes, sections.hosts, "hosts")?,
            methods: at(bytes, sections.methods, "methods")?,
            states: at(bytes, sections.states, "states")?,
            categories: at(bytes, sections.categories, "categories")?,
            restrictions: at(bytes, sections.restrictions, "restrictions")?,
            addresses: at(bytes, sections.addresses, "addresses")?,
            networks: at(bytes, sections.networks, "networks")?,
        })
    }
}

/// What `portcullis inspect` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    pub size_bytes: usize,
    pub rules: usize,
    pub path_nodes: usize,
    pub path_edges: usize,
    pub path_entries: usize,
    pub principals: usize,
    pub host_lists: usize,
    pub methods: usize,
    pub restrictions: usize,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("tenant", &self.tenant()).field("revision", &self.revision()).finish()
    }
}

impl Policy {
    pub(crate) fn new(bytes: Vec<u8>, header: Header, records: Records) -> Self {
        Self { bytes, header, records }
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    // === what the header says ===

    pub fn tenant(&self) -> &str {
        let tenant = self.header.tenant.get(..usize::from(self.header.tenant_length)).unwrap_or_default();
        core::str::from_utf8(tenant).unwrap_or_default()
    }

    /// Counts administrative writes of the tenant, from 1.
    pub fn revision(&self) -> u64 {
        self.header.revision.get()
    }

    /// Unix seconds.
    pub fn created(&self) -> u64 {
        self.header.created.get()
    }

    /// Unix seconds; `None` is never.
    pub fn expires(&self) -> Option<u64> {
        let expires = self.header.expires.get();
        (expires != 0).then_some(expires)
    }

    /// SHA-256.
    pub fn digest(&self) -> [u8; 32] {
        self.header.digest
    }

    /// Which key signed; `None` when unsigned.
    pub fn signer(&self) -> Option<KeyId> {
        let key = KeyId(self.header.key_id);
        (key != KeyId::UNSIGNED).then_some(key)
    }

    pub fn summary(&self) -> Summary {
        Summary {
            size_bytes: self.bytes.len(),
            rules: self.records.rules.len(),
            path_nodes: self.records.nodes.len(),
            path_edges: self.edges().iter().filter(|edge| edge.child.get() != 0).count(),
            path_entries: self.records.entries.len(),
            principals: self.principals() as usize,
            host_lists: self.records.host_lists.len(),
            methods: self.records.methods.len(),
            restrictions: self.records.restrictions.len(),
        }
    }

    pub fn principals(&self) -> u32 {
        self.header.principals.get()
    }

    pub fn api_key_requires_otp(&self) -> bool {
        self.header.flags.get() & flags::API_KEY_REQUIRES_OTP != 0
    }

    /// HTTP status of a deny for `reason`.
    pub fn status(&self, reason: Reason) -> u16 {
        self.header.statuses.get(reason as usize).map_or(reason.default_status(), |status| status.get())
    }

    // === records ===

    pub fn text(&self, text: Text) -> Option<&[u8]> {
        self.records.strings.range(&self.bytes, Range { start: text.offset, count: text.bytes })
    }

    pub fn rule(&self, rule: u32) -> Option<&Rule> {
        self.records.rules.get(&self.bytes, rule)
    }

    pub fn rules(&self) -> &[Rule] {
        self.records.rules.all(&self.bytes)
    }

    pub fn rule_id(&self, rule: u32) -> Option<&str> {
        core::str::from_utf8(self.text(self.rule(rule)?.id)?).ok()
    }

    pub fn rule_topic(&self, rule: u32) -> Option<&str> {
        core::str::from_utf8(self.text(self.rule(rule)?.topic)?).ok()
    }

    pub fn node(&self, node: u32) -> Option<&Node> {
        self.records.nodes.get(&self.bytes, node)
    }

    pub fn entries(&self, range: Range) -> Option<&[Entry]> {
        self.records.entries.range(&self.bytes, range)
    }

    pub fn lengths(&self, range: Range) -> Option<&[U32]> {
        self.records.lengths.range(&self.bytes, range)
    }

    pub fn who(&self, who: u32) -> Option<&Who> {
        self.records.who.get(&self.bytes, who)
    }

    pub fn members(&self, range: Range) -> Option<&[U32]> {
        self.records.members.range(&self.bytes, range)
    }

    /// The host patterns of list `hosts - 1`.
    pub fn hosts(&self, hosts: u32) -> Option<&[Host]> {
        let list = self.records.host_lists.get(&self.bytes, hosts.checked_sub(1)?)?;
        self.records.hosts.range(&self.bytes, *list)
    }

    pub fn states(&self) -> &[Text] {
        self.records.states.all(&self.bytes)
    }

    pub fn category(&self, category: CategoryKind) -> Option<&Category> {
        self.records.categories.get(&self.bytes, category as u32)
    }

    pub fn restriction(&self, restriction: u32) -> Option<&Restriction> {
        self.records.restrictions.get(&self.bytes, restriction)
    }

    pub fn addresses(&self, range: Range) -> Option<&[Address]> {
        self.records.addresses.range(&self.bytes, range)
    }

    pub fn networks(&self, range: Range) -> Option<&[Network]> {
        self.records.networks.range(&self.bytes, range)
    }

    pub(crate) fn edges(&self) -> &[Edge] {
        self.records.edges.all(&self.bytes)
    }

    // === look-ups ===

    /// Bit of `method` in `Entry::methods`.
    pub fn method_bit(&self, method: &[u8]) -> u64 {
        let known = self.records.methods.all(&self.bytes);
        match known.iter().position(|&text| self.text(text) == Some(method)) {
            Some(at) => 1_u64.checked_shl(at as u32).unwrap_or(OTHER_METHOD),
            None => OTHER_METHOD,
        }
    }

    /// The node after `segment`.
    #[inline]
    pub fn child(&self, parent: u32, segment: &[u8]) -> Option<u32> {
        self.edge(parent, segment)
    }

    /// The node for segments that begin with `label`.
    pub fn partial_child(&self, parent: u32, label: &[u8]) -> Option<u32> {
        self.edge(parent | PARTIAL, label)
    }

    #[inline]
    fn edge(&self, seed: u32, label: &[u8]) -> Option<u32> {
        let mask = (self.records.edges.len() as u32).wrapping_sub(1);
        let mut slot = hash(seed, label) & mask;
        // INVARIANT: `check` saw a free slot in a table of a power of two slots, so the walk ends.
        loop {
            let edge = self.records.edges.get(&self.bytes, slot)?;
            if edge.child.get() == 0 {
                return None;
            }
            if edge.seed.get() == seed && self.text(edge.label) == Some(label) {
                return Some(edge.child.get());
            }
            slot = slot.wrapping_add(1) & mask;
        }
    }

    /// Number of the role, group or subject `name`; `None` when no rule can name it.
    pub fn principal(&self, kind: PrincipalKind, name: &[u8]) -> Option<u32> {
        let mask = (self.records.names.len() as u32).wrapping_sub(1);
        let mut slot = hash(kind as u32, name) & mask;
        // INVARIANT: as in `edge`.
        loop {
            let entry = self.records.names.get(&self.bytes, slot)?;
            if entry.kind == FREE {
                return None;
            }
            if entry.kind == kind as u8 && self.text(entry.text) == Some(name) {
                return Some(entry.id.get());
            }
            slot = slot.wrapping_add(1) & mask;
        }
    }
}
