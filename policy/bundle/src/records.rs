//! The sections of a bundle as typed slices, located once when it is opened.
//!
//! In: the bytes of a bundle. Out: cells by name, entries by cell, guards by number, each with one bounded read; what
//! points at nothing is `None`, which for an index read from the same bundle `check` has ruled out.

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::label::{HTTP_ROOT, Key, RESOURCE_ROOT, after_wildcard, start};
use crate::layout::{Cell, Entry, Guard, MANY, NONE, PrincipalKind, Range, Sections, Span, Terms, sections, seeds};
use crate::open::OpenError;
use crate::table;

macro_rules! slices {
    ($($name:ident: $record:ty,)*) => {
        /// The sections of a policy.
        #[derive(Clone, Copy)]
        pub struct Records<'p> {
            $(pub $name: &'p [$record],)*
            /// Places of the two root nodes in `cells`.
            pub(crate) roots: [u32; 2],
        }

        impl<'p> Records<'p> {
            pub(crate) fn locate(bytes: &'p [u8], sections: &Sections, roots: [u32; 2]) -> Result<Self, OpenError> {
                Ok(Self { $($name: at(bytes, sections.$name, stringify!($name))?,)* roots })
            }
        }
    };
}
sections!(slices);

fn at<'p, T: FromBytes + Immutable + KnownLayout + Unaligned>(
    bytes: &'p [u8],
    span: Span,
    section: &'static str,
) -> Result<&'p [T], OpenError> {
    let (start, length) = (span.offset.get() as usize, span.bytes.get() as usize);
    let bytes = bytes.get(start..).and_then(|rest| rest.get(..length));
    bytes.and_then(|bytes| <[T]>::ref_from_bytes(bytes).ok()).ok_or(OpenError::Malformed { section })
}

/// The records of `all` that `range` counts.
#[inline]
pub(crate) fn slice<T>(all: &[T], range: Range) -> Option<&[T]> {
    all.get(range.start.get() as usize..)?.get(..range.count.get() as usize)
}

/// A place in the trie.
#[derive(Clone, Copy)]
pub struct Node<'p> {
    pub cell: &'p Cell,
    pub mark: Mark,
}

/// What leads back to a node.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Place in `cells`.
    cell: u32,
    /// What the hashes of its children start with: that of a way to a node needs no node on the way, so that a
    /// processor can fetch the cells of all of them at once.
    hash: u64,
}

/// The entries of a node.
#[derive(Clone, Copy)]
pub struct Entries<'p> {
    pub all: &'p [Entry],
    /// Those of them that also count for paths that go on.
    pub passing: &'p [Entry],
}

