//! Values that are equal by value: numbers however they are written, objects in any order.
//!
//! In: values of a tape, and literals of a policy. Every value looked at is a step, so that it ends in time.

use portcullis_bundle::Policy;
use portcullis_bundle::schema::LiteralKind;

use super::decimal::{Decimal, mix};
use super::machine::{Checked, Machine, Stop};
use super::number::Number;
use super::tape::{Item, Tape};
use crate::sort::sort;

/// Items that are compared each with each.
const FEW_ITEMS: u32 = 4;

/// Where values lie one behind the other.
pub(super) trait Values {
    fn value(&self, at: u32) -> Option<Value<'_>>;

    /// The member whose key is at this place.
    fn member(&self, at: u32) -> Option<(u32, &str)>;

    /// The place behind the value at this place.
    fn after(&self, at: u32) -> u32;
}

pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    String(&'a str),
    List { count: u32, end: u32 },
    Map { count: u32, end: u32 },
}

/// The literals of a policy.
pub(super) struct Literals<'a>(pub(super) &'a Policy);

impl Values for Tape<'_> {
    #[inline]
    fn value(&self, at: u32) -> Option<Value<'_>> {
        Some(match self.item(at)? {
            Item::Null => Value::Null,
            Item::Bool(value) => Value::Bool(value),
            Item::Int(value) => Value::Number(Number::Int(value)),
            Item::Number(span) => Value::Number(Number::Text(self.str(span))),
            Item::String(span) | Item::Key { name: span, .. } => Value::String(self.str(span)),
            Item::List { count, end } => Value::List { count, end },
            Item::Map { count, end } => Value::Map { count, end },
        })
    }

    fn member(&self, at: u32) -> Option<(u32, &str)> {
        match self.item(at)? {
            Item::Key { hash, name } => Some((hash, self.str(name))),
            _ => None,
        }
    }

    fn after(&self, at: u32) -> u32 {
        Self::after(self, at)
    }
}

impl Values for Literals<'_> {
    fn value(&self, at: u32) -> Option<Value<'_>> {
        let Self(policy) = self;
        let literal = policy.literal(at)?;
        let text = || policy.str(literal.text());
        let (count, end) = (literal.a.get(), literal.b.get());
        Some(match LiteralKind::from_byte(literal.kind)? {
            LiteralKind::Null => Value::Null,
            LiteralKind::False => Value::Bool(false),
            LiteralKind::True => Value::Bool(true),
            LiteralKind::Number => Value::Number(Number::Text(text()?)),
            LiteralKind::String | LiteralKind::Key => Value::String(text()?),
            LiteralKind::List => Value::List { count, end },
            LiteralKind::Map => Value::Map { count, end },
        })
    }

    fn member(&self, at: u32) -> Option<(u32, &str)> {
        let Self(policy) = self;
        let key = policy.literal(at)?;
        Some((key.hash.get(), policy.str(key.text())?))
    }

    fn after(&self, at: u32) -> u32 {
        let Self(policy) = self;
        match policy.literal(at) {
            Some(literal) if literal.kind >= LiteralKind::List as u8 => literal.b.get(),
            _ => at.saturating_add(1),
        }
    }
}

