//! The bytes of a JSON document (RFC 8259) -> a tape.
//!
//! In: bytes from anywhere. Out: the tape, or what is wrong and where. Refused beside what RFC 8259 refuses: duplicate
//! keys, lone surrogates, nesting deeper than `VALIDATED_DEPTH`, exponents over `EXPONENT`: what readers read
//! differently. Never allocates once its buffers have grown.

use portcullis_bundle::limits::{EXPONENT, VALIDATED_DEPTH};
use portcullis_bundle::schema::property_hash;

use super::fault::{Fault, FaultKind};
use super::tape::{Buffer, Item, Span};
use crate::sort::sort_by;

/// Objects with up to so many keys are searched for duplicates pair by pair.
const FEW_KEYS: usize = 16;
/// Digits that always fit 64 bits.
const INT_DIGITS: usize = 18;

/// The keys of the objects that are open.
pub(super) type Keys = Vec<(u32, Span)>;

/// Reads `bytes` into `buffer`; the answer is their text.
pub(super) fn read<'t>(bytes: &'t [u8], buffer: &mut Buffer, keys: &mut Keys) -> Result<&'t str, Fault> {
    buffer.clear();
    keys.clear();
    let text = core::str::from_utf8(bytes).map_err(|error| Fault::at(FaultKind::Utf8, error.valid_up_to()))?;
    let mut reader = Reader { text: bytes, at: 0, buffer, keys, source: text };
    match reader.document() {
        Ok(()) => Ok(text),
        Err(kind) => Err(Fault::at(kind, reader.at)),
    }
}

struct Reader<'t, 'b> {
    text: &'t [u8],
    source: &'t str,
    at: usize,
    buffer: &'b mut Buffer,
    keys: &'b mut Keys,
}

type Read<T> = Result<T, FaultKind>;

impl Reader<'_, '_> {
    fn document(&mut self) -> Read<()> {
        self.skip_space();
        self.value(0)?;
        self.skip_space();
        if self.peek().is_some() { Err(FaultKind::TrailingBytes) } else { Ok(()) }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    fn step(&mut self) {
        self.at = self.at.wrapping_add(1);
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.step();
        }
    }

