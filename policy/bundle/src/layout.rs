//! The records of a bundle, as they lie in the bytes: little-endian, unaligned, no pointers.
//!
//! A bundle is one `Header` followed by sections of equal-sized records. A `Range` counts records of the section its
//! field names, a `Text` counts bytes of the strings section. Enumerations are stored as bytes and parsed by `check`
//! when a bundle is opened; every reader goes through `Policy`, which exists only for checked bytes.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::TENANT_BYTES;
use crate::reason::Reason;

pub const MAGIC: [u8; 8] = *b"PORTCULL";
pub const FORMAT: u16 = 1;

/// Marks a record's index field that points at nothing.
pub const NONE: u32 = u32::MAX;
/// The bit of `Guard::methods` for methods that the policy does not name.
pub const OTHER_METHOD: u64 = 1 << 63;

/// Seeds of the table: what a name is looked for as. The place of a node of the trie is the seed of its children.
pub mod seeds {
    use super::PrincipalKind;

    /// With a node: the child for any one non-empty segment. Its name is empty.
    pub const WILDCARD: u32 = 1 << 30;
    /// With a node: the child for segments that begin so.
    pub const PARTIAL: u32 = 1 << 31;
    /// The places of nodes are below this.
    pub const NODES: u32 = 1 << 30;
    /// Names that are no part of a path have both bits.
    const NAMES: u32 = WILDCARD | PARTIAL;
    pub const METHOD: u32 = NAMES;
    pub const STATE: u32 = NAMES | 1;
    pub const ROUTE_HOST: u32 = NAMES | 2;
    /// The two roots, which the header knows.
    pub const ROOT: u32 = NAMES | 3;
    const PRINCIPALS: u32 = NAMES | 16;
    /// A cell that holds nothing.
    pub const FREE: u32 = u32::MAX;

    /// Whether cells with this seed are nodes of the trie.
    pub const fn is_node(seed: u32) -> bool {
        seed < NAMES || seed == ROOT
    }

    pub const fn principal(kind: PrincipalKind) -> u32 {
        PRINCIPALS | kind as u32
    }
}

/// Derives what every record has: any bytes are a valid value, at any address.
macro_rules! records {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
    )*};
}
pub(crate) use records;

