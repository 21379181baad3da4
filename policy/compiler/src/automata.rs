//! Regular expressions -> serialized automata that the core runs in linear time.
//!
//! In: one or several patterns. Out: one sparse DFA, little-endian, that reports which of them match. Refused: what
//! is no pattern, and what would take more than `AUTOMATON_BYTES` or the work that goes with it.

mod table;

use core::fmt;
use std::collections::HashMap;
use std::rc::Rc;

use portcullis_bundle::Contents;
use portcullis_bundle::layout::Text;
use portcullis_bundle::limits::AUTOMATA_BYTES;
use regex_automata::MatchKind;
use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{self, Assertion, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetItem, Span};
use regex_syntax::hir::Hir;
use zerocopy::little_endian::U32;

pub(crate) use table::Table;

/// One automaton before it is made sparse, in bytes; building it may take four times as much.
pub(crate) const AUTOMATON_BYTES: usize = 2 << 20;

/// What patterns match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Bytes; `\w`, `\d`, `\s` and `(?i)` know ASCII only.
    Ascii,
    /// Characters; as `Ascii` for `\w`, `\d`, `\s` and `\b`, as in RE2.
    Unicode,
}

/// Why there is no automaton.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AutomatonError {
    /// What is wrong, in the words of the regex parser, and where in the pattern, in bytes.
    Syntax { message: String, offset: usize },
    /// The automaton would pass `AUTOMATON_BYTES`.
    TooLarge,
}

impl fmt::Display for AutomatonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message, .. } => write!(f, "not a regular expression: {message}"),
            Self::TooLarge => {
                write!(f, "regular expression is too large: its automaton passes the limit of {AUTOMATON_BYTES} bytes")
            }
        }
    }
}

/// The serialized automaton of `patterns`, for unanchored searches; an overlapping one reports every pattern that matches.
pub(crate) fn build(patterns: &[&str], alphabet: Alphabet) -> Result<Vec<u8>, AutomatonError> {
    let patterns = patterns.iter().map(|pattern| plain(pattern, alphabet)).collect::<Result<Vec<_>, _>>()?;
    serialize(&dense(&patterns, alphabet)?)
}

/// What asks only whether one pattern of characters matches: its serialized automaton, and as a table when that is small.
pub(crate) fn build_one(pattern: &str) -> Result<(Vec<u8>, Option<Table>), AutomatonError> {
    let plain = plain(pattern, Alphabet::Unicode)?;
    let has_words = plain.tree.properties().look_set().contains_word();
    let dense = dense(&[plain], Alphabet::Unicode)?;
    // An empty match between the bytes of a character is none. Only `\B` finds such places.
    let table = if has_words { None } else { Table::new(&dense) };
    Ok((serialize(&dense)?, table))
}

fn dense(patterns: &[Plain], alphabet: Alphabet) -> Result<dense::DFA<Vec<u32>>, AutomatonError> {
    let patterns: Vec<&str> = patterns.iter().map(|pattern| pattern.text.as_str()).collect();
    let is_unicode = alphabet == Alphabet::Unicode;
    let dense = dense::Builder::new()
        .syntax(syntax::Config::new().unicode(is_unicode).utf8(is_unicode))
        .thompson(thompson::Config::new().utf8(is_unicode).nfa_size_limit(Some(AUTOMATON_BYTES)))
        .configure(
            dense::Config::new()
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Unanchored)
                .dfa_size_limit(Some(AUTOMATON_BYTES))
                .determinize_size_limit(Some(4 * AUTOMATON_BYTES)),
        )
        .build_many(&patterns);
    // Syntax was checked before; what is left are sizes.
    dense.map_err(|_| AutomatonError::TooLarge)
}

fn serialize(dense: &dense::DFA<Vec<u32>>) -> Result<Vec<u8>, AutomatonError> {
    let sparse = dense.to_sparse().map_err(|_| AutomatonError::TooLarge)?;
    Ok(sparse.to_bytes_little_endian())
}

