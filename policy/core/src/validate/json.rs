//! The bytes of a JSON document (RFC 8259) -> a tape.
//!
//! In: bytes from anywhere. Out: the tape, or what is wrong and where. Refused beside what RFC 8259 refuses: duplicate
//! keys, lone surrogates, nesting deeper than `VALIDATED_DEPTH`, exponents over `EXPONENT`: what readers read
//! differently. Never allocates once its buffers have grown.

use portcullis_bundle::Key;
use portcullis_bundle::limits::{EXPONENT, VALIDATED_DEPTH};
use portcullis_bundle::schema::{hash_of, property_hash};

use super::fault::{Fault, FaultKind};
use super::tape::{Buffer, Item, Span};
use crate::sort::sort_by;

/// Objects with up to so many keys are searched for duplicates pair by pair.
const FEW_KEYS: usize = 16;
/// Digits that always fit 64 bits.
const INT_DIGITS: usize = 18;

/// The keys of one object, to find two equal ones.
pub(super) type Keys = Vec<(u32, Span)>;

/// Reads `bytes` into `buffer`; the answer is their text.
pub(super) fn read<'t>(bytes: &'t [u8], buffer: &mut Buffer, keys: &mut Keys) -> Result<&'t str, Fault> {
    buffer.clear();
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
    /// Where a fault is. Places in the document are handed from function to function, so that they stay in registers.
    at: usize,
    buffer: &'b mut Buffer,
    keys: &'b mut Keys,
}

type Read<T> = Result<T, FaultKind>;

impl Reader<'_, '_> {
    fn document(&mut self) -> Read<()> {
        let start = self.skip_space(0);
        let end = self.root(start)?;
        let end = self.skip_space(end);
        if self.byte(end).is_some() { Err(self.fault(end, FaultKind::TrailingBytes)) } else { Ok(()) }
    }

    /// `value` is where the time goes: a part of its callers, of which there are few.
    #[inline(never)]
    fn root(&mut self, at: usize) -> Read<usize> {
        self.value(at, 0)
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    #[inline]
    fn skip_space(&self, mut at: usize) -> usize {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte(at) {
            at = next(at);
        }
        at
    }

    #[cold]
    fn fault(&mut self, at: usize, kind: FaultKind) -> FaultKind {
        self.at = at;
        kind
    }

    #[cold]
    fn unexpected(&mut self, at: usize) -> FaultKind {
        let kind = if self.byte(at).is_none() { FaultKind::End } else { FaultKind::Syntax };
        self.fault(at, kind)
    }

    /// Reads the value at `at`; the answer, here as below, is the place behind it.
    #[inline(always)]
    fn value(&mut self, at: usize, depth: usize) -> Read<usize> {
        match self.byte(at) {
            Some(b'"') => {
                let (text, end) = self.string(next(at))?;
                self.buffer.items.push(Item::String(text));
                Ok(end)
            }
            Some(b'{') => self.map(at, depth),
            Some(b'[') => self.list(at, depth),
            Some(b'-' | b'0'..=b'9') => self.number(at),
            Some(b't') => self.word(at, b"true", Item::Bool(true)),
            Some(b'f') => self.word(at, b"false", Item::Bool(false)),
            Some(b'n') => self.word(at, b"null", Item::Null),
            _ => Err(self.unexpected(at)),
        }
    }

    #[inline(never)]
    fn word(&mut self, at: usize, word: &[u8], item: Item) -> Read<usize> {
        let rest = self.text.get(at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.fault(at, FaultKind::Syntax));
        }
        self.buffer.items.push(item);
        Ok(at.wrapping_add(word.len()))
    }

    /// Keeps a place for the item of a map or list; the answer is that place.
    #[inline]
    fn open(&mut self, at: usize, depth: usize) -> Read<u32> {
        if depth >= VALIDATED_DEPTH {
            return Err(self.fault(at, FaultKind::TooDeep));
        }
        let start = self.buffer.next();
        self.buffer.items.push(Item::Null);
        Ok(start)
    }

