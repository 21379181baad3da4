//! JSON -> tree, the fast way.
//!
//! In: a text. Out: its tree when it is a JSON object (RFC 8259); `None` when it is not or is refused. JSON is YAML, so
//! the YAML reader then says what is wrong and where, or reads the text after all.

use super::builder::{Builder, Scalar, Text};
use super::{Position, Tree};
use crate::json::{is_number, pair, unit};

pub(super) fn parse(text: &str) -> Option<Tree<'_>> {
    let builder = Builder::new(text);
    let mut reader = Reader { text, at: 0, line: 1, line_start: 0, continued: 0, builder, buffer: String::new() };
    if reader.token()? != b'{' {
        return None;
    }
    reader.value()?;
    match reader.token() {
        None => reader.builder.finish().ok(),
        Some(_) => None,
    }
}

struct Reader<'t> {
    text: &'t str,
    /// Bytes that were read.
    at: usize,
    line: u32,
    /// Where the line starts.
    line_start: usize,
    /// Bytes of the line so far that go on with a character.
    continued: usize,
    builder: Builder<'t>,
    buffer: String,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<()> {
        match self.token()? {
            b'{' => self.map(),
            b'[' => self.list(),
            b'"' => self.string(),
            _ => self.word(),
        }
    }

    fn map(&mut self) -> Option<()> {
        self.builder.begin_map(self.position()).ok()?;
        self.at += 1;
        if self.token()? != b'}' {
            loop {
                if self.token()? != b'"' {
                    return None;
                }
                self.string()?;
                if self.token()? != b':' {
                    return None;
                }
                self.at += 1;
                self.value()?;
                if self.token()? != b',' {
                    break;
                }
                self.at += 1;
            }
        }
        self.end(b'}')
    }

    fn list(&mut self) -> Option<()> {
        self.builder.begin_list(self.position()).ok()?;
        self.at += 1;
        if self.token()? != b']' {
            loop {
                self.value()?;
                if self.token()? != b',' {
                    break;
                }
                self.at += 1;
            }
        }
        self.end(b']')
    }

    fn end(&mut self, bracket: u8) -> Option<()> {
        if self.token()? != bracket {
            return None;
        }
        self.at += 1;
        self.builder.end();
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        let position = self.position();
        let start = self.at + 1;
        let mut end = start;
        let mut has_escapes = false;
        loop {
            match self.text.as_bytes().get(end)? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    end += 1;
                }
                0..0x20 => return None,
                0x80..0xC0 => self.continued += 1,
                _ => {}
            }
            end += 1;
        }
        self.at = end + 1;
        let text = if has_escapes {
            self.buffer.clear();
            unescape(self.text.get(start..end)?, &mut self.buffer)?;
            Text::Decoded(&self.buffer)
        } else {
            Text::Source { start, bytes: end - start }
        };
        self.builder.scalar(position, Scalar { text, plain: false, verbatim: !has_escapes }).ok()
    }

    /// A number, a boolean or null.
    fn word(&mut self) -> Option<()> {
        let position = self.position();
        let start = self.at;
        let bytes = self.text.as_bytes().get(start..)?;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let bytes = bytes.iter().take_while(|byte| is_part(byte)).count();
        self.at += bytes;
        let word = self.text.get(start..self.at)?;
        if !matches!(word, "true" | "false" | "null") && !is_number(word) {
            return None;
        }
        self.builder.scalar(position, Scalar { text: Text::Source { start, bytes }, plain: true, verbatim: true }).ok()
    }

    /// The first byte that is no space; `None` at the end.
    fn token(&mut self) -> Option<u8> {
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b' ' | b'\t' => {}
                // YAML 1.2.2 section 5.4.
                b'\r' if self.text.as_bytes().get(self.at + 1) == Some(&b'\n') => {}
                b'\n' | b'\r' => {
                    self.line = self.line.saturating_add(1);
                    (self.line_start, self.continued) = (self.at + 1, 0);
                }
                byte => return Some(byte),
            }
            self.at += 1;
        }
    }

    fn position(&self) -> Position {
        let column = self.at - self.line_start - self.continued + 1;
        Position { line: self.line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }
}

/// Writes the text that `escaped` stands for (RFC 8259 section 7).
fn unescape(escaped: &str, text: &mut String) -> Option<()> {
    let mut rest = escaped;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let (character, bytes) = match escape.as_bytes().get(1)? {
            b'u' => match pair(escape) {
                Some(character) => (character, "\\uXXXX\\uXXXX".len()),
                None => (char::from_u32(unit(escape)?.into())?, "\\uXXXX".len()),
            },
            byte => (unescaped(*byte)?, "\\n".len()),
        };
        text.push(character);
        rest = escape.get(bytes..)?;
    }
    text.push_str(rest);
    Some(())
}

/// The character that stands behind a backslash as `byte`.
fn unescaped(byte: u8) -> Option<char> {
    Some(match byte {
        b'"' | b'\\' | b'/' => char::from(byte),
        b'b' => '\u{8}',
        b'f' => '\u{C}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}