records! {
    pub struct Header {
        pub magic: [u8; 8],
        pub format: U16,
        /// Features a reader must know to read on; none are defined in format 1.
        pub must_understand: U16,
        /// See `flags`.
        pub flags: U32,
        pub revision: U64,
        /// Unix seconds.
        pub created: U64,
        /// Unix seconds; 0 is never.
        pub expires: U64,
        /// Bytes of the whole bundle.
        pub length: U64,
        pub tenant_length: u8,
        pub tenant: [u8; TENANT_BYTES],
        /// Facts that decisions under this policy may ask for; see `facts`.
        pub facts: U32,
        /// Number of roles, permission groups and subjects that rules and routes name.
        pub principals: U32,
        /// Places of the nodes before the first segment of a path, and before the action of a request for a resource.
        pub roots: [U32; 2],
        pub sections: Sections,
        /// HTTP status of a deny, by reason.
        pub statuses: [U16; Reason::COUNT],
        /// Which key signed; zero when unsigned.
        pub key_id: [u8; 8],
        /// SHA-256 of everything before this field and everything after the header.
        pub digest: [u8; 32],
        /// Ed25519 over the digest; zero when unsigned.
        pub signature: [u8; 64],
    }

    /// Bytes of the bundle.
    pub struct Span {
        pub offset: U32,
        pub bytes: U32,
    }

    /// Records of another section.
    pub struct Range {
        pub start: U32,
        pub count: U32,
    }

    /// Bytes of the strings section, UTF-8.
    pub struct Text {
        pub offset: U32,
        pub bytes: U32,
    }

    /// A name of up to 11 bytes, or where a longer one lies; see `label`.
    pub struct Label {
        pub head: U64,
        pub tail: U32,
    }

    /// A slot of the table: a name, and what it stands for. Half a cache line.
    pub struct Cell {
        /// See `seeds`.
        pub seed: U32,
        pub label: Label,
        /// Of a node: the place of its child for any one non-empty segment, or `NONE`. Of other names: their number.
        pub id: U32,
        /// The entry of a node with one entry and no partial children. Else it says where they lie: `rule` is the place of
        /// the first entry, `guard` of the lengths of the labels of the partial children (0 is none, n is place n - 1;
        /// there it says how many, and as many follow).
        pub entry: Entry,
        /// Number of entries; `MANY` when the first entry holds the numbers instead (`rule` all, `guard` passing).
        pub count: u8,
        /// How many of them, from the first on, also count for paths that go on here.
        pub passing: u8,
        /// The `child_bit` of each child: most look-ups that would fail end here.
        pub children: U16,
    }

    /// A rule or target at a place in the trie; see `EntryKind` for where it counts.
    pub struct Entry {
        /// Index of the rule; `NONE` for targets that are no rule's.
        pub rule: U32,
        /// Index of the guard; the highest two bits are the `EntryKind`.
        pub guard: U32,
    }

    /// What is asked beside the path. Rules that ask the same share one; what most requests are told apart by is here,
    /// the rest in `Terms`.
    pub struct Guard {
        /// Bit per method, the common ones first, `OTHER_METHOD` for all that the policy does not name.
        pub methods: U64,
        /// `Who::mask`.
        pub mask: U64,
        pub terms: U32,
        /// `Class`.
        pub class: u8,
        /// `Who::flags`.
        pub flags: u8,
        /// What the terms ask; see `asks`.
        pub asks: u8,
        pub reserved: u8,
    }

    /// What a guard asks beside method and principals.
    pub struct Terms {
        /// 0 is any host, n is host list n - 1.
        pub hosts: U32,
        /// `NONE` for targets that are no rule's.
        pub who: U32,
        /// 0 is no condition, n is program n - 1.
        pub when: U32,
        /// 0 is no topic, n is topic n - 1.
        pub topic: U32,
        pub min_level: U16,
        pub reserved: [u8; 2],
    }

    pub struct Rule {
        pub guard: U32,
    }

    /// Whom a rule or a route is for.
    pub struct Who {
        /// Bit `id % 64` of every member.
        pub mask: U64,
        /// Principals, ascending.
        pub members: Range,
        /// See `who_flags`.
        pub flags: u8,
        pub reserved: [u8; 7],
    }

    /// A host pattern; text in lower case, without port and trailing dot.
    pub struct Host {
        /// `HostKind`.
        pub kind: u8,
        pub reserved: [u8; 3],
        pub text: Text,
    }

    /// Regular expressions for paths that one automaton tells apart.
    pub struct PatternSet {
        pub automaton: U32,
        /// In the order of the automaton's pattern ids.
        pub patterns: Range,
    }

    /// A regular expression for paths.
    pub struct Pattern {
        /// Rules and targets with this path.
        pub entries: Range,
    }

    /// The paths of a host, or of any host (the first record): longest pattern first, then in document order.
    pub struct RouteHost {
        pub paths: Range,
    }

    pub struct RoutePath {
        /// Number of the regular expression.
        pub pattern: U32,
        pub methods: Range,
        /// Position in `routes` of the document.
        pub route: U32,
        /// Position in `paths` of that route.
        pub path: U32,
    }

    pub struct RouteMethod {
        /// As written, in upper case.
        pub name: Text,
        /// As in `Guard`.
        pub methods: U64,
        /// Who has one of the permissions.
        pub who: U32,
    }

    /// A label that a subject needs for its next level.
    pub struct Level {
        pub key: Text,
        pub value: Text,
    }

    /// Tokens of a subject that were issued before this are void.
    pub struct Revocation {
        /// Subjects are sorted by their bytes, without duplicates.
        pub subject: Text,
        /// Unix seconds.
        pub not_before: U64,
    }

    /// The restrictions of one category, by scope.
    pub struct Category {
        /// First restriction of scope `all`, or `NONE`.
        pub all: U32,
        /// Scope `ip`.
        pub addresses: Range,
        /// Scope `ip_subnet`, one record per prefix length.
        pub networks: Range,
        /// Scope `country`.
        pub countries: Range,
        /// Scope `continent`.
        pub continents: Range,
    }

    /// A country or continent; sorted by code, no duplicates.
    pub struct Place {
        /// Two letters in upper case.
        pub code: [u8; 2],
        /// First restriction that names it.
        pub restriction: U32,
    }

    pub struct Restriction {
        pub id: Text,
        /// HTTP status.
        pub code: U16,
        pub reserved: [u8; 2],
    }

    /// An address, or the first address of a network; sorted by address, no duplicates.
    pub struct Address {
        /// IPv6, or IPv4-mapped IPv6 for IPv4.
        pub octets: [u8; 16],
        /// First restriction that names it.
        pub restriction: U32,
    }

    /// The networks of one prefix length.
    pub struct Network {
        /// Bits of the 16 octets that count; 96 and more for IPv4.
        pub prefix: u8,
        pub reserved: [u8; 3],
        pub addresses: Range,
    }
}

