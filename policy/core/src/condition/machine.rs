//! The evaluator: one instruction after its operands, by recursion as deep as `check` has seen.
//!
//! Every instruction is a step, every turn of a loop is another, and so is each started KiB of text or 16 elements
//! beyond the first that an operation may have to look at. Everything read from the policy goes through checked access.

use portcullis_bundle::Policy;
use portcullis_bundle::bytecode::{Fact, Instruction, Kind, Op, TimePart};
use portcullis_bundle::layout::{NONE, Range};

use super::collections::Elements;
use super::value::{Source, Text, Value};
use super::{Facts, Fault, Scratch, arithmetic};

/// One evaluation under way.
pub(super) struct Machine<'a> {
    pub(super) policy: &'a Policy,
    pub(super) facts: &'a Facts<'a>,
    pub(super) scratch: &'a mut Scratch,
    steps_left: usize,
}

impl<'a> Machine<'a> {
    pub(super) fn new(policy: &'a Policy, facts: &'a Facts<'a>, scratch: &'a mut Scratch, steps: usize) -> Self {
        Self { policy, facts, scratch, steps_left: steps }
    }

    pub(super) fn charge(&mut self, steps: usize) -> Result<(), Fault> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(Fault::Exhausted)?;
        Ok(())
    }

    pub(super) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Fault> {
        self.charge(bytes >> 10)
    }

    pub(super) fn charge_elements(&mut self, elements: usize) -> Result<(), Fault> {
        self.charge(elements >> 4)
    }

    /// The value of an instruction.
    pub(super) fn eval(&mut self, at: u32) -> Result<Value, Fault> {
        self.charge(1)?;
        let instruction = *self.policy.instruction(at).ok_or(Fault::Error)?;
        let Instruction { op, x, a, b, c, .. } = instruction;
        let (a, b, c) = (a.get(), b.get(), c.get());
        let op = Op::from_byte(op).ok_or(Fault::Error)?;
        Ok(match op {
            Op::Null => Value::Null,
            Op::Bool => Value::Bool(a != 0),
            Op::Int => Value::Int(instruction.number().cast_signed()),
            Op::Uint => Value::Uint(instruction.number()),
            Op::Double => Value::Double(f64::from_bits(instruction.number())),
            Op::String => Value::String(Text { source: Source::Strings, start: a, bytes: b }),
            Op::Bytes => Value::Bytes(Text { source: Source::Blobs, start: a, bytes: b }),
            Op::Type => Value::Type(Kind::from_byte(x).ok_or(Fault::Error)?),
            Op::Fact => self.fact(Fact::from_byte(x).ok_or(Fault::Error)?)?.ok_or(Fault::Error)?,
            Op::HasFact => Value::Bool(self.fact(Fact::from_byte(x).ok_or(Fault::Error)?)?.is_some()),
            Op::Variable => *self.scratch.variables.get(usize::from(x)).ok_or(Fault::Error)?,
            Op::List => self.list(operands(&instruction))?,
            Op::Map => self.map(operands(&instruction))?,
            Op::Select => {
                let map = self.eval(a)?;
                self.member(map, key(&instruction))?.ok_or(Fault::Error)?
            }
            Op::Has => Value::Bool(self.has(a, key(&instruction))?),
            Op::And => self.absorb(a, b, false)?,
            Op::Or => self.absorb(a, b, true)?,
            Op::Conditional => {
                let branch = if self.bool(a)? { b } else { c };
                self.eval(branch)?
            }
            Op::All => self.quantify(a, b, x, false)?,
            Op::Exists => self.quantify(a, b, x, true)?,
            Op::ExistsOne => self.exists_one(a, b, x)?,
            Op::Collect => self.collect(a, (b != NONE).then_some(b), c, x)?,
            Op::Matches => {
                let text = self.eval(a)?;
                self.matches(text, b)?
            }
            Op::TimePart => {
                let value = self.eval(a)?;
                let zone = if b == NONE { None } else { Some(self.eval(b)?) };
                self.time_part(TimePart::from_byte(x).ok_or(Fault::Error)?, value, zone)?
            }
            Op::Convert => {
                let value = self.eval(a)?;
                self.convert(value, Kind::from_byte(x).ok_or(Fault::Error)?)?
            }
            Op::Not
            | Op::Negate
            | Op::Size
            | Op::TypeOf
            | Op::Ip
            | Op::IsIp
            | Op::IpFamily
            | Op::Cidr
            | Op::IsCidr
            | Op::PrefixLength => {
                let value = self.eval(a)?;
                self.unary(op, value)?
            }
            _ => {
                let left = self.eval(a)?;
                let right = self.eval(b)?;
                self.binary(op, left, right)?
            }
        })
    }

    fn unary(&mut self, op: Op, value: Value) -> Result<Value, Fault> {
        match (op, value) {
            (Op::Not, Value::Bool(value)) => Ok(Value::Bool(!value)),
            (Op::Negate, value) => arithmetic::negate(value),
            (Op::Size, value) => self.size(value),
            (Op::TypeOf, value) => Ok(Value::Type(value.kind())),
            (Op::Ip | Op::IsIp | Op::IpFamily | Op::Cidr | Op::IsCidr | Op::PrefixLength, value) => {
                self.address(op, value)
            }
            _ => Err(Fault::Error),
        }
    }

    fn binary(&mut self, op: Op, left: Value, right: Value) -> Result<Value, Fault> {
        match op {
            Op::Equal => self.equal(left, right).map(Value::Bool),
            Op::NotEqual => self.equal(left, right).map(|equal| Value::Bool(!equal)),
            Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                let order = self.order(left, right)?;
                Ok(Value::Bool(order.is_some_and(|order| match op {
                    Op::Less => order.is_lt(),
                    Op::LessOrEqual => order.is_le(),
                    Op::Greater => order.is_gt(),
                    _ => order.is_ge(),
                })))
            }
            Op::Add => self.add(left, right),
            Op::Subtract | Op::Multiply | Op::Divide | Op::Modulo => arithmetic::combine(op, left, right),
            Op::Index => self.index(left, right),
            Op::In => self.is_in(left, right),
            Op::StartsWith | Op::EndsWith | Op::Contains => self.search(op, left, right),
            Op::ContainsIp | Op::ContainsCidr => self.network_contains(op, left, right),
            _ => Err(Fault::Error),
        }
    }

    fn bool(&mut self, at: u32) -> Result<bool, Fault> {
        match self.eval(at)? {
            Value::Bool(value) => Ok(value),
            _ => Err(Fault::Error),
        }
    }

    /// As `bool`, with an error as `None`.
    fn bool_or_error(&mut self, at: u32) -> Result<Option<bool>, Fault> {
        let pending = self.scratch.memory.pending.len();
        match self.bool(at) {
            Ok(value) => Ok(Some(value)),
            Err(Fault::Error) => {
                self.scratch.memory.pending.truncate(pending);
                Ok(None)
            }
            Err(Fault::Exhausted) => Err(Fault::Exhausted),
        }
    }

    /// `&&` and `||`: one side that is `absorbing` decides, whatever the other one is, an error too.
    fn absorb(&mut self, left: u32, right: u32, absorbing: bool) -> Result<Value, Fault> {
        let left = self.bool_or_error(left)?;
        if left == Some(absorbing) {
            return Ok(Value::Bool(absorbing));
        }
        match (left, self.bool_or_error(right)?) {
            (_, Some(right)) if right == absorbing => Ok(Value::Bool(absorbing)),
            (Some(_), Some(_)) => Ok(Value::Bool(!absorbing)),
            _ => Err(Fault::Error),
        }
    }

    /// `all` and `exists`: one element that is `absorbing` decides, whatever the others are.
    fn quantify(&mut self, range: u32, predicate: u32, slot: u8, absorbing: bool) -> Result<Value, Fault> {
        let mut elements = self.elements(range)?;
        let mut has_failed = false;
        while self.advance(&mut elements, slot)? {
            match self.bool_or_error(predicate)? {
                Some(holds) if holds == absorbing => return Ok(Value::Bool(absorbing)),
                Some(_) => {}
                None => has_failed = true,
            }
        }
        if has_failed { Err(Fault::Error) } else { Ok(Value::Bool(!absorbing)) }
    }

    fn exists_one(&mut self, range: u32, predicate: u32, slot: u8) -> Result<Value, Fault> {
        let mut elements = self.elements(range)?;
        let mut found = 0_usize;
        while self.advance(&mut elements, slot)? {
            if self.bool(predicate)? {
                found = found.saturating_add(1);
            }
        }
        Ok(Value::Bool(found == 1))
    }

    /// `map` and `filter`.
    fn collect(&mut self, range: u32, filter: Option<u32>, transform: u32, slot: u8) -> Result<Value, Fault> {
        let mut elements = self.elements(range)?;
        let base = self.scratch.memory.pending.len();
        while self.advance(&mut elements, slot)? {
            let is_kept = match filter {
                Some(filter) => self.bool(filter)?,
                None => true,
            };
            if is_kept {
                let value = self.eval(transform)?;
                self.scratch.memory.pending.push(value);
            }
        }
        self.scratch.memory.list_of_pending(base).map(Value::List)
    }

    fn elements(&mut self, range: u32) -> Result<Elements, Fault> {
        let range = self.eval(range)?;
        Elements::of(self, range).ok_or(Fault::Error)
    }

    /// Puts the next element into `slot`; false when there is none.
    fn advance(&mut self, elements: &mut Elements, slot: u8) -> Result<bool, Fault> {
        let Some(element) = elements.next(self)? else { return Ok(false) };
        self.charge(1)?;
        *self.scratch.variables.get_mut(usize::from(slot)).ok_or(Fault::Error)? = element;
        Ok(true)
    }
}

fn operands(instruction: &Instruction) -> Range {
    Range { start: instruction.a, count: instruction.b }
}

/// The key of `Select` and `Has`.
fn key(instruction: &Instruction) -> Text {
    Text { source: Source::Strings, start: instruction.b.get(), bytes: instruction.c.get() }
}