impl Machine<'_> {
    /// Whether the value at `at` equals the value at `to` of `others`.
    pub(super) fn is_equal(&mut self, at: u32, others: &impl Values, to: u32) -> Checked {
        self.charge(1)?;
        let tape = self.tape();
        let (Some(one), Some(other)) = (tape.value(at), others.value(to)) else { return Err(Stop::Policy) };
        Ok(match (one, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(one), Value::Bool(other)) => one == other,
            (Value::Number(one), Value::Number(other)) => one.compare(&other).is_eq(),
            (Value::String(one), Value::String(other)) => one == other,
            (Value::List { count: one, end }, Value::List { count: other, .. }) => {
                one == other && self.are_lists_equal((at, end), others, to)?
            }
            (Value::Map { count: one, end }, Value::Map { count: other, end: others_end }) => {
                one == other && self.are_maps_equal((at, end), others, (to, others_end))?
            }
            _ => false,
        })
    }

    fn are_lists_equal(&mut self, (at, end): (u32, u32), others: &impl Values, to: u32) -> Checked {
        let tape = self.tape();
        let (mut at, mut to) = (at.saturating_add(1), to.saturating_add(1));
        while at < end {
            if !self.is_equal(at, others, to)? {
                return Ok(false);
            }
            (at, to) = (tape.after(at), others.after(to));
        }
        Ok(true)
    }

    fn are_maps_equal(&mut self, (at, end): (u32, u32), others: &impl Values, (to, others_end): (u32, u32)) -> Checked {
        let tape = self.tape();
        let (mut key, first) = (at.saturating_add(1), to.saturating_add(1));
        // Most equal maps have the same order, so the search goes on where the last one ended.
        let mut next = first;
        while key < end {
            let Some(member) = tape.member(key) else { return Err(Stop::Policy) };
            let found = match self.find(others, member, next, others_end)? {
                None => self.find(others, member, first, next)?,
                found => found,
            };
            let Some(found) = found else { return Ok(false) };
            let (value, other) = (key.saturating_add(1), found.saturating_add(1));
            if !self.is_equal(value, others, other)? {
                return Ok(false);
            }
            (key, next) = (tape.after(value), others.after(other));
        }
        Ok(true)
    }

    /// The place of a key from `at` up to `end`.
    fn find(&mut self, others: &impl Values, member: (u32, &str), mut at: u32, end: u32) -> Result<Option<u32>, Stop> {
        while at < end {
            self.charge(1)?;
            if others.member(at) == Some(member) {
                return Ok(Some(at));
            }
            at = others.after(at.saturating_add(1));
        }
        Ok(None)
    }

    /// Two equal items of the list at `at`, by their numbers: the later one, and the one it equals.
    pub(super) fn equal_items(&mut self, at: u32, count: u32) -> Result<Option<(u32, u32)>, Stop> {
        let tape = self.tape();
        if count <= FEW_ITEMS {
            return self.equal_items_of_few(at);
        }
        let mut hashes = core::mem::take(&mut self.buffers.hashes);
        hashes.clear();
        for (item, number) in tape.list(at).zip(0..) {
            hashes.push((self.hash(item)?, number, item));
        }
        sort(&mut hashes);
        let pair = self.equal_pair(&hashes);
        self.buffers.hashes = hashes;
        pair
    }

    /// Each with each.
    fn equal_items_of_few(&mut self, at: u32) -> Result<Option<(u32, u32)>, Stop> {
        let tape = self.tape();
        for (item, second) in tape.list(at).zip(0..) {
            for (earlier, first) in tape.list(at).zip(0..second) {
                if self.is_equal(item, &tape, earlier)? {
                    return Ok(Some((second, first)));
                }
            }
        }
        Ok(None)
    }

    fn equal_pair(&mut self, hashes: &[(u64, u32, u32)]) -> Result<Option<(u32, u32)>, Stop> {
        let tape = self.tape();
        let mut pair: Option<(u32, u32)> = None;
        for same in hashes.chunk_by(|one, other| one.0 == other.0) {
            for (at, (_, second, item)) in same.iter().enumerate() {
                for (_, first, earlier) in same.get(..at).unwrap_or_default() {
                    if pair.is_some_and(|(found, _)| found <= *second) {
                        break;
                    }
                    if self.is_equal(*item, &tape, *earlier)? {
                        pair = Some((*second, *first));
                    }
                }
            }
        }
        Ok(pair)
    }

    /// Equal for equal values.
    fn hash(&mut self, at: u32) -> Result<u64, Stop> {
        self.charge(1)?;
        let tape = self.tape();
        let value = tape.value(at).ok_or(Stop::Policy)?;
        Ok(match value {
            Value::Null => 1,
            Value::Bool(value) => 2_u64.wrapping_add(u64::from(value)),
            Value::Number(number) => mix(number.decimal(|decimal: &Decimal<'_>| decimal.hash())),
            Value::String(text) => {
                self.charge_bytes(text.len())?;
                hash_text(text).wrapping_add(5)
            }
            Value::List { .. } => {
                let mut hash = 7;
                for item in tape.list(at) {
                    hash = mix(hash ^ self.hash(item)?);
                }
                hash
            }
            Value::Map { .. } => {
                // A sum, so that the order does not matter.
                let mut hash = 11_u64;
                for member in tape.map(at) {
                    let value = self.hash(member.value)?;
                    hash = hash.wrapping_add(mix(hash_text(tape.str(member.name)) ^ value.rotate_left(17)));
                }
                hash
            }
        })
    }
}

fn hash_text(text: &str) -> u64 {
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    let hash = chunks.iter().fold(text.len() as u64, |hash, chunk| mix(hash ^ u64::from_le_bytes(*chunk)));
    rest.iter().fold(hash, |hash, &byte| mix(hash ^ u64::from(byte)))
}
