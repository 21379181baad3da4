//! The text of a JSON object -> a flat tape of values, in buffers that are used again.
//!
//! In: `properties` or `context` of a request. Out: a tape in which every value knows where the next one starts, or
//! nothing when the text is not one JSON object (RFC 8259) that every reader reads the same way. Refused beside what
//! RFC 8259 refuses: duplicate keys, lone surrogates, numbers that are not finite, nesting deeper than `MAX_DEPTH`,
//! more than `PROPERTIES_BYTES`. Never allocates once its buffers have grown.

use crate::sort::sort_by;
use portcullis_bundle::Key;
use portcullis_bundle::limits::PROPERTIES_BYTES;

/// Objects and lists inside each other, the outermost included.
pub(crate) const MAX_DEPTH: usize = 32;

/// The buffers of one tape.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    items: Vec<Item>,
    /// Strings that hold escapes, without them.
    unescaped: Vec<u8>,
    /// Keys of the object that is being closed.
    keys: Vec<(u32, Span)>,
}

/// A read object; its root is item 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tape<'a> {
    text: &'a [u8],
    items: &'a [Item],
    unescaped: &'a [u8],
}

/// A value, or the key before a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Item {
    Null,
    Bool(bool),
    /// A number without fraction and exponent, if it fits.
    Int(i64),
    /// As `Int`, for what only fits here.
    Uint(u64),
    Double(f64),
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

/// Bytes of the text, or of the unescaped strings when `start` has the bit `UNESCAPED`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) bytes: u32,
}

const UNESCAPED: u32 = 1 << 31;

fn hash(key: &[u8]) -> u32 {
    Key::new(key).hash(0) as u32
}

// === impl Buffer ===

impl Buffer {
    /// As `read`, for a text that may be absent.
    #[expect(clippy::option_option, reason = "refused and absent are different answers")]
    pub(crate) fn read_some<'a>(&'a mut self, text: Option<&'a str>) -> Option<Option<Tape<'a>>> {
        match text {
            Some(text) => self.read(text).map(Some),
            None => Some(None),
        }
    }

    /// The object that `text` is; `None` when it is refused.
    pub(crate) fn read<'a>(&'a mut self, text: &'a str) -> Option<Tape<'a>> {
        self.items.clear();
        self.unescaped.clear();
        if text.len() > PROPERTIES_BYTES {
            return None;
        }
        let mut reader = Reader { text: text.as_bytes(), at: 0, buffer: self };
        reader.skip_space();
        if reader.peek() != Some(b'{') {
            return None;
        }
        reader.value(0)?;
        reader.skip_space();
        if reader.peek().is_some() {
            return None;
        }
        Some(Tape { text: text.as_bytes(), items: &self.items, unescaped: &self.unescaped })
    }
}

// === impl Tape ===

impl<'a> Tape<'a> {
    /// The object itself.
    pub(crate) const ROOT: u32 = 0;

    pub(crate) fn item(&self, at: u32) -> Option<Item> {
        self.items.get(at as usize).copied()
    }

    pub(crate) fn text(&self, span: Span) -> Option<&'a [u8]> {
        slice(self.text, self.unescaped, span)
    }

    /// The item after the value or key at `at`, its contents skipped.
    pub(crate) fn after(&self, at: u32) -> u32 {
        after(self.items, at)
    }

    /// The value of `key` in the map at `map`.
    pub(crate) fn get(&self, map: u32, key: &[u8]) -> Option<u32> {
        let Some(Item::Map { end, .. }) = self.item(map) else { return None };
        let wanted = hash(key);
        let mut at = map.checked_add(1)?;
        while at < end {
            let value = at.checked_add(1)?;
            if let Item::Key { hash, name } = self.item(at)?
                && hash == wanted
                && self.text(name) == Some(key)
            {
                return Some(value);
            }
            at = self.after(value);
        }
        None
    }
}

fn after(items: &[Item], at: u32) -> u32 {
    match items.get(at as usize) {
        Some(Item::List { end, .. } | Item::Map { end, .. }) => *end,
        _ => at.saturating_add(1),
    }
}

fn slice<'a>(text: &'a [u8], unescaped: &'a [u8], span: Span) -> Option<&'a [u8]> {
    let from = if span.start & UNESCAPED == 0 { text } else { unescaped };
    let start = (span.start & !UNESCAPED) as usize;
    from.get(start..start.checked_add(span.bytes as usize)?)
}

// === reading ===

/// INVARIANT: `at` and all lengths are at most `PROPERTIES_BYTES`, so they fit 31 bits.
struct Reader<'t, 'b> {
    text: &'t [u8],
    at: usize,
    buffer: &'b mut Buffer,
}

