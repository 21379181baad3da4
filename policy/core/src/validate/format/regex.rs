//! Regular expressions of ECMA-262 (section 22.2.1, with the flag `u`): whether a text is one.
//!
//! In: a text. Out: yes or no. One pass; what a group name or a number refers to is looked up at the end.

pub(super) fn is_regex(text: &str) -> bool {
    let mut parser = Parser { rest: text, open: Vec::new(), groups: 0, names: Vec::new(), references: Vec::new() };
    parser.pattern().is_some() && parser.references_hold()
}

struct Parser<'t> {
    rest: &'t str,
    /// Groups that are open: whether a quantifier may follow.
    open: Vec<bool>,
    groups: u32,
    names: Vec<&'t str>,
    references: Vec<Reference<'t>>,
}

enum Reference<'t> {
    Number(u32),
    Name(&'t str),
}

/// A part of a class: one character, or several.
#[derive(PartialEq, PartialOrd)]
enum ClassPart {
    One(u32),
    Many,
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next()?;
        self.rest = characters.as_str();
        Some(next)
    }

    fn takes(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// `None` when the pattern is none.
    fn pattern(&mut self) -> Option<()> {
        let mut is_quantifiable = false;
        while let Some(next) = self.next() {
            is_quantifiable = match next {
                '^' | '$' | '|' => false,
                '(' => {
                    let closes_quantifiable = self.group()?;
                    self.open.push(closes_quantifiable);
                    false
                }
                ')' => self.open.pop()?,
                '[' => self.class().map(|()| true)?,
                '\\' => self.atom_escape()?,
                '*' | '+' | '?' => self.quantified(is_quantifiable)?,
                '{' => {
                    self.braces()?;
                    self.quantified(is_quantifiable)?
                }
                '}' | ']' => return None,
                _ => true,
            };
        }
        self.open.is_empty().then_some(())
    }

    /// Behind a quantifier; another one may not follow.
    fn quantified(&mut self, is_quantifiable: bool) -> Option<bool> {
        self.takes("?");
        is_quantifiable.then_some(false)
    }

    /// `n}`, `n,}` or `n,m}`.
    fn braces(&mut self) -> Option<()> {
        let least = self.number()?;
        if self.takes(",") && !self.rest.starts_with('}') {
            let most = self.number()?;
            (least <= most).then_some(())?;
        }
        self.takes("}").then_some(())
    }

    fn number(&mut self) -> Option<u64> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        let value =
            digits.bytes().fold(0_u64, |value, digit| value.saturating_mul(10).saturating_add(u64::from(digit & 0x0F)));
        (!digits.is_empty()).then_some(value)
    }

    /// Behind an opening bracket: whether the group, once closed, may be quantified.
    fn group(&mut self) -> Option<bool> {
        if !self.takes("?") {
            self.groups = self.groups.saturating_add(1);
            return Some(true);
        }
        if ["=", "!", "<=", "<!"].iter().any(|kind| self.takes(kind)) {
            return Some(false);
        }
        if self.takes("<") {
            let name = self.name()?;
            (!self.names.contains(&name)).then_some(())?;
            self.names.push(name);
            self.groups = self.groups.saturating_add(1);
            return Some(true);
        }
        let end = self.rest.find(':')?;
        let (modifiers, rest) = self.rest.split_at_checked(end)?;
        let (on, off) = modifiers.split_once('-').unwrap_or((modifiers, ""));
        let count = |flag: char| on.matches(flag).count().saturating_add(off.matches(flag).count());
        let are_flags = on.chars().chain(off.chars()).all(|flag| matches!(flag, 'i' | 'm' | 's') && count(flag) == 1);
        self.rest = rest.strip_prefix(':')?;
        (are_flags && modifiers != "-").then_some(true)
    }

    /// A name and its closing bracket.
    fn name(&mut self) -> Option<&'t str> {
        let (name, rest) = self.rest.split_once('>')?;
        self.rest = rest;
        let is_start = |first: char| first.is_alphabetic() || matches!(first, '_' | '$');
        let is_part = |part: char| part.is_alphanumeric() || matches!(part, '_' | '$' | '\u{200C}' | '\u{200D}');
        (name.starts_with(is_start) && name.chars().all(is_part)).then_some(name)
    }

    /// Behind a backslash outside a class: whether a quantifier may follow.
    fn atom_escape(&mut self) -> Option<bool> {
        match self.rest.chars().next()? {
            'b' | 'B' => self.next().map(|_| false),
            '1'..='9' => {
                let number = u32::try_from(self.number()?).ok()?;
                self.references.push(Reference::Number(number));
                Some(true)
            }
            'k' => {
                self.next();
                self.takes("<").then_some(())?;
                let name = self.name()?;
                self.references.push(Reference::Name(name));
                Some(true)
            }
            _ => self.escape().map(|_| true),
        }
    }

    /// What may stand behind a backslash in a class and outside.
    fn escape(&mut self) -> Option<ClassPart> {
        Some(match self.next()? {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => ClassPart::Many,
            'p' | 'P' => self.property().map(|()| ClassPart::Many)?,
            'f' => ClassPart::One(0x0C),
            'n' => ClassPart::One(0x0A),
            'r' => ClassPart::One(0x0D),
            't' => ClassPart::One(0x09),
            'v' => ClassPart::One(0x0B),
            '0' => (!self.rest.starts_with(|next: char| next.is_ascii_digit())).then_some(ClassPart::One(0))?,
            'c' => ClassPart::One(self.next().filter(char::is_ascii_alphabetic)? as u32 & 0x1F),
            'x' => ClassPart::One(self.hex(2)?),
            'u' => ClassPart::One(self.unicode()?),
            syntax if "^$\\.*+?()[]{}|/".contains(syntax) => ClassPart::One(syntax as u32),
            _ => return None,
        })
    }

    fn property(&mut self) -> Option<()> {
        let (property, rest) = self.rest.strip_prefix('{')?.split_once('}')?;
        self.rest = rest;
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let (name, value) = property.split_once('=').unwrap_or((property, "x"));
        (is_name(name) && is_name(value)).then_some(())
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let (hex, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
        u32::from_str_radix(hex, 16).ok()
    }

    fn unicode(&mut self) -> Option<u32> {
        if let Some(rest) = self.rest.strip_prefix('{') {
            let (hex, rest) = rest.split_once('}')?;
            self.rest = rest;
            let are_digits = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
            let value = hex.trim_start_matches('0');
            let value = if value.is_empty() { 0 } else { u32::from_str_radix(value, 16).ok()? };
            return (are_digits && value <= u32::from(char::MAX)).then_some(value);
        }
        let high = self.hex(4)?;
        let before = self.rest;
        if (0xD800..0xDC00).contains(&high) && self.takes("\\u") {
            if let Some(low @ 0xDC00..0xE000) = self.hex(4) {
                return Some(0x1_0000_u32.wrapping_add((high & 0x3FF) << 10).wrapping_add(low & 0x3FF));
            }
            self.rest = before;
        }
        Some(high)
    }

    /// Behind an opening square bracket.
    fn class(&mut self) -> Option<()> {
        self.takes("^");
        while !self.takes("]") {
            let first = self.class_part()?;
            if self.rest.starts_with("-]") || !self.takes("-") {
                continue;
            }
            let last = self.class_part()?;
            (first != ClassPart::Many && last != ClassPart::Many && first <= last).then_some(())?;
        }
        Some(())
    }

    fn class_part(&mut self) -> Option<ClassPart> {
        match self.next()? {
            '\\' if self.takes("b") => Some(ClassPart::One(0x08)),
            '\\' if self.takes("-") => Some(ClassPart::One(0x2D)),
            '\\' => self.escape(),
            character => Some(ClassPart::One(u32::from(character))),
        }
    }

    fn references_hold(&self) -> bool {
        self.references.iter().all(|reference| match reference {
            Reference::Number(number) => *number <= self.groups,
            Reference::Name(name) => self.names.contains(name),
        })
    }
}
