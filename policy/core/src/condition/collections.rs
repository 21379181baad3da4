//! Lists and maps: literals, members, elements in order, membership.
//!
//! Roles, tapes and computed values look the same from outside. An element of a map is its key.

use portcullis_bundle::bytecode::{Fact, Kind, Op};
use portcullis_bundle::layout::Range;

use super::Fault;
use super::machine::Machine;
use super::value::{List, Map, Source, TapeOf, Text, Value};
use crate::properties::{Item, Span};

/// What is left of a list, or of the keys of a map.
#[derive(Clone, Copy)]
pub(super) struct Elements {
    from: From,
    next: u32,
    left: u32,
}

#[derive(Clone, Copy)]
enum From {
    Names(Fact),
    /// Values of a list, or keys of a map; the iteration skips what lies inside them.
    Tape(TapeOf),
    /// Every n-th value in memory.
    Memory(u32),
}

impl Elements {
    /// `None` for a value that is neither list nor map.
    pub(super) fn of(machine: &Machine<'_>, value: Value) -> Option<Self> {
        let (from, next) = match value {
            Value::List(List::Names(fact)) => (From::Names(fact), 0),
            Value::List(List::Tape(of, at)) | Value::Map(Map::Tape(of, at)) => (From::Tape(of), at.checked_add(1)?),
            Value::List(List::Memory { start, .. }) => (From::Memory(1), start),
            Value::Map(Map::Memory { start, .. }) => (From::Memory(2), start),
            _ => return None,
        };
        Some(Self { from, next, left: machine.count(value)? })
    }

    pub(super) fn next(&mut self, machine: &Machine<'_>) -> Result<Option<Value>, Fault> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let at = self.next;
        let (value, next) = match self.from {
            From::Names(fact) => {
                let name = machine.facts.names(fact).get(at as usize).ok_or(Fault::Error)?;
                let text = Text { source: Source::Name(fact), start: at, bytes: name.len() as u32 };
                (Value::String(text), at.saturating_add(1))
            }
            From::Tape(of) => {
                let tape = machine.facts.tape(of).ok_or(Fault::Error)?;
                let value = machine.tape_value(of, at).ok_or(Fault::Error)?;
                let is_key = matches!(tape.item(at), Some(Item::Key { .. }));
                let value_at = if is_key { at.saturating_add(1) } else { at };
                (value, tape.after(value_at))
            }
            From::Memory(stride) => (machine.memory_value(at)?, at.saturating_add(stride)),
        };
        self.next = next;
        Ok(Some(value))
    }
}