/// Bits of `Header::flags`.
pub mod flags {
    pub const API_KEY_REQUIRES_OTP: u32 = 1;
    /// Some rule names permission groups.
    pub const NAMES_GROUPS: u32 = 1 << 1;
    /// Some rule names subjects.
    pub const NAMES_SUBJECTS: u32 = 1 << 2;
    /// Subjects in state `active` may be allowed something; other such states are in the table.
    pub const ACCEPTS_ACTIVE: u32 = 1 << 3;
    pub const ALL: u32 = API_KEY_REQUIRES_OTP | NAMES_GROUPS | NAMES_SUBJECTS | ACCEPTS_ACTIVE;
}

/// Bits of `Who::flags`.
pub mod who_flags {
    pub const ANYONE: u8 = 1;
    pub const AUTHENTICATED: u8 = 2;
    pub const ALL: u8 = ANYONE | AUTHENTICATED;
}

/// Bits of `Guard::asks`.
pub mod asks {
    pub const HOSTS: u8 = 1;
    pub const WHEN: u8 = 2;
    pub const LEVEL: u8 = 4;
    pub const ALL: u8 = HOSTS | WHEN | LEVEL;
}

/// Bits of `Header::facts`: what a host need not find out unless the bit is there.
pub mod facts {
    pub const SOURCE_IP: u32 = 1;
    pub const COUNTRY: u32 = 1 << 1;
    pub const CONTINENT: u32 = 1 << 2;
    pub const LEVEL: u32 = 1 << 3;
    /// Conditions may ask for anything.
    pub const CONDITIONS: u32 = 1 << 4;
    pub const ALL: u32 = SOURCE_IP | COUNTRY | CONTINENT | LEVEL | CONDITIONS;
}

/// `Cell::count` of a node whose first entry holds the numbers.
pub const MANY: u8 = u8::MAX;

/// Lists the sections of a bundle for `$with`: name and what it holds, in the order of the bytes.
macro_rules! sections {
    ($with:ident) => {
        $with! {
            cells: crate::layout::Cell,
            pilots: zerocopy::little_endian::U16,
            entries: crate::layout::Entry,
            guards: crate::layout::Guard,
            terms: crate::layout::Terms,
            rules: crate::layout::Rule,
            rule_ids: crate::layout::Text,
            strings: u8,
            lengths: zerocopy::little_endian::U32,
            topics: crate::layout::Text,
            who: crate::layout::Who,
            members: zerocopy::little_endian::U32,
            host_lists: crate::layout::Range,
            hosts: crate::layout::Host,
            route_hosts: crate::layout::RouteHost,
            route_paths: crate::layout::RoutePath,
            route_methods: crate::layout::RouteMethod,
            levels: crate::layout::Level,
            categories: crate::layout::Category,
            restrictions: crate::layout::Restriction,
            addresses: crate::layout::Address,
            networks: crate::layout::Network,
            places: crate::layout::Place,
            revocations: crate::layout::Revocation,
            pattern_sets: crate::layout::PatternSet,
            patterns: crate::layout::Pattern,
            automata: crate::layout::Text,
            programs: crate::bytecode::Program,
            instructions: crate::bytecode::Instruction,
            operands: zerocopy::little_endian::U32,
            blobs: u8,
            schemas: crate::schema::Schema,
            schema_nodes: crate::schema::SchemaNode,
            schema_checks: crate::schema::Check,
            schema_objects: crate::schema::Object,
            schema_properties: crate::schema::Property,
            schema_lists: zerocopy::little_endian::U32,
            schema_literals: crate::schema::Literal,
            schema_notes: crate::schema::Note,
            validations: crate::schema::Validation,
            content_types: crate::layout::Text,
        }
    };
}
pub(crate) use sections;