    #[inline(never)]
    fn map(&mut self, at: usize, depth: usize) -> Read<usize> {
        let start = self.open(at, depth)?;
        let (mut count, mut seen) = (0_u32, Seen::default());
        let mut at = self.skip_space(next(at));
        let mut goes_on = self.byte(at) != Some(b'}');
        while goes_on {
            if self.byte(at) != Some(b'"') {
                return Err(self.unexpected(at));
            }
            let (hash, name, end) = self.key(next(at))?;
            seen.add(hash);
            self.buffer.items.push(Item::Key { hash, name });
            at = self.skip_space(end);
            if self.byte(at) != Some(b':') {
                return Err(self.unexpected(at));
            }
            at = self.skip_space(next(at));
            at = self.value(at, next(depth))?;
            count = count.wrapping_add(1);
            (goes_on, at) = self.goes_on(at, b'}')?;
        }
        at = next(at);
        let end = self.buffer.next();
        self.buffer.set(start, Item::Map { count, end });
        if seen.twice && self.has_equal_keys(start) {
            return Err(self.fault(at, FaultKind::DuplicateKey));
        }
        Ok(at)
    }

    #[inline(never)]
    fn list(&mut self, at: usize, depth: usize) -> Read<usize> {
        let start = self.open(at, depth)?;
        let mut count = 0_u32;
        let mut at = self.skip_space(next(at));
        let mut goes_on = self.byte(at) != Some(b']');
        while goes_on {
            at = self.value(at, next(depth))?;
            count = count.wrapping_add(1);
            (goes_on, at) = self.goes_on(at, b']')?;
        }
        let end = self.buffer.next();
        self.buffer.set(start, Item::List { count, end });
        Ok(next(at))
    }

    /// Behind an item: whether there is another one, and where that, or the closing bracket, is.
    #[inline]
    fn goes_on(&mut self, at: usize, bracket: u8) -> Read<(bool, usize)> {
        let at = self.skip_space(at);
        match self.byte(at) {
            Some(b',') => Ok((true, self.skip_space(next(at)))),
            Some(byte) if byte == bracket => Ok((false, at)),
            _ => Err(self.unexpected(at)),
        }
    }

    /// Whether two keys of a map that was read have equal names. Sorts many, so that it does not become quadratic.
    #[cold]
    fn has_equal_keys(&mut self, map: u32) -> bool {
        let tape = self.buffer.tape(self.source);
        self.keys.clear();
        self.keys.extend(tape.map(map).map(|member| (member.hash, member.name)));
        let is_same = |one: &(u32, Span), other: &(u32, Span)| one.0 == other.0 && tape.str(one.1) == tape.str(other.1);
        if self.keys.len() <= FEW_KEYS {
            let mut rest = self.keys.as_slice();
            return core::iter::from_fn(|| {
                let (key, others) = rest.split_first()?;
                rest = others;
                Some((key, others))
            })
            .any(|(key, others)| others.iter().any(|other| is_same(key, other)));
        }
        let text = |&(hash, name): &(u32, Span)| (hash, tape.str(name));
        sort_by(self.keys, |one, other| text(one) < text(other));
        self.keys.array_windows().any(|[one, other]| is_same(one, other))
    }