impl<'p> Records<'p> {
    /// The cell of a name.
    #[inline]
    pub fn find(&self, seed: u32, name: &[u8]) -> Option<&'p Cell> {
        let key = Key::new(name);
        let (_, cell) = self.look_up(seed, key, key.hash(start(seed)), || name)?;
        Some(cell)
    }

    #[inline]
    fn look_up<'n>(
        &self,
        seed: u32,
        key: Key,
        hash: u64,
        name: impl FnOnce() -> &'n [u8],
    ) -> Option<(usize, &'p Cell)> {
        table::find(self.cells, self.pilots, self.strings, seed, key, hash, name)
    }

    #[inline]
    fn node<'n>(&self, seed: u32, key: Key, hash: u64, name: impl FnOnce() -> &'n [u8]) -> Option<Node<'p>> {
        let (at, cell) = self.look_up(seed, key, hash, name)?;
        Some(Node { cell, mark: Mark { cell: at as u32, hash } })
    }

    /// The node of a mark.
    #[inline]
    pub fn at(&self, mark: Mark) -> Option<Node<'p>> {
        Some(Node { cell: self.cells.get(mark.cell as usize)?, mark })
    }

    /// The child of a node for the segment whose key this is; its bytes are asked for when it is long.
    #[inline]
    pub fn child<'n>(&self, node: Node<'_>, key: Key, segment: impl FnOnce() -> &'n [u8]) -> Option<Node<'p>> {
        let hash = key.hash(node.mark.hash);
        if node.cell.children.get() & child_bit(hash) == 0 {
            return None;
        }
        self.node(node.mark.cell, key, hash, segment)
    }

    /// The child of a node for any one segment.
    #[inline]
    pub fn wildcard(&self, node: Node<'_>) -> Option<Node<'p>> {
        match node.cell.id.get() {
            NONE => None,
            cell => self.at(Mark { cell, hash: after_wildcard(node.mark.hash) }),
        }
    }

    /// The child of a node for segments that begin with `label`.
    pub fn partial(&self, node: Node<'_>, label: &[u8]) -> Option<Node<'p>> {
        let key = Key::new(label);
        let hash = key.hash(node.mark.hash ^ start(seeds::PARTIAL));
        self.node(node.mark.cell | seeds::PARTIAL, key, hash, || label)
    }

    /// Ascending byte lengths of the labels of the partial children of a node.
    pub fn lengths(&self, node: &Cell) -> Option<&'p [U32]> {
        let Some(at) = node.lengths() else { return Some(&[]) };
        let (count, lengths) = self.lengths.get(at as usize..)?.split_first()?;
        lengths.get(..count.get() as usize)
    }

    /// The node before the first segment of a path.
    #[inline]
    pub fn http_root(&self) -> Option<Node<'p>> {
        let [cell, _] = self.roots;
        self.at(Mark { cell, hash: HTTP_ROOT })
    }

    /// The node before the action of a request for a resource.
    pub fn resource_root(&self) -> Option<Node<'p>> {
        let [_, cell] = self.roots;
        self.at(Mark { cell, hash: RESOURCE_ROOT })
    }

    #[inline]
    pub fn entries(&self, node: &'p Cell) -> Option<Entries<'p>> {
        let (all, passing) = match node.count {
            0 => return Some(Entries { all: &[], passing: &[] }),
            1 => (core::slice::from_ref(&node.entry), usize::from(node.passing)),
            count => {
                let from = self.entries.get(node.entry.rule.get() as usize..)?;
                match count {
                    MANY => {
                        let (numbers, entries) = from.split_first()?;
                        (entries.get(..numbers.rule.get() as usize)?, numbers.guard.get() as usize)
                    }
                    count => (from.get(..usize::from(count))?, usize::from(node.passing)),
                }
            }
        };
        Some(Entries { all, passing: all.get(..passing)? })
    }

    #[inline]
    pub fn guard(&self, guard: u32) -> Option<&'p Guard> {
        self.guards.get(guard as usize)
    }

    #[inline]
    pub fn terms(&self, guard: &Guard) -> Option<&'p Terms> {
        self.terms.get(guard.terms.get() as usize)
    }

    /// Bit of `method` in `Guard::methods`; `None` when the policy does not name it and it is not a common one.
    #[inline]
    pub fn method_bit(&self, method: &str) -> Option<u64> {
        match common_method(method) {
            Some(bit) => Some(bit),
            None => 1_u64.checked_shl(self.find(seeds::METHOD, method.as_bytes())?.id.get()),
        }
    }

    /// Number of the role, group or subject `name`; `None` when no rule and no route can name it.
    #[inline]
    pub fn principal(&self, kind: PrincipalKind, name: &[u8]) -> Option<u32> {
        Some(self.find(seeds::principal(kind), name)?.id.get())
    }

    /// The cells that are nodes of the trie.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &'p Cell> {
        self.cells.iter().filter(|cell| seeds::is_node(cell.seed.get()))
    }
}

/// Bit of a method that every policy knows (RFC 9110 section 9.3, RFC 5789).
#[inline]
pub fn common_method(method: &str) -> Option<u64> {
    Some(match method {
        "GET" => 1,
        "HEAD" => 1 << 1,
        "POST" => 1 << 2,
        "PUT" => 1 << 3,
        "DELETE" => 1 << 4,
        "OPTIONS" => 1 << 5,
        "PATCH" => 1 << 6,
        "TRACE" => 1 << 7,
        "CONNECT" => 1 << 8,
        _ => return None,
    })
}

/// Number of methods that `common_method` knows.
pub const COMMON_METHODS: u32 = 9;

/// The bit in `Cell::children` of a child whose key under its parent has this hash.
#[inline]
pub fn child_bit(hash: u64) -> u16 {
    1 << (hash >> 60)
}
