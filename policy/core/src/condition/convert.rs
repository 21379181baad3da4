//! Conversions between types: exact, cut towards zero, or an error; never a silent other value.

use core::fmt::Write;

use portcullis_bundle::bytecode::Kind;

use super::Fault;
use super::address::{cidr, ip};
use super::machine::Machine;
use super::time::{self, Time};
use super::value::{Memory, Text, Value};

/// 2^63 and 2^64.
const INT_END: f64 = 9_223_372_036_854_775_808.0;
const UINT_END: f64 = 18_446_744_073_709_551_616.0;

impl Machine<'_> {
    /// `value` as a value of `kind`.
    pub(super) fn convert(&mut self, value: Value, kind: Kind) -> Result<Value, Fault> {
        let converted = match (kind, value) {
            _ if value.kind() == kind => Some(value),
            (Kind::String, Value::Bytes(text)) => {
                self.charge_bytes(text.bytes as usize)?;
                self.str(text).map(|_| Value::String(text)).ok()
            }
            (Kind::String, _) => return self.scratch.memory.show(value).map(Value::String),
            (Kind::Bytes, Value::String(text)) => Some(Value::Bytes(text)),
            (_, Value::String(text)) => {
                self.charge_bytes(text.bytes as usize)?;
                parse(self.str(text)?, kind)
            }
            (Kind::Int, Value::Uint(value)) => i64::try_from(value).ok().map(Value::Int),
            (Kind::Int, Value::Double(value)) => {
                (value > -INT_END && value < INT_END).then_some(Value::Int(value as i64))
            }
            (Kind::Int, Value::Timestamp(time)) => Some(Value::Int(time.seconds)),
            (Kind::Uint, Value::Int(value)) => u64::try_from(value).ok().map(Value::Uint),
            (Kind::Uint, Value::Double(value)) => (0.0..UINT_END).contains(&value).then_some(Value::Uint(value as u64)),
            (Kind::Double, Value::Int(value)) => Some(Value::Double(value as f64)),
            (Kind::Double, Value::Uint(value)) => Some(Value::Double(value as f64)),
            (Kind::Timestamp, Value::Int(seconds)) => Time::timestamp(seconds).map(Value::Timestamp),
            _ => None,
        };
        converted.ok_or(Fault::Error)
    }
}

/// The value of `kind` that `text` stands for.
pub(super) fn parse(text: &str, kind: Kind) -> Option<Value> {
    match kind {
        Kind::Ip => ip(text).map(Value::Ip),
        Kind::Cidr => cidr(text),
        Kind::Int => text.parse().ok().map(Value::Int),
        Kind::Uint => text.parse().ok().map(Value::Uint),
        Kind::Double => text.parse().ok().map(Value::Double),
        Kind::Bool => match text {
            "true" | "True" | "TRUE" | "t" | "T" | "1" => Some(Value::Bool(true)),
            "false" | "False" | "FALSE" | "f" | "F" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Timestamp => Time::parse_timestamp(text).map(Value::Timestamp),
        Kind::Duration => time::parse_duration(text).map(Value::Duration),
        _ => None,
    }
}

impl Memory {
    /// A value as text, as `string()` gives it.
    fn show(&mut self, value: Value) -> Result<Text, Fault> {
        let start = self.bytes.len();
        let written = match value {
            Value::Bool(value) => write!(self, "{value}"),
            Value::Int(value) => write!(self, "{value}"),
            Value::Uint(value) => write!(self, "{value}"),
            Value::Double(value) => return self.double(value),
            Value::Timestamp(time) => time.write_timestamp(self),
            Value::Duration(nanos) => time::write_duration(nanos, self),
            Value::Ip(octets) => return self.ip(octets),
            _ => return Err(Fault::Error),
        };
        written.map_err(|_| Fault::Exhausted)?;
        Ok(self.text_since(start))
    }

    /// The shortest text that reads as the same number, with an exponent when it is very small or large: `1.5`, `6.02e+23`.
    fn double(&mut self, value: f64) -> Result<Text, Fault> {
        if value.is_nan() {
            return self.write(format_args!("NaN"));
        }
        if value.is_infinite() {
            return self.write(format_args!("{}Inf", if value > 0.0 { '+' } else { '-' }));
        }
        let start = self.bytes.len();
        let exponent_of = |memory: &Self| {
            let text = core::str::from_utf8(memory.bytes.get(start..)?).ok()?;
            text.split_once('e')?.1.parse::<i32>().ok()
        };
        self.write(format_args!("{value:e}"))?;
        let exponent = exponent_of(self).ok_or(Fault::Error)?;
        if (-4..21).contains(&exponent) {
            self.bytes.truncate(start);
            return self.write(format_args!("{value}"));
        }
        let mantissa = self.bytes.iter().rposition(|&byte| byte == b'e').ok_or(Fault::Error)?;
        self.bytes.truncate(mantissa);
        let sign = if exponent < 0 { '-' } else { '+' };
        self.write(format_args!("e{sign}{:02}", exponent.unsigned_abs()))?;
        Ok(self.text_since(start))
    }
}
