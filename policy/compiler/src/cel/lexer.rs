//! Text of a condition -> tokens with their places (CEL language definition, "Syntax").
//!
//! Literals come out as values: numbers parsed, escapes resolved.

use super::CelError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Int(i64),
    /// The magnitude of `i64::MIN`, which is a number only behind a minus sign.
    IntEnd,
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    /// Names, keywords and reserved words.
    Word(String),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

impl Token {
    /// For messages.
    pub(super) fn show(&self) -> String {
        match self {
            Self::End => "the end".to_owned(),
            Self::Word(word) => format!("`{word}`"),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::String(_) => "a string".to_owned(),
            Self::Bytes(_) => "bytes".to_owned(),
            Self::Int(_) | Self::IntEnd | Self::Uint(_) | Self::Double(_) => "a number".to_owned(),
        }
    }
}

/// Longer ones first.
const SIGNS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}",
    ",", ".",
];

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token and where it starts, in bytes.
    pub(super) fn next(&mut self) -> Result<(Token, usize), CelError> {
        self.skip_space();
        let at = self.at;
        let token = match self.rest().bytes().next() {
            None => Token::End,
            Some(b'0'..=b'9') => self.number()?,
            Some(b'.') if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number()?,
            Some(b'"' | b'\'') => self.string("")?,
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => self.word()?,
            Some(_) => self.sign()?,
        };
        Ok((token, at))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Takes the longest run of characters that `belongs` accepts.
    fn run(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// White space and comments.
    fn skip_space(&mut self) {
        loop {
            self.run(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0C'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.run(|c| c != '\n');
        }
    }

    fn sign(&mut self) -> Result<Token, CelError> {
        if let Some(sign) = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let found = self.rest().chars().next().unwrap_or_default();
        let hint = match found {
            '=' => "; equality is `==`",
            '&' => "; and is `&&`",
            '|' => "; or is `||`",
            _ => "",
        };
        Err(CelError::new(self.at, format!("`{found}` has no meaning here{hint}")))
    }

    fn word(&mut self) -> Result<Token, CelError> {
        let word = self.run(|c| c.is_ascii_alphanumeric() || c == '_');
        if matches!(self.rest().bytes().next(), Some(b'"' | b'\'')) {
            let prefix = word.to_ascii_lowercase();
            if matches!(&*prefix, "r" | "b" | "br" | "rb") {
                return self.string(&prefix);
            }
        }
        Ok(Token::Word(word.to_owned()))
    }

    fn number(&mut self) -> Result<Token, CelError> {
        let at = self.at;
        let out_of_range = || CelError::new(at, "number is out of range");
        if let Some("0x" | "0X") = self.rest().get(..2) {
            self.at += 2;
            let digits = self.run(|c| c.is_ascii_hexdigit());
            return self.integer(digits, 16, at);
        }
        let digit = |c: char| c.is_ascii_digit();
        let whole = self.run(digit);
        let mut is_integer = true;
        if self.rest().starts_with('.') && self.rest()[1..].starts_with(digit) {
            is_integer = false;
            self.at += 1;
            self.run(digit);
        }
        let exponent = self.rest().strip_prefix(['e', 'E']);
        if let Some(exponent) = exponent
            && exponent.strip_prefix(['+', '-']).unwrap_or(exponent).starts_with(digit)
        {
            is_integer = false;
            self.at += 1;
            self.run(|c| matches!(c, '+' | '-'));
            self.run(digit);
        }
        if is_integer {
            return self.integer(whole, 10, at);
        }
        let value: f64 = self.text[at..self.at].parse().map_err(|_| out_of_range())?;
        if value.is_finite() { Ok(Token::Double(value)) } else { Err(out_of_range()) }
    }

    fn integer(&mut self, digits: &str, radix: u32, at: usize) -> Result<Token, CelError> {
        let value = u64::from_str_radix(digits, radix).map_err(|_| CelError::new(at, "number is out of range"))?;
        if self.rest().starts_with(['u', 'U']) {
            self.at += 1;
            return Ok(Token::Uint(value));
        }
        match i64::try_from(value) {
            Ok(value) => Ok(Token::Int(value)),
            Err(_) if value == i64::MIN.unsigned_abs() => Ok(Token::IntEnd),
            Err(_) => Err(CelError::new(at, "number is out of range")),
        }
    }

    /// A string or bytes behind its prefix.
    fn string(&mut self, prefix: &str) -> Result<Token, CelError> {
        let start = self.at;
        let rest = self.rest();
        let quote = if rest.starts_with("\"\"\"") || rest.starts_with("'''") { &rest[..3] } else { &rest[..1] };
        self.at += quote.len();
        let (is_raw, is_bytes) = (prefix.contains('r'), prefix.contains('b'));
        let mut bytes = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(quote) {
                self.at += quote.len();
                break;
            }
            match rest.chars().next() {
                Some('\n' | '\r') | None if quote.len() == 1 || rest.is_empty() => {
                    return Err(CelError::new(start, format!("string has no closing {quote}")));
                }
                Some('\\') if !is_raw => self.escape(is_bytes, &mut bytes)?,
                // A line ends in a line feed, however the document ends its lines.
                Some('\r') => {
                    self.at += if rest.starts_with("\r\n") { 2 } else { 1 };
                    bytes.push(b'\n');
                }
                Some(character) => {
                    self.at += character.len_utf8();
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                None => {}
            }
        }
        if is_bytes {
            return Ok(Token::Bytes(bytes));
        }
        String::from_utf8(bytes).map(Token::String).map_err(|_| CelError::new(start, "string is not UTF-8"))
    }

    fn escape(&mut self, is_bytes: bool, bytes: &mut Vec<u8>) -> Result<(), CelError> {
        let at = self.at;
        let rest = &self.rest()[1..];
        let unknown = || {
            let shown: String = rest.chars().take(1).collect();
            CelError::new(at, format!("`\\{shown}` is not an escape"))
        };
        let kind = rest.bytes().next().ok_or_else(unknown)?;
        let (skip, digits, radix) = match kind {
            b'x' | b'X' => (1, 2, 16),
            b'u' if !is_bytes => (1, 4, 16),
            b'U' if !is_bytes => (1, 8, 16),
            b'0'..=b'3' => (0, 3, 8),
            _ => {
                let plain = b"abfnrtv\\'\"`?".iter().position(|&known| known == kind).ok_or_else(unknown)?;
                bytes.push(b"\x07\x08\x0C\n\r\t\x0B\\'\"`?"[plain]);
                self.at += 2;
                return Ok(());
            }
        };
        let code = rest.get(skip..skip + digits).filter(|code| code.chars().all(|c| c.is_digit(radix)));
        let code = code.and_then(|code| u32::from_str_radix(code, radix).ok()).ok_or_else(unknown)?;
        match (is_bytes, char::from_u32(code)) {
            (true, _) => bytes.push(code as u8),
            (false, Some(character)) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            (false, None) => return Err(CelError::new(at, "escape is not a character")),
        }
        self.at += 1 + skip + digits;
        Ok(())
    }
}