macro_rules! spans {
    ($($name:ident: $record:ty,)*) => {
        records! {
            /// Where each section lies.
            pub struct Sections { $(pub $name: Span,)* }
        }
    };
}
sections!(spans);

/// An enumeration stored as one byte.
macro_rules! byte_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_meta])* $variant = $value,)* }

        impl $name {
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($value => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

pub(crate) use byte_enum;

byte_enum! {
    /// Whose target an entry is.
    pub enum Class {
        Blocked = 0,
        Public = 1,
        Deny = 2,
        Allow = 3,
        Audit = 4,
        Login = 5,
    }
}

byte_enum! {
    /// Which paths an entry counts for, at its node.
    pub enum EntryKind {
        /// Those that end here.
        Here = 0,
        /// Those that come by here, and those that end here.
        Under = 1,
        /// Those that go on here with a non-empty segment.
        Tail = 2,
    }
}

byte_enum! {
    pub enum PrincipalKind {
        Role = 0,
        PermissionGroup = 1,
        Subject = 2,
    }
}

byte_enum! {
    pub enum HostKind {
        Exact = 0,
        /// One or more labels before the text, which starts with a dot.
        Suffix = 1,
    }
}

byte_enum! {
    /// Categories of restrictions, in the order in which they are tried.
    pub enum CategoryKind {
        Whitelist = 0,
        Maintenance = 1,
        Blacklist = 2,
        /// Only for targets of `login`.
        BlockLogin = 3,
    }
}

impl CategoryKind {
    pub const ALL: [Self; 4] = [Self::Whitelist, Self::Maintenance, Self::Blacklist, Self::BlockLogin];
}

impl Cell {
    /// Place of the lengths of the labels of the partial children; `None` when there are none.
    #[inline]
    pub fn lengths(&self) -> Option<u32> {
        if self.count == 1 { None } else { self.entry.guard.get().checked_sub(1) }
    }
}

impl Terms {
    /// `Guard::asks` of a guard with these terms.
    pub fn asks(&self) -> u8 {
        let bit = |asks: bool, bit: u8| if asks { bit } else { 0 };
        bit(self.hosts.get() != 0, asks::HOSTS)
            | bit(self.when.get() != 0, asks::WHEN)
            | bit(self.min_level.get() != 0, asks::LEVEL)
    }
}

impl Entry {
    const KIND_SHIFT: u32 = 30;
    const GUARD: u32 = (1 << Self::KIND_SHIFT) - 1;
    /// Guards are fewer than this.
    pub const MAX_GUARDS: usize = Self::GUARD as usize;

    /// `guard` is below `MAX_GUARDS`.
    pub fn new(rule: u32, guard: u32, kind: EntryKind) -> Self {
        Self { rule: U32::new(rule), guard: U32::new(guard & Self::GUARD | (kind as u32) << Self::KIND_SHIFT) }
    }

    #[inline]
    pub fn guard(&self) -> u32 {
        self.guard.get() & Self::GUARD
    }

    #[inline]
    pub fn kind(&self) -> Option<EntryKind> {
        EntryKind::from_byte((self.guard.get() >> Self::KIND_SHIFT) as u8)
    }
}

impl Text {
    pub const EMPTY: Self = Self { offset: U32::ZERO, bytes: U32::ZERO };
}

impl Range {
    pub const EMPTY: Self = Self { start: U32::ZERO, count: U32::ZERO };

    pub fn is_empty(&self) -> bool {
        self.count.get() == 0
    }
}
