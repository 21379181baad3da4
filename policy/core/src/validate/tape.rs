//! A read document: a flat tape of values, each of which knows where the next one starts.
//!
//! In: what a reader pushes. Out: values by their place; places ascend in document order. Texts are parts of the
//! document, or of what was decoded. Never allocates once its buffers have grown.

/// The buffers of one tape.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pub(super) items: Vec<Item>,
    /// Texts that do not stand in the document as they are meant.
    pub(super) decoded: String,
}

/// A read document; its root is item 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tape<'a> {
    text: &'a str,
    decoded: &'a str,
    items: &'a [Item],
}

/// A value, or the name before a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Item {
    Null,
    Bool(bool),
    /// A number of up to 18 digits, without fraction and exponent.
    Int(i64),
    /// Any other number, as it is written.
    Number(Span),
    String(Span),
    Key {
        hash: u32,
        name: Span,
    },
    /// `count` values follow, up to item `end`.
    List {
        count: u32,
        end: u32,
    },
    /// `count` times key and value follow, up to item `end`.
    Map {
        count: u32,
        end: u32,
    },
}

/// Bytes of the document, or of the decoded texts when `start` has the bit `DECODED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(super) start: u32,
    pub(super) bytes: u32,
}

const DECODED: u32 = 1 << 31;
/// Longest document: offsets leave one bit to `DECODED`.
pub(super) const MAX_BYTES: usize = (1 << 30) - 1;
/// Items and bytes that buffers keep from one document to the next.
const KEPT: usize = 1 << 16;

// === impl Buffer ===

impl Buffer {
    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.decoded.clear();
    }

    /// Gives back what a large document took.
    pub(super) fn shrink(&mut self) {
        self.clear();
        self.items.shrink_to(KEPT);
        self.decoded.shrink_to(KEPT);
    }

    pub(super) fn tape<'a>(&'a self, text: &'a str) -> Tape<'a> {
        Tape { text, decoded: &self.decoded, items: &self.items }
    }

    /// Where the next item goes.
    pub(super) fn next(&self) -> u32 {
        self.items.len() as u32
    }

    pub(super) fn set(&mut self, at: u32, item: Item) {
        if let Some(place) = self.items.get_mut(at as usize) {
            *place = item;
        }
    }

    /// The decoded text from `start` on.
    pub(super) fn decoded_from(&self, start: usize) -> Span {
        let bytes = self.decoded.len().saturating_sub(start);
        Span { start: start as u32 | DECODED, bytes: bytes as u32 }
    }
}

// === impl Tape ===

impl<'a> Tape<'a> {
    /// The document itself.
    pub(crate) const ROOT: u32 = 0;

    #[inline]
    pub(crate) fn item(&self, at: u32) -> Option<Item> {
        self.items.get(at as usize).copied()
    }

    #[inline]
    pub(crate) fn str(&self, span: Span) -> &'a str {
        let from = if span.start & DECODED == 0 { self.text } else { self.decoded };
        let start = (span.start & !DECODED) as usize;
        from.get(start..start.saturating_add(span.bytes as usize)).unwrap_or_default()
    }

    /// As `str`, without looking for the boundaries of characters.
    #[inline]
    pub(crate) fn bytes(&self, span: Span) -> &'a [u8] {
        let from = if span.start & DECODED == 0 { self.text } else { self.decoded };
        let start = (span.start & !DECODED) as usize;
        from.as_bytes().get(start..).and_then(|rest| rest.get(..span.bytes as usize)).unwrap_or_default()
    }

    /// The item after the value at `at`, its contents skipped.
    #[inline]
    pub(crate) fn after(&self, at: u32) -> u32 {
        match self.items.get(at as usize) {
            Some(Item::List { end, .. } | Item::Map { end, .. }) => *end,
            _ => at.saturating_add(1),
        }
    }

    /// The places of the items of a list.
    pub(crate) fn list(self, at: u32) -> impl Iterator<Item = u32> + 'a {
        let Some(Item::List { end, .. }) = self.item(at) else { return Places { tape: self, next: 0, end: 0 } };
        Places { tape: self, next: at.saturating_add(1), end }
    }

    /// The places of the keys of a map; the value of each is behind it.
    pub(crate) fn map(self, at: u32) -> impl Iterator<Item = Member> + 'a {
        let places = match self.item(at) {
            Some(Item::Map { end, .. }) => Places { tape: self, next: at.saturating_add(1), end },
            _ => Places { tape: self, next: 0, end: 0 },
        };
        Members(places)
    }
}

/// A name and its value in a map.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    pub(crate) key: u32,
    pub(crate) hash: u32,
    pub(crate) name: Span,
    pub(crate) value: u32,
}

struct Places<'a> {
    tape: Tape<'a>,
    next: u32,
    end: u32,
}

impl Iterator for Places<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let at = self.next;
        (at < self.end).then(|| {
            self.next = self.tape.after(at);
            at
        })
    }
}

struct Members<'a>(Places<'a>);

impl Iterator for Members<'_> {
    type Item = Member;

    #[inline]
    fn next(&mut self) -> Option<Member> {
        let Self(places) = self;
        let key = places.next;
        if key >= places.end {
            return None;
        }
        let Some(Item::Key { hash, name }) = places.tape.item(key) else { return None };
        let value = key.saturating_add(1);
        places.next = places.tape.after(value);
        Some(Member { key, hash, name, value })
    }
}
