//! Arithmetic: on two values of one type, overflow is an error, doubles follow IEEE 754.

use portcullis_bundle::bytecode::Op;

use super::Fault;
use super::machine::Machine;
use super::value::{Source, Text, Value};

pub(super) fn negate(value: Value) -> Result<Value, Fault> {
    match value {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or(Fault::Error),
        Value::Double(value) => Ok(Value::Double(-value)),
        _ => Err(Fault::Error),
    }
}

/// `-`, `*`, `/` and `%`.
pub(super) fn combine(op: Op, left: Value, right: Value) -> Result<Value, Fault> {
    let value = match (left, right) {
        (Value::Int(left), Value::Int(right)) => ints(op, left, right).map(Value::Int),
        (Value::Uint(left), Value::Uint(right)) => uints(op, left, right).map(Value::Uint),
        (Value::Double(left), Value::Double(right)) => doubles(op, left, right).map(Value::Double),
        _ if op != Op::Subtract => None,
        (Value::Timestamp(left), Value::Timestamp(right)) => left.since(right).map(Value::Duration),
        (Value::Timestamp(left), Value::Duration(right)) => left.minus(right).map(Value::Timestamp),
        (Value::Duration(left), Value::Duration(right)) => left.checked_sub(right).map(Value::Duration),
        _ => None,
    };
    value.ok_or(Fault::Error)
}

fn ints(op: Op, left: i64, right: i64) -> Option<i64> {
    match op {
        Op::Subtract => left.checked_sub(right),
        Op::Multiply => left.checked_mul(right),
        Op::Divide => left.checked_div(right),
        Op::Modulo => left.checked_rem(right),
        _ => None,
    }
}

fn uints(op: Op, left: u64, right: u64) -> Option<u64> {
    match op {
        Op::Subtract => left.checked_sub(right),
        Op::Multiply => left.checked_mul(right),
        Op::Divide => left.checked_div(right),
        Op::Modulo => left.checked_rem(right),
        _ => None,
    }
}

fn doubles(op: Op, left: f64, right: f64) -> Option<f64> {
    match op {
        Op::Subtract => Some(left - right),
        Op::Multiply => Some(left * right),
        Op::Divide => Some(left / right),
        _ => None,
    }
}

impl Machine<'_> {
    pub(super) fn add(&mut self, left: Value, right: Value) -> Result<Value, Fault> {
        let sum = match (left, right) {
            (Value::Int(left), Value::Int(right)) => left.checked_add(right).map(Value::Int),
            (Value::Uint(left), Value::Uint(right)) => left.checked_add(right).map(Value::Uint),
            (Value::Double(left), Value::Double(right)) => Some(Value::Double(left + right)),
            (Value::String(left), Value::String(right)) => return self.join(left, right).map(Value::String),
            (Value::Bytes(left), Value::Bytes(right)) => return self.join(left, right).map(Value::Bytes),
            (Value::List(left), Value::List(right)) => return self.concatenate(left, right),
            (Value::Timestamp(time), Value::Duration(duration))
            | (Value::Duration(duration), Value::Timestamp(time)) => time.plus(duration).map(Value::Timestamp),
            (Value::Duration(left), Value::Duration(right)) => left.checked_add(right).map(Value::Duration),
            _ => None,
        };
        sum.ok_or(Fault::Error)
    }

    fn join(&mut self, left: Text, right: Text) -> Result<Text, Fault> {
        let start = self.scratch.memory.bytes.len();
        self.append(left)?;
        self.append(right)?;
        Ok(self.scratch.memory.text_since(start))
    }

    fn append(&mut self, text: Text) -> Result<(), Fault> {
        self.charge_bytes(text.bytes as usize)?;
        self.scratch.memory.reserve_bytes(text.bytes as usize)?;
        if text.source == Source::Memory {
            let start = text.start as usize;
            let end = start.saturating_add(text.bytes as usize);
            if end > self.scratch.memory.bytes.len() {
                return Err(Fault::Error);
            }
            self.scratch.memory.bytes.extend_from_within(start..end);
        } else {
            let bytes = self.elsewhere(text).ok_or(Fault::Error)?;
            self.scratch.memory.bytes.extend_from_slice(bytes);
        }
        Ok(())
    }
}