impl Reader<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let item = match self.peek()? {
            b'{' => return self.map(depth),
            b'[' => return self.list(depth),
            b'"' => Item::String(self.string()?),
            b't' => self.word(b"true", Item::Bool(true))?,
            b'f' => self.word(b"false", Item::Bool(false))?,
            b'n' => self.word(b"null", Item::Null)?,
            _ => self.number()?,
        };
        self.buffer.items.push(item);
        Some(())
    }

    fn word(&mut self, word: &[u8], item: Item) -> Option<Item> {
        self.text.get(self.at..)?.starts_with(word).then_some(())?;
        self.at = self.at.checked_add(word.len())?;
        Some(item)
    }

    fn map(&mut self, depth: usize) -> Option<()> {
        let start = self.open(depth)?;
        let mut count = 0_u32;
        if !self.is_closed(b'}')? {
            loop {
                self.skip_space();
                let name = self.string()?;
                let hash = hash(slice(self.text, &self.buffer.unescaped, name)?);
                self.buffer.items.push(Item::Key { hash, name });
                self.skip_space();
                (self.take()? == b':').then_some(())?;
                self.skip_space();
                self.value(depth.checked_add(1)?)?;
                count = count.checked_add(1)?;
                if self.is_last(b'}')? {
                    break;
                }
            }
        }
        let end = self.buffer.items.len() as u32;
        self.require_unique_keys(start, end)?;
        *self.buffer.items.get_mut(start)? = Item::Map { count, end };
        Some(())
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        let start = self.open(depth)?;
        let mut count = 0_u32;
        if !self.is_closed(b']')? {
            loop {
                self.skip_space();
                self.value(depth.checked_add(1)?)?;
                count = count.checked_add(1)?;
                if self.is_last(b']')? {
                    break;
                }
            }
        }
        let end = self.buffer.items.len() as u32;
        *self.buffer.items.get_mut(start)? = Item::List { count, end };
        Some(())
    }

    /// Takes the opening bracket and keeps a place for its item.
    fn open(&mut self, depth: usize) -> Option<usize> {
        (depth < MAX_DEPTH).then_some(())?;
        self.take()?;
        let start = self.buffer.items.len();
        self.buffer.items.push(Item::Null);
        Some(start)
    }

    /// Whether the closing bracket follows at once.
    fn is_closed(&mut self, bracket: u8) -> Option<bool> {
        self.skip_space();
        let is_closed = self.peek()? == bracket;
        if is_closed {
            self.take()?;
        }
        Some(is_closed)
    }

    /// Takes a comma, or the closing bracket.
    fn is_last(&mut self, bracket: u8) -> Option<bool> {
        self.skip_space();
        match self.take()? {
            b',' => Some(false),
            byte => (byte == bracket).then_some(true),
        }
    }

    /// `None` when two keys of the map at `start` are equal. Sorts, so that equal hashes do not make it quadratic.
    fn require_unique_keys(&mut self, start: usize, end: u32) -> Option<()> {
        let Buffer { items, unescaped, keys } = &mut *self.buffer;
        keys.clear();
        let mut at = (start as u32).checked_add(1)?;
        while at < end {
            let Item::Key { hash, name } = *items.get(at as usize)? else { return None };
            keys.push((hash, name));
            at = after(items, at.checked_add(1)?);
        }
        let text = |&(hash, name): &(u32, Span)| (hash, slice(self.text, unescaped, name));
        sort_by(keys, |a, b| text(a) < text(b));
        keys.is_sorted_by(|a, b| text(a) < text(b)).then_some(())
    }

    /// A string; where it holds escapes, without them.
    fn string(&mut self) -> Option<Span> {
        (self.take()? == b'"').then_some(())?;
        let start = self.at;
        loop {
            match self.take()? {
                b'"' => {
                    let bytes = self.at.checked_sub(start)?.checked_sub(1)?;
                    return Some(Span { start: start as u32, bytes: bytes as u32 });
                }
                b'\\' => break,
                0..0x20 => return None,
                _ => {}
            }
        }
        let from = self.buffer.unescaped.len();
        let plain = self.text.get(start..self.at.checked_sub(1)?)?;
        self.buffer.unescaped.extend_from_slice(plain);
        self.escape()?;
        loop {
            match self.take()? {
                b'"' => break,
                b'\\' => self.escape()?,
                0..0x20 => return None,
                byte => self.buffer.unescaped.push(byte),
            }
        }
        let bytes = self.buffer.unescaped.len().checked_sub(from)?;
        Some(Span { start: from as u32 | UNESCAPED, bytes: bytes as u32 })
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<()> {
        let byte = match self.take()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let character = self.character()?;
                let mut utf8 = [0; 4];
                self.buffer.unescaped.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
                return Some(());
            }
            _ => return None,
        };
        self.buffer.unescaped.push(byte);
        Some(())
    }

    /// The character behind `\u`, of two escapes when it is beyond 16 bits (RFC 8259 section 7).
    fn character(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(u32::from(first));
        }
        (self.take()? == b'\\' && self.take()? == b'u').then_some(())?;
        let second = self.unit()?;
        let mut pair = char::decode_utf16([first, second]);
        let character = pair.next()?.ok()?;
        pair.next().is_none().then_some(character)
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at.checked_add(4)?)?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
        self.at = self.at.checked_add(4)?;
        u16::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
    }

    /// RFC 8259 section 6.
    fn number(&mut self) -> Option<Item> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.take()?;
        }
        match self.take()? {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return None,
        }
        let mut is_integer = true;
        if self.peek() == Some(b'.') {
            is_integer = false;
            self.take()?;
            self.take()?.is_ascii_digit().then_some(())?;
            self.skip_digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_integer = false;
            self.take()?;
            if let Some(b'+' | b'-') = self.peek() {
                self.take()?;
            }
            self.take()?.is_ascii_digit().then_some(())?;
            self.skip_digits();
        }
        let text = core::str::from_utf8(self.text.get(start..self.at)?).ok()?;
        if is_integer && let Ok(int) = text.parse() {
            return Some(Item::Int(int));
        }
        if is_integer && let Ok(uint) = text.parse() {
            return Some(Item::Uint(uint));
        }
        text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Item::Double)
    }

    fn skip_digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at = self.at.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests;
