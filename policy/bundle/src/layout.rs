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
/// The node before the first segment.
pub const ROOT: u32 = 0;
/// Set in the seed of an edge whose label is only the beginning of a segment.
pub const PARTIAL: u32 = 1 << 31;
/// The bit of `Entry::methods` for methods that the policy does not name.
pub const OTHER_METHOD: u64 = 1 << 63;

/// Derives what every record has: any bytes are a valid value, at any address.
macro_rules! records {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
    )*};
}

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
        /// Number of roles, permission groups and subjects that rules name.
        pub principals: U32,
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

    /// Where each section lies.
    pub struct Sections {
        pub strings: Span,
        pub rules: Span,
        pub nodes: Span,
        pub edges: Span,
        pub entries: Span,
        pub lengths: Span,
        pub who: Span,
        pub members: Span,
        pub names: Span,
        pub host_lists: Span,
        pub hosts: Span,
        pub methods: Span,
        pub states: Span,
        pub categories: Span,
        pub restrictions: Span,
        pub addresses: Span,
        pub networks: Span,
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

    pub struct Rule {
        pub id: Text,
        /// Audit stream; empty unless the effect is audit.
        pub topic: Text,
        pub pattern: Text,
        /// `Entry::class`: deny, allow or audit.
        pub class: u8,
        /// `PathKind`.
        pub path_kind: u8,
        pub reserved: [u8; 2],
        pub hosts: U32,
        pub who: U32,
        pub methods: U64,
    }

    /// A place in the path trie: the path so far, segment by segment.
    pub struct Node {
        /// The node after any one non-empty segment; 0 when there is none.
        pub wildcard: U32,
        /// Entries for paths that end here.
        pub here: Range,
        /// Entries for paths that come by here.
        pub under: Range,
        /// Entries for paths that go on here with a non-empty segment.
        pub tail: Range,
        /// Ascending byte lengths of the labels of partial edges that start here.
        pub lengths: Range,
    }

    /// A slot of the edge table; `child` 0 is free.
    pub struct Edge {
        /// Parent node, with `PARTIAL` when the label is the beginning of a segment.
        pub seed: U32,
        pub child: U32,
        pub label: Text,
    }

    /// What a target asks beside its path, and whose target it is.
    pub struct Entry {
        /// Bit per method of the methods section, `OTHER_METHOD` for all others.
        pub methods: U64,
        /// `Who::mask` of the rule.
        pub mask: U64,
        /// 0 is any host, n is host list n - 1.
        pub hosts: U32,
        pub who: U32,
        /// Index of the rule; `NONE` for blocked and public targets.
        pub rule: U32,
        /// `Class`.
        pub class: u8,
        /// `Who::flags` of the rule.
        pub flags: u8,
        pub reserved: [u8; 2],
    }

    /// Whom a rule is for.
    pub struct Who {
        /// Bit `id % 64` of every member.
        pub mask: U64,
        /// Principals, ascending.
        pub members: Range,
        /// `who` flags.
        pub flags: u8,
        pub reserved: [u8; 7],
    }

    /// A slot of the name table; `kind` `FREE` is free.
    pub struct Name {
        /// `PrincipalKind`, or `FREE`.
        pub kind: u8,
        pub reserved: [u8; 3],
        pub id: U32,
        pub text: Text,
    }

    /// A host pattern; text in lower case, without port and trailing dot.
    pub struct Host {
        /// `HostKind`.
        pub kind: u8,
        pub reserved: [u8; 3],
        pub text: Text,
    }

    /// The restrictions of one category, by scope.
    pub struct Category {
        /// First restriction of scope `all`, or `NONE`.
        pub all: U32,
        /// Scope `ip`.
        pub addresses: Range,
        /// Scope `ip_subnet`, one record per prefix length.
        pub networks: Range,
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
    pub const ALL: u32 = API_KEY_REQUIRES_OTP;
}

/// Bits of `Who::flags`.
pub mod who_flags {
    pub const ANYONE: u8 = 1;
    pub const AUTHENTICATED: u8 = 2;
    pub const ALL: u8 = ANYONE | AUTHENTICATED;
}

/// `Name::kind` of a free slot.
pub const FREE: u8 = u8::MAX;

/// An enumeration stored as one byte.
macro_rules! byte_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_meta])* $variant = $value,)* }

        impl $name {
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($value => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

byte_enum! {
    /// Whose target an entry is.
    pub enum Class {
        Blocked = 0,
        Public = 1,
        Deny = 2,
        Allow = 3,
        Audit = 4,
    }
}

byte_enum! {
    pub enum PathKind {
        /// No pattern: every path.
        Any = 0,
        Exact = 1,
        Under = 2,
        Prefix = 3,
        Template = 4,
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
    }
}

impl CategoryKind {
    pub const ALL: [Self; 3] = [Self::Whitelist, Self::Maintenance, Self::Blacklist];
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
