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
        let mut buffer = ryu::Buffer::new();
        let shortest = Shortest::read(buffer.format_finite(value)).ok_or(Fault::Error)?;
        shortest.write(self).map_err(|_| Fault::Exhausted)?;
        Ok(self.text_since(start))
    }
}

/// A finite number in its fewest digits.
struct Shortest<'a> {
    is_negative: bool,
    /// Before and behind the point, one behind the other.
    digits: [&'a str; 2],
    /// Of ten, for a point behind the first digit.
    exponent: i32,
}

impl<'a> Shortest<'a> {
    /// Of the forms `12.5`, `0.001` and `1.25e-7`.
    fn read(text: &'a str) -> Option<Self> {
        let (text, is_negative) = text.strip_prefix('-').map_or((text, false), |text| (text, true));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let part = part.trim_end_matches('0');
        let exponent = exponent.parse::<i32>().ok()?;
        if whole != "0" {
            let whole_digits = i32::try_from(whole.len()).ok()?;
            let whole = if part.is_empty() { whole.trim_end_matches('0') } else { whole };
            return Some(Self {
                is_negative,
                digits: [whole, part],
                exponent: exponent.checked_add(whole_digits)?.checked_sub(1)?,
            });
        }
        let significant = part.trim_start_matches('0');
        let zeros = i32::try_from(part.len().checked_sub(significant.len())?).ok()?;
        let exponent = if significant.is_empty() { 0 } else { exponent.checked_sub(zeros)?.checked_sub(1)? };
        Some(Self { is_negative, digits: [if significant.is_empty() { "0" } else { significant }, ""], exponent })
    }

    fn write(&self, out: &mut impl Write) -> core::fmt::Result {
        let Self { is_negative, digits, exponent } = self;
        let digits = || digits.iter().flat_map(|digits| digits.chars());
        if *is_negative {
            out.write_char('-')?;
        }
        if !(-4..21).contains(exponent) {
            let sign = if *exponent < 0 { '-' } else { '+' };
            Self::write_with_point(out, digits(), 0)?;
            return write!(out, "e{sign}{:02}", exponent.unsigned_abs());
        }
        match usize::try_from(*exponent) {
            Ok(exponent) => Self::write_with_point(out, digits(), exponent),
            Err(_) => {
                out.write_str("0.")?;
                (1..exponent.unsigned_abs()).try_for_each(|_| out.write_char('0'))?;
                digits().try_for_each(|digit| out.write_char(digit))
            }
        }
    }

    /// `behind` digits stand between the first one and the point; what is missing there is zeros.
    fn write_with_point(
        out: &mut impl Write,
        mut digits: impl Iterator<Item = char>,
        behind: usize,
    ) -> core::fmt::Result {
        (0..=behind).try_for_each(|_| out.write_char(digits.next().unwrap_or('0')))?;
        let Some(first) = digits.next() else { return Ok(()) };
        out.write_char('.')?;
        core::iter::once(first).chain(digits).try_for_each(|digit| out.write_char(digit))
    }
}