/// Appends an automaton to the bundle; `None` when all of them together would pass `AUTOMATA_BYTES`.
pub(crate) fn append(contents: &mut Contents, serialized: &[u8]) -> Option<u32> {
    let total: usize = contents.automata.iter().map(|range| range.bytes.get() as usize).sum();
    if total + serialized.len() > AUTOMATA_BYTES {
        return None;
    }
    let offset = U32::new(u32::try_from(contents.blobs.len()).ok()?);
    contents.blobs.extend_from_slice(serialized);
    contents.automata.push(Text { offset, bytes: U32::new(serialized.len() as u32) });
    Some(contents.automata.len() as u32 - 1)
}

/// Automata of which equal ones are written once.
#[derive(Default)]
pub(crate) struct Automata(HashMap<Rc<[u8]>, u32>);

impl Automata {
    /// As `append`.
    pub(crate) fn append(&mut self, contents: &mut Contents, serialized: &Rc<[u8]>) -> Option<u32> {
        let Self(numbers) = self;
        if let Some(number) = numbers.get(serialized) {
            return Some(*number);
        }
        let number = append(contents, serialized)?;
        numbers.insert(Rc::clone(serialized), number);
        Some(number)
    }
}

/// Whether `pattern` is a regular expression.
pub(crate) fn check(pattern: &str, alphabet: Alphabet) -> Result<(), AutomatonError> {
    plain(pattern, alphabet).map(drop)
}

/// A pattern with its ASCII classes spelled out.
struct Plain {
    text: String,
    tree: Hir,
}

/// An error when the pattern is none.
fn plain(pattern: &str, alphabet: Alphabet) -> Result<Plain, AutomatonError> {
    let syntax = |message: String, span: &Span| AutomatonError::Syntax { message, offset: span.start.offset };
    let tree = Parser::new().parse(pattern).map_err(|error| syntax(error.kind().to_string(), error.span()))?;
    let Ok(found) = ast::visit(&tree, AsciiClasses::default());
    let mut plain = pattern.to_owned();
    if alphabet == Alphabet::Unicode {
        for (range, ascii) in found.into_iter().rev() {
            plain.replace_range(range, ascii);
        }
    }
    let is_unicode = alphabet == Alphabet::Unicode;
    let mut parser = regex_syntax::ParserBuilder::new().unicode(is_unicode).utf8(is_unicode).build();
    let tree = parser.parse(&plain).map_err(|error| match &error {
        regex_syntax::Error::Translate(error) => syntax(error.kind().to_string(), error.span()),
        error => AutomatonError::Syntax { message: error.to_string(), offset: 0 },
    })?;
    Ok(Plain { text: plain, tree })
}

/// The places of a pattern that mean ASCII in RE2 and all of Unicode in the regex parser, with what says ASCII.
#[derive(Default)]
struct AsciiClasses(Vec<(core::ops::Range<usize>, &'static str)>);

impl AsciiClasses {
    fn class(&mut self, class: &ClassPerl) {
        let ascii = match (&class.kind, class.negated) {
            (ClassPerlKind::Digit, false) => "[0-9]",
            (ClassPerlKind::Digit, true) => "[^0-9]",
            (ClassPerlKind::Space, false) => r"[\t\n\f\r ]",
            (ClassPerlKind::Space, true) => r"[^\t\n\f\r ]",
            (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
            (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
        };
        self.0.push((class.span.start.offset..class.span.end.offset, ascii));
    }
}

impl ast::Visitor for AsciiClasses {
    type Output = Vec<(core::ops::Range<usize>, &'static str)>;
    type Err = core::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, tree: &Ast) -> Result<(), Self::Err> {
        match tree {
            Ast::ClassPerl(class) => self.class(class),
            Ast::Assertion(assertion) => {
                let Assertion { span, kind } = &**assertion;
                let ascii = match kind {
                    AssertionKind::WordBoundary => r"(?-u:\b)",
                    AssertionKind::NotWordBoundary => r"(?-u:\B)",
                    _ => return Ok(()),
                };
                self.0.push((span.start.offset..span.end.offset, ascii));
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        if let ClassSetItem::Perl(class) = item {
            self.class(class);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