    /// Takes `byte`, if it is next.
    #[inline]
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.step();
        }
        is_next
    }

    fn value(&mut self, depth: usize) -> Read<()> {
        let item = match self.peek().ok_or(FaultKind::End)? {
            b'"' => Item::String(self.string()?),
            b'{' => return self.map(depth),
            b'[' => return self.list(depth),
            b't' => self.word(b"true", Item::Bool(true))?,
            b'f' => self.word(b"false", Item::Bool(false))?,
            b'n' => self.word(b"null", Item::Null)?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => return Err(FaultKind::Syntax),
        };
        self.buffer.items.push(item);
        Ok(())
    }

    fn word(&mut self, word: &[u8], item: Item) -> Read<Item> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(FaultKind::Syntax);
        }
        self.at = self.at.wrapping_add(word.len());
        Ok(item)
    }

    fn map(&mut self, depth: usize) -> Read<()> {
        let start = self.open(depth)?;
        let first_key = self.keys.len();
        let mut count = 0_u32;
        while self.goes_on(count, b'}')? {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected());
            }
            let name = self.string()?;
            let hash = property_hash(self.buffer.tape(self.source).str(name).as_bytes());
            self.buffer.items.push(Item::Key { hash, name });
            self.keys.push((hash, name));
            self.skip_space();
            if !self.takes(b':') {
                return Err(self.unexpected());
            }
            self.skip_space();
            self.value(depth.wrapping_add(1))?;
            count = count.wrapping_add(1);
        }
        self.require_distinct(first_key)?;
        self.keys.truncate(first_key);
        let end = self.buffer.next();
        self.buffer.set(start, Item::Map { count, end });
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Read<()> {
        let start = self.open(depth)?;
        let mut count = 0_u32;
        while self.goes_on(count, b']')? {
            self.value(depth.wrapping_add(1))?;
            count = count.wrapping_add(1);
        }
        let end = self.buffer.next();
        self.buffer.set(start, Item::List { count, end });
        Ok(())
    }

    /// Takes the opening bracket and keeps a place for its item.
    fn open(&mut self, depth: usize) -> Read<u32> {
        if depth >= VALIDATED_DEPTH {
            return Err(FaultKind::TooDeep);
        }
        self.step();
        let start = self.buffer.next();
        self.buffer.items.push(Item::Null);
        Ok(start)
    }

    /// Takes what stands between `count` items and the next, or the closing bracket.
    #[inline]
    fn goes_on(&mut self, count: u32, bracket: u8) -> Read<bool> {
        self.skip_space();
        if self.takes(bracket) {
            return Ok(false);
        }
        if count > 0 {
            if !self.takes(b',') {
                return Err(self.unexpected());
            }
            self.skip_space();
        }
        Ok(true)
    }

    fn unexpected(&self) -> FaultKind {
        if self.peek().is_none() { FaultKind::End } else { FaultKind::Syntax }
    }

    /// Refuses two equal names among the keys from `first` on. Sorts many, so that it does not become quadratic.
    fn require_distinct(&mut self, first: usize) -> Read<()> {
        let tape = self.buffer.tape(self.source);
        let Some(keys) = self.keys.get_mut(first..) else { return Ok(()) };
        let is_same = |one: &(u32, Span), other: &(u32, Span)| one.0 == other.0 && tape.str(one.1) == tape.str(other.1);
        let twice = if keys.len() <= FEW_KEYS {
            let mut rest = &*keys;
            core::iter::from_fn(|| {
                let (key, others) = rest.split_first()?;
                rest = others;
                Some((key, others))
            })
            .any(|(key, others)| others.iter().any(|other| is_same(key, other)))
        } else {
            let text = |&(hash, name): &(u32, Span)| (hash, tape.str(name));
            sort_by(keys, |one, other| text(one) < text(other));
            keys.array_windows().any(|[one, other]| is_same(one, other))
        };
        if twice { Err(FaultKind::DuplicateKey) } else { Ok(()) }
    }

    /// A string; where it holds escapes, without them.
    #[inline]
    fn string(&mut self) -> Read<Span> {
        self.step();
        let start = self.at;
        self.skip_plain();
        if self.peek() == Some(b'"') {
            let bytes = self.at.wrapping_sub(start);
            self.step();
            return Ok(Span { start: start as u32, bytes: bytes as u32 });
        }
        self.escaped(start)
    }

    /// The rest of a string from an escape, or something illegal, on.
    #[cold]
    fn escaped(&mut self, mut start: usize) -> Read<Span> {
        let from = self.buffer.decoded.len();
        loop {
            self.buffer.decoded.push_str(self.source.get(start..self.at).unwrap_or_default());
            match self.peek() {
                None => return Err(FaultKind::End),
                Some(b'"') => break self.step(),
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(FaultKind::Control),
            }
            start = self.at;
            self.skip_plain();
        }
        Ok(self.buffer.decoded_from(from))
    }

    /// Goes to the next quote, backslash or control byte, eight bytes at a time.
    #[inline]
    fn skip_plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
        while let Some(chunk) = self.text.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*chunk);
            let quote = has_zero(word ^ (ONES.wrapping_mul(0x22)));
            let backslash = has_zero(word ^ (ONES.wrapping_mul(0x5C)));
            let control = word.wrapping_sub(ONES.wrapping_mul(0x20)) & !word & HIGH;
            let found = quote | backslash | control;
            if found != 0 {
                // Only bits above the first one may be wrong.
                self.at = self.at.wrapping_add((found.trailing_zeros() >> 3) as usize);
                return;
            }
            self.at = self.at.wrapping_add(8);
        }
        while let Some(byte) = self.peek()
            && !matches!(byte, b'"' | b'\\' | 0..0x20)
        {
            self.step();
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Read<()> {
        self.step();
        let byte = self.peek().ok_or(FaultKind::End)?;
        let character = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(FaultKind::Escape),
        };
        self.step();
        self.buffer.decoded.push(character);
        Ok(())
    }

    /// The character behind a backslash, of two escapes when it is beyond 16 bits (RFC 8259 section 7).
    fn unicode(&mut self) -> Read<()> {
        let first = self.unit()?;
        let character = match first {
            0xD800..0xDC00 => {
                if !self.takes(b'\\') || self.peek() != Some(b'u') {
                    return Err(FaultKind::LoneSurrogate);
                }
                let second = self.unit()?;
                let mut pair = char::decode_utf16([first, second]);
                pair.next().and_then(Result::ok).ok_or(FaultKind::LoneSurrogate)?
            }
            unit => char::from_u32(u32::from(unit)).ok_or(FaultKind::LoneSurrogate)?,
        };
        self.buffer.decoded.push(character);
        Ok(())
    }

    /// Takes `uXXXX`.
    fn unit(&mut self) -> Read<u16> {
        self.step();
        let digits = self.text.get(self.at..).and_then(|rest| rest.first_chunk::<4>()).ok_or(FaultKind::Escape)?;
        let mut unit = 0_u16;
        for &digit in digits {
            let value = char::from(digit).to_digit(16).ok_or(FaultKind::Escape)?;
            unit = unit << 4 | value as u16;
        }
        self.at = self.at.wrapping_add(4);
        Ok(unit)
    }

    /// RFC 8259 section 6.
    fn number(&mut self) -> Read<Item> {
        let start = self.at;
        let is_negative = self.takes(b'-');
        let mut value = 0_i64;
        let first = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit & 0x0F));
            self.step();
        }
        let digits = self.at.wrapping_sub(first);
        if digits == 0 || (digits > 1 && self.text.get(first) == Some(&b'0')) {
            return Err(FaultKind::Number);
        }
        if digits <= INT_DIGITS && !matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Ok(Item::Int(if is_negative { value.wrapping_neg() } else { value }));
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _sign = self.takes(b'+') || self.takes(b'-');
            let from = self.at;
            self.digits()?;
            let exponent = self
                .text
                .get(from..self.at)
                .unwrap_or_default()
                .iter()
                .fold(0_i64, |exponent, digit| exponent.saturating_mul(10).saturating_add(i64::from(digit & 0x0F)));
            if exponent > EXPONENT {
                return Err(FaultKind::NumberRange);
            }
        }
        Ok(Item::Number(Span { start: start as u32, bytes: self.at.wrapping_sub(start) as u32 }))
    }

    /// At least one digit.
    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.step();
        }
        if self.at == start { Err(FaultKind::Number) } else { Ok(()) }
    }
}