impl Machine<'_> {
    /// Elements of a list or map.
    pub(super) fn count(&self, value: Value) -> Option<u32> {
        match value {
            Value::List(List::Names(fact)) => Some(self.facts.names(fact).len() as u32),
            Value::List(List::Memory { count, .. }) | Value::Map(Map::Memory { count, .. }) => Some(count),
            Value::List(List::Tape(of, at)) | Value::Map(Map::Tape(of, at)) => match self.facts.tape(of)?.item(at)? {
                Item::List { count, .. } | Item::Map { count, .. } => Some(count),
                _ => None,
            },
            _ => None,
        }
    }

    fn memory_value(&self, at: u32) -> Result<Value, Fault> {
        self.scratch.memory.values.get(at as usize).copied().ok_or(Fault::Error)
    }

    /// The value or key at an item of a tape.
    fn tape_value(&self, of: TapeOf, at: u32) -> Option<Value> {
        let text = |span: Span| Text { source: Source::Tape(of), start: span.start, bytes: span.bytes };
        Some(match self.facts.tape(of)?.item(at)? {
            Item::Null => Value::Null,
            Item::Bool(value) => Value::Bool(value),
            Item::Int(value) => Value::Int(value),
            Item::Uint(value) => Value::Uint(value),
            Item::Double(value) => Value::Double(value),
            Item::String(span) | Item::Key { name: span, .. } => Value::String(text(span)),
            Item::List { .. } => Value::List(List::Tape(of, at)),
            Item::Map { .. } => Value::Map(Map::Tape(of, at)),
        })
    }

    // === literals ===

    pub(super) fn list(&mut self, operands: Range) -> Result<Value, Fault> {
        let base = self.scratch.memory.pending.len();
        self.evaluate_all(operands)?;
        self.scratch.memory.list_of_pending(base).map(Value::List)
    }

    pub(super) fn map(&mut self, operands: Range) -> Result<Value, Fault> {
        let base = self.scratch.memory.pending.len();
        self.evaluate_all(operands)?;
        let List::Memory { start, count } = self.scratch.memory.list_of_pending(base)? else {
            return Err(Fault::Error);
        };
        let map = Map::Memory { start, count: count >> 1 };
        self.require_keys(map)?;
        Ok(Value::Map(map))
    }

    fn evaluate_all(&mut self, operands: Range) -> Result<(), Fault> {
        let operands = self.policy.operands(operands).ok_or(Fault::Error)?;
        for operand in operands {
            let value = self.eval(operand.get())?;
            self.scratch.memory.pending.push(value);
        }
        Ok(())
    }

    /// Keys of a map literal are of a type that can be a key, and no two are equal.
    fn require_keys(&mut self, map: Map) -> Result<(), Fault> {
        let mut keys = Elements::of(self, Value::Map(map)).ok_or(Fault::Error)?;
        while let Some(key) = keys.next(self)? {
            if !matches!(key.kind(), Kind::Bool | Kind::Int | Kind::Uint | Kind::String) {
                return Err(Fault::Error);
            }
            let mut others = keys;
            self.charge_elements(others.left as usize)?;
            while let Some(other) = others.next(self)? {
                if self.equal(key, other)? {
                    return Err(Fault::Error);
                }
            }
        }
        Ok(())
    }

    // === members ===

    /// The value of `key`; `None` when the map has no such key.
    pub(super) fn member(&mut self, map: Value, key: Text) -> Result<Option<Value>, Fault> {
        match map {
            Value::Map(map) => self.value_of(map, Value::String(key)),
            _ => Err(Fault::Error),
        }
    }

    /// Whether the map that is operand `at` has `key`. A fact that is absent has no keys.
    pub(super) fn has(&mut self, at: u32, key: Text) -> Result<bool, Fault> {
        let instruction = self.policy.instruction(at).ok_or(Fault::Error)?;
        if Op::from_byte(instruction.op) == Some(Op::Fact) {
            let fact = Fact::from_byte(instruction.x).ok_or(Fault::Error)?;
            if self.fact(fact)?.is_none() {
                return Ok(false);
            }
        }
        let map = self.eval(at)?;
        Ok(self.member(map, key)?.is_some())
    }

    pub(super) fn value_of(&mut self, map: Map, key: Value) -> Result<Option<Value>, Fault> {
        self.charge_elements(self.count(Value::Map(map)).unwrap_or(0) as usize)?;
        match (map, key) {
            (Map::Tape(of, at), Value::String(key)) => {
                let tape = self.facts.tape(of).ok_or(Fault::Error)?;
                let found = tape.get(at, self.bytes(key)?);
                Ok(found.and_then(|at| self.tape_value(of, at)))
            }
            (Map::Tape(..), _) => Ok(None),
            (Map::Memory { .. }, _) => {
                let mut keys = Elements::of(self, Value::Map(map)).ok_or(Fault::Error)?;
                loop {
                    let value_at = keys.next.saturating_add(1);
                    let Some(candidate) = keys.next(self)? else { return Ok(None) };
                    if self.equal(candidate, key)? {
                        return self.memory_value(value_at).map(Some);
                    }
                }
            }
        }
    }

    pub(super) fn index(&mut self, value: Value, index: Value) -> Result<Value, Fault> {
        match value {
            Value::Map(map) => match index {
                Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::String(_) => {
                    self.value_of(map, index)?.ok_or(Fault::Error)
                }
                _ => Err(Fault::Error),
            },
            Value::List(list) => {
                let index = as_index(index).ok_or(Fault::Error)?;
                self.element(list, index)
            }
            _ => Err(Fault::Error),
        }
    }

    fn element(&mut self, list: List, index: u32) -> Result<Value, Fault> {
        let mut elements = Elements::of(self, Value::List(list)).ok_or(Fault::Error)?;
        if index >= elements.left {
            return Err(Fault::Error);
        }
        if let From::Tape(_) = elements.from {
            self.charge_elements(index as usize)?;
            for _ in 0..index {
                elements.next(self)?;
            }
        } else {
            elements.next = elements.next.saturating_add(index);
        }
        elements.next(self)?.ok_or(Fault::Error)
    }

    /// Whether `value` is an element of a list, or a key of a map.
    pub(super) fn is_in(&mut self, value: Value, container: Value) -> Result<Value, Fault> {
        if let Value::Map(map) = container {
            return Ok(Value::Bool(self.value_of(map, value)?.is_some()));
        }
        let mut elements = Elements::of(self, container).ok_or(Fault::Error)?;
        self.charge_elements(elements.left as usize)?;
        while let Some(element) = elements.next(self)? {
            if self.equal(value, element)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    /// Two lists, one after the other.
    pub(super) fn concatenate(&mut self, left: List, right: List) -> Result<Value, Fault> {
        let start = self.scratch.memory.values.len();
        for list in [left, right] {
            let mut elements = Elements::of(self, Value::List(list)).ok_or(Fault::Error)?;
            self.charge_elements(elements.left as usize)?;
            while let Some(element) = elements.next(self)? {
                self.scratch.memory.push(element)?;
            }
        }
        let count = self.scratch.memory.values.len().saturating_sub(start);
        Ok(Value::List(List::Memory { start: start as u32, count: count as u32 }))
    }
}

/// A position in a list: an integer, or a double that is one.
fn as_index(index: Value) -> Option<u32> {
    match index {
        Value::Int(index) => u32::try_from(index).ok(),
        Value::Uint(index) => u32::try_from(index).ok(),
        Value::Double(index) => {
            let whole = index as u32;
            (f64::from(whole) == index).then_some(whole)
        }
        _ => None,
    }
}
