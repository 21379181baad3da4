//! Reads JSON (RFC 8259) into a tree that borrows from the text.
//!
//! In: bytes of the configuration, of a token, of an answer of the server. Out: the tree, or where it stops being JSON.
//! Never: a key twice in one object, a floating-point number (numbers stay text), nesting past `MAX_DEPTH`, an object with
//! more than `MAX_KEYS` keys.

mod write;

use std::borrow::Cow;

pub(crate) use write::{Writer, push_text};

const MAX_DEPTH: u8 = 32;
/// Of one object.
const MAX_KEYS: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON at byte {at}")]
pub struct JsonError {
    pub at: usize,
}

/// A value and its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Json<'a> {
    pub(crate) raw: &'a str,
    pub(crate) value: Value<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Flag(bool),
    /// As it is written.
    Number,
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<Entry<'a>>),
}

pub(crate) type Entry<'a> = (Cow<'a, str>, Json<'a>);

impl<'a> Json<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, JsonError> {
        let text = core::str::from_utf8(bytes).map_err(|error| JsonError { at: error.valid_up_to() })?;
        let mut reader = Reader { text, at: 0 };
        let json = reader.value(MAX_DEPTH);
        reader.skip_space();
        match json {
            Some(json) if reader.at == text.len() => Ok(json),
            _ => Err(JsonError { at: reader.at }),
        }
    }

    /// The entry of an object; `None` too when this is no object.
    pub(crate) fn get(&self, key: &str) -> Option<&Json<'a>> {
        let Value::Object(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Json<'a>]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match self.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// A number that is written as an integer and is not negative.
    pub(crate) fn integer(&self) -> Option<u64> {
        let is_integer = self.value == Value::Number && self.raw.bytes().all(|byte| byte.is_ascii_digit());
        if is_integer { self.raw.parse().ok() } else { None }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    /// Whether the next byte was that one; if so it is taken.
    fn take(&mut self, expected: u8) -> bool {
        let is_there = self.peek() == Some(expected);
        if is_there {
            self.at = self.at.saturating_add(1);
        }
        is_there
    }

    fn take_while(&mut self, is_wanted: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek().is_some_and(&is_wanted) {
            self.at = self.at.saturating_add(1);
        }
        self.at.saturating_sub(start)
    }

    fn skip_space(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn value(&mut self, depth: u8) -> Option<Json<'a>> {
        self.skip_space();
        let start = self.at;
        let value = match self.peek()? {
            b'{' => self.object(depth.checked_sub(1)?)?,
            b'[' => self.list(depth.checked_sub(1)?)?,
            b'"' => Value::Text(self.string()?),
            b't' => self.word("true", Value::Flag(true))?,
            b'f' => self.word("false", Value::Flag(false))?,
            b'n' => self.word("null", Value::Null)?,
            _ => self.number()?,
        };
        Some(Json { raw: self.text.get(start..self.at)?, value })
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at = self.at.saturating_add(word.len());
            value
        })
    }

    fn number(&mut self) -> Option<Value<'a>> {
        let digits = |byte: u8| byte.is_ascii_digit();
        self.take(b'-');
        if !self.take(b'0') && self.take_while(digits) == 0 {
            return None;
        }
        if self.take(b'.') && self.take_while(digits) == 0 {
            return None;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            if self.take_while(digits) == 0 {
                return None;
            }
        }
        Some(Value::Number)
    }

    fn list(&mut self, depth: u8) -> Option<Value<'a>> {
        let mut items = Vec::new();
        self.take(b'[');
        self.skip_space();
        if self.take(b']') {
            return Some(Value::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_space();
            match self.next()? {
                b',' => {}
                b']' => return Some(Value::List(items)),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: u8) -> Option<Value<'a>> {
        let mut entries = Vec::new();
        self.take(b'{');
        self.skip_space();
        if self.take(b'}') {
            return Some(Value::Object(entries));
        }
        loop {
            self.skip_space();
            let key = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return None;
            }
            entries.push((key, self.value(depth)?));
            self.skip_space();
            match self.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        has_distinct_keys(&entries).then_some(Value::Object(entries))
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.at;
        self.take_while(is_plain);
        let plain = self.text.get(start..self.at)?;
        if self.take(b'"') {
            return Some(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        loop {
            match self.next()? {
                b'"' => return Some(Cow::Owned(text)),
                b'\\' => text.push(self.escape()?),
                _ => return None,
            }
            let start = self.at;
            self.take_while(is_plain);
            text.push_str(self.text.get(start..self.at)?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return None,
        })
    }

    fn unicode(&mut self) -> Option<char> {
        let unit = self.hex()?;
        if !(0xD800..0xDC00).contains(&unit) {
            return char::from_u32(unit);
        }
        let low = if self.take(b'\\') && self.take(b'u') { self.hex()? } else { return None };
        let low = low.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
        let high = unit.checked_sub(0xD800)?;
        char::from_u32((high << 10 | low).checked_add(0x1_0000)?)
    }

    fn hex(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.next()?).to_digit(16)?;
        }
        Some(unit)
    }
}

/// Bytes of a string that stand for themselves.
fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

/// Every pair is compared: objects are small, and a sort would be kilobytes of code.
fn has_distinct_keys(entries: &[Entry<'_>]) -> bool {
    entries.len() <= MAX_KEYS
        && entries.iter().enumerate().all(|(index, (key, _))| entries.iter().take(index).all(|(other, _)| other != key))
}

#[cfg(test)]
mod tests {
    use super::{Json, JsonError, Value};

    #[test]
    fn reads_what_json_allows() {
        let text = r#" {"a": [1, -2.5e+3, true, false, null], "b\n\u00e9\ud83d\ude00\/": {"c": "x"}} "#;
        let json = Json::parse(text.as_bytes()).unwrap();
        let list = json.get("a").unwrap().list().unwrap();
        assert_eq!((list[0].integer(), list[1].integer(), list[1].raw), (Some(1), None, "-2.5e+3"));
        assert_eq!((list[2].flag(), list[3].flag(), &list[4].value), (Some(true), Some(false), &Value::Null));
        let inner = json.get("b\n\u{e9}\u{1f600}/").unwrap();
        assert_eq!((inner.get("c").unwrap().text(), inner.raw), (Some("x"), r#"{"c": "x"}"#));
    }

    #[test]
    fn an_integer_is_written_as_one() {
        let integer = |text: &str| Json::parse(text.as_bytes()).unwrap().integer();
        assert_eq!(integer("18446744073709551615"), Some(u64::MAX));
        for text in ["18446744073709551616", "-1", "1.0", "1e3", "\"1\"", "true", "[1]"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in [
            "",
            " ",
            "{",
            "[",
            "[1",
            "[1,]",
            "[,]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "tru",
            "nul",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "1 2",
            "{} x",
            "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"\\u0061\":2}",
            "NaN",
            "'a'",
        ] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(Json::parse(b"[\xff]"), Err(JsonError { at: 1 }));
    }

    #[test]
    fn nesting_and_keys_have_a_limit() {
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(Json::parse(nested(32).as_bytes()).is_ok());
        assert!(Json::parse(nested(33).as_bytes()).is_err());
        let keys = |count: usize| {
            ["{", &(0..count).map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(","), "}"].concat()
        };
        assert!(Json::parse(keys(256).as_bytes()).is_ok());
        assert!(Json::parse(keys(257).as_bytes()).is_err());
    }
}
