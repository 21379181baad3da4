//! Equality of any two values, order of those that have one.
//!
//! Numbers compare by what they are, across their types (CEL, "Numbers"). Values of different other types are not
//! equal, and have no order.

use core::cmp::Ordering;

use super::Fault;
use super::collections::Elements;
use super::machine::Machine;
use super::value::{Map, Value};

impl Machine<'_> {
    pub(super) fn equal(&mut self, left: Value, right: Value) -> Result<bool, Fault> {
        Ok(match (left, right) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::String(left), Value::String(right)) | (Value::Bytes(left), Value::Bytes(right)) => {
                left.bytes == right.bytes && {
                    self.charge_bytes(left.bytes as usize)?;
                    self.bytes(left)? == self.bytes(right)?
                }
            }
            (Value::Timestamp(left), Value::Timestamp(right)) => left == right,
            (Value::Duration(left), Value::Duration(right)) => left == right,
            (Value::Type(left), Value::Type(right)) => left == right,
            (Value::Ip(left), Value::Ip(right)) => left == right,
            (Value::Cidr(left, left_bits), Value::Cidr(right, right_bits)) => (left, left_bits) == (right, right_bits),
            (Value::List(_), Value::List(_)) => self.equal_lists(left, right)?,
            (Value::Map(left), Value::Map(right)) => self.equal_maps(left, right)?,
            _ => numbers(left, right) == Some(Some(Ordering::Equal)),
        })
    }

    fn equal_lists(&mut self, left: Value, right: Value) -> Result<bool, Fault> {
        let (Some(count), Some(other)) = (self.count(left), self.count(right)) else { return Err(Fault::Error) };
        if count != other {
            return Ok(false);
        }
        self.charge_elements(count as usize)?;
        let (Some(mut left), Some(mut right)) = (Elements::of(self, left), Elements::of(self, right)) else {
            return Err(Fault::Error);
        };
        while let (Some(left), Some(right)) = (left.next(self)?, right.next(self)?) {
            if !self.equal(left, right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_maps(&mut self, left: Map, right: Map) -> Result<bool, Fault> {
        let (Some(count), Some(other)) = (self.count(Value::Map(left)), self.count(Value::Map(right))) else {
            return Err(Fault::Error);
        };
        if count != other {
            return Ok(false);
        }
        let mut keys = Elements::of(self, Value::Map(left)).ok_or(Fault::Error)?;
        while let Some(key) = keys.next(self)? {
            self.charge(1)?;
            let (Some(one), Some(other)) = (self.value_of(left, key)?, self.value_of(right, key)?) else {
                return Ok(false);
            };
            if !self.equal(one, other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The order of two values; `None` when one of them is not a number.
    pub(super) fn order(&mut self, left: Value, right: Value) -> Result<Option<Ordering>, Fault> {
        Ok(match (left, right) {
            (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(&right)),
            (Value::String(left), Value::String(right)) | (Value::Bytes(left), Value::Bytes(right)) => {
                self.charge_bytes(left.bytes.min(right.bytes) as usize)?;
                Some(self.bytes(left)?.cmp(self.bytes(right)?))
            }
            (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(&right)),
            (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(&right)),
            _ => numbers(left, right).ok_or(Fault::Error)?,
        })
    }
}

/// The order of two numbers; the outer option is for values that are none, the inner one for NaN.
#[expect(clippy::option_option, reason = "not a number and NaN are different answers")]
fn numbers(left: Value, right: Value) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(&right)),
        (Value::Uint(left), Value::Uint(right)) => Some(left.cmp(&right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(&right),
        (Value::Int(left), Value::Uint(right)) => Some(i128::from(left).cmp(&i128::from(right))),
        (Value::Uint(left), Value::Int(right)) => Some(i128::from(left).cmp(&i128::from(right))),
        (Value::Int(left), Value::Double(right)) => whole_and_double(i128::from(left), right),
        (Value::Uint(left), Value::Double(right)) => whole_and_double(i128::from(left), right),
        (Value::Double(left), Value::Int(right)) => whole_and_double(i128::from(right), left).map(Ordering::reverse),
        (Value::Double(left), Value::Uint(right)) => whole_and_double(i128::from(right), left).map(Ordering::reverse),
        _ => return None,
    })
}

/// The exact order: no integer is rounded to a double.
fn whole_and_double(whole: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // Saturates beyond 128 bits, which is beyond every integer that comes here.
    let floor = double.floor();
    Some(whole.cmp(&(floor as i128)).then(if double > floor { Ordering::Less } else { Ordering::Equal }))
}