    /// A name from behind its quote on, its hash, and the place behind it. A short one is read and hashed at once.
    #[inline]
    fn key(&mut self, at: usize) -> Read<(u32, Span, usize)> {
        if let Some(chunk) = self.text.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
            let chunk = u128::from_le_bytes(*chunk);
            let words = [chunk as u64, (chunk >> u64::BITS) as u64];
            let [first, second] = words.map(special);
            let bytes = if first != 0 { place_of(first) } else { place_of(second).wrapping_add(8) };
            let end = at.wrapping_add(bytes);
            if bytes < 16 && self.byte(end) == Some(b'"') {
                let name = || self.text.get(at..end).unwrap_or_default();
                let hash = hash_of(Key::from_words(words, bytes, name));
                return Ok((hash, Span { start: at as u32, bytes: bytes as u32 }, next(end)));
            }
        }
        let (name, end) = self.string(at)?;
        let hash = property_hash(self.buffer.tape(self.source).bytes(name));
        Ok((hash, name, end))
    }

    /// A string from behind its quote on, and the place behind it; where it holds escapes, without them.
    #[inline]
    fn string(&mut self, start: usize) -> Read<(Span, usize)> {
        let end = self.skip_plain(start);
        if self.byte(end) == Some(b'"') {
            let bytes = end.wrapping_sub(start);
            return Ok((Span { start: start as u32, bytes: bytes as u32 }, next(end)));
        }
        self.at = end;
        let text = self.escaped(start)?;
        Ok((text, self.at))
    }

    /// The rest of a string from an escape, or something illegal, on; from here to the end of the string, `at` is the
    /// place in the document.
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
            self.at = self.skip_plain(start);
        }
        Ok(self.buffer.decoded_from(from))
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn step(&mut self) {
        self.at = next(self.at);
    }

    /// Takes `byte`, if it is next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.step();
        }
        is_next
    }

    /// The place of the next quote, backslash or control byte, or of the end, eight bytes at a time.
    #[inline]
    fn skip_plain(&self, mut at: usize) -> usize {
        while let Some(chunk) = self.text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let found = special(u64::from_le_bytes(*chunk));
            if found != 0 {
                return at.wrapping_add(place_of(found));
            }
            at = at.wrapping_add(8);
        }
        while let Some(byte) = self.byte(at)
            && !matches!(byte, b'"' | b'\\' | 0..0x20)
        {
            at = next(at);
        }
        at
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
    #[inline]
    fn number(&mut self, start: usize) -> Read<usize> {
        let is_negative = self.byte(start) == Some(b'-');
        let first = if is_negative { next(start) } else { start };
        let (mut at, mut value) = (first, 0_i64);
        while let Some(digit @ b'0'..=b'9') = self.byte(at) {
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit & 0x0F));
            at = next(at);
        }
        let digits = at.wrapping_sub(first);
        if digits == 0 || (digits > 1 && self.byte(first) == Some(b'0')) {
            return Err(self.fault(at, FaultKind::Number));
        }
        if digits <= INT_DIGITS && !matches!(self.byte(at), Some(b'.' | b'e' | b'E')) {
            self.buffer.items.push(Item::Int(if is_negative { value.wrapping_neg() } else { value }));
            return Ok(at);
        }
        if self.byte(at) == Some(b'.') {
            at = self.digits(next(at))?;
        }
        if let Some(b'e' | b'E') = self.byte(at) {
            at = self.exponent(next(at))?;
        }
        let bytes = at.wrapping_sub(start) as u32;
        self.buffer.items.push(Item::Number(Span { start: start as u32, bytes }));
        Ok(at)
    }

    fn exponent(&mut self, at: usize) -> Read<usize> {
        let first = if let Some(b'+' | b'-') = self.byte(at) { next(at) } else { at };
        let end = self.digits(first)?;
        let digits = self.text.get(first..end).unwrap_or_default().iter();
        let add = |exponent: i64, digit: &u8| exponent.saturating_mul(10).saturating_add(i64::from(digit & 0x0F));
        match digits.fold(0, add) > EXPONENT {
            true => Err(self.fault(end, FaultKind::NumberRange)),
            false => Ok(end),
        }
    }

    /// At least one digit.
    #[inline]
    fn digits(&mut self, start: usize) -> Read<usize> {
        let mut at = start;
        while self.byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
            at = next(at);
        }
        if at == start { Err(self.fault(at, FaultKind::Number)) } else { Ok(at) }
    }
}

#[inline]
fn next(at: usize) -> usize {
    at.wrapping_add(1)
}

/// The high bit of each byte that is a quote, a backslash or a control byte. Bits above the first one may be wrong.
#[inline]
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The high bit of a byte that is below another one, in a word without high bits.
    let below = |word: u64, least: u64| word.wrapping_sub(ONES.wrapping_mul(least));
    let quote = below(word ^ ONES.wrapping_mul(0x22), 1) & !(word ^ ONES.wrapping_mul(0x22));
    let backslash = below(word ^ ONES.wrapping_mul(0x5C), 1) & !(word ^ ONES.wrapping_mul(0x5C));
    let control = below(word, 0x20) & !word;
    (quote | backslash | control) & HIGH
}

/// The number of the byte that `special` found; 8 when it found none.
#[inline]
fn place_of(found: u64) -> usize {
    (found.trailing_zeros() >> 3) as usize
}

/// Whether two keys of an object may be equal: two bits of each hash, each in its own word.
#[derive(Default)]
struct Seen {
    words: [u64; 2],
    twice: bool,
}

impl Seen {
    #[inline]
    fn add(&mut self, hash: u32) {
        let [one, other] = &mut self.words;
        let bits = [1_u64.wrapping_shl(hash), 1_u64.wrapping_shl(hash >> 8)];
        let [first, second] = bits;
        self.twice |= *one & first != 0 && *other & second != 0;
        *one |= first;
        *other |= second;
    }
}
