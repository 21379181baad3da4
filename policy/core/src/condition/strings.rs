//! Texts: where their bytes are, their size, what they hold.

use portcullis_bundle::bytecode::Op;
use portcullis_bundle::layout;
use regex_automata::Input;
use regex_automata::dfa::Automaton;

use super::Fault;
use super::machine::Machine;
use super::value::{Source, Text, Value};
use crate::properties::Span;

impl<'a> Machine<'a> {
    pub(super) fn bytes(&self, text: Text) -> Result<&[u8], Fault> {
        let found = match text.source {
            Source::Memory => {
                let start = text.start as usize;
                let end = start.saturating_add(text.bytes as usize);
                self.scratch.memory.bytes.get(start..end)
            }
            _ => self.elsewhere(text),
        };
        found.ok_or(Fault::Error)
    }

    /// The bytes of a text that was not computed.
    pub(super) fn elsewhere(&self, text: Text) -> Option<&'a [u8]> {
        let place = layout::Text { offset: text.start.into(), bytes: text.bytes.into() };
        match text.source {
            Source::Strings => self.policy.text(place),
            Source::Blobs => self.policy.blob(place),
            Source::Fact(fact) => self.facts.text(fact).map(str::as_bytes),
            Source::Name(fact) => self.facts.names(fact).get(text.start as usize).map(str::as_bytes),
            Source::Tape(of) => self.facts.tape(of)?.text(Span { start: text.start, bytes: text.bytes }),
            Source::Memory => None,
        }
    }

    pub(super) fn str(&self, text: Text) -> Result<&str, Fault> {
        core::str::from_utf8(self.bytes(text)?).map_err(|_| Fault::Error)
    }

    /// Characters of a string, bytes of bytes, elements of a list or map.
    pub(super) fn size(&mut self, value: Value) -> Result<Value, Fault> {
        let size = match value {
            Value::String(text) => {
                self.charge_bytes(text.bytes as usize)?;
                let is_first_byte = |byte: &&u8| **byte & 0xC0 != 0x80;
                self.bytes(text)?.iter().filter(is_first_byte).count()
            }
            Value::Bytes(text) => text.bytes as usize,
            _ => self.count(value).ok_or(Fault::Error)? as usize,
        };
        Ok(Value::Int(size as i64))
    }

    /// `startsWith`, `endsWith` and `contains`.
    pub(super) fn search(&mut self, op: Op, text: Value, part: Value) -> Result<Value, Fault> {
        let (Value::String(text), Value::String(part)) = (text, part) else { return Err(Fault::Error) };
        self.charge_bytes(text.bytes as usize)?;
        let found = match op {
            Op::StartsWith => self.bytes(text)?.starts_with(self.bytes(part)?),
            Op::EndsWith => self.bytes(text)?.ends_with(self.bytes(part)?),
            _ => self.str(text)?.contains(self.str(part)?),
        };
        Ok(Value::Bool(found))
    }

    pub(super) fn matches(&mut self, text: Value, automaton: u32) -> Result<Value, Fault> {
        let Value::String(text) = text else { return Err(Fault::Error) };
        self.charge_bytes(text.bytes as usize)?;
        let automaton = self.policy.automaton(automaton).ok_or(Fault::Error)?;
        let input = Input::new(self.bytes(text)?).earliest(true);
        let found = automaton.try_search_fwd(&input).map_err(|_| Fault::Error)?;
        Ok(Value::Bool(found.is_some()))
    }
}
