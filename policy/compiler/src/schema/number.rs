//! Numbers of a schema, as they are written, exactly.

use portcullis_bundle::limits::EXPONENT;

use crate::json;
use crate::reader::Reader;
use crate::tree::{Node, Value};

/// A JSON number whose exponent is within `EXPONENT`.
pub(super) fn read<'n>(reader: &mut Reader<'_>, node: Node<'n>) -> Option<&'n str> {
    match node.value() {
        Value::Scalar { text, plain: true } if json::is_number(text) => {
            if Decimal::parse(text).is_none() {
                reader.error(node.at(), format!("exponent of `{text}` is over the limit of {EXPONENT}"));
                return None;
            }
            Some(text)
        }
        _ => {
            reader.expected(node, "a number");
            None
        }
    }
}

/// A whole number from 0 on; `u32::MAX` stands for all that are larger.
pub(super) fn count(reader: &mut Reader<'_>, node: Node<'_>) -> Option<u32> {
    let decimal = Decimal::parse(read(reader, node)?)?;
    match decimal.count() {
        Some(count) => Some(count),
        None => {
            reader.expected(node, "a whole number that is not negative");
            None
        }
    }
}

/// A number over 0, as digits times ten to the power of an exponent.
pub(super) fn divisor(reader: &mut Reader<'_>, node: Node<'_>) -> Option<(u64, i32)> {
    let decimal = Decimal::parse(read(reader, node)?)?;
    if decimal.is_negative || decimal.digits.is_empty() {
        reader.expected(node, "a number over 0");
        return None;
    }
    match (decimal.digits.parse(), i32::try_from(decimal.exponent)) {
        (Ok(digits), Ok(exponent)) => Some((digits, exponent)),
        _ => {
            reader.error(node.at(), "`multipleOf` has more digits than the limit of 19".to_owned());
            None
        }
    }
}

/// The digits, without zeros before and behind, times ten to the power of `exponent`.
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// `None` when the exponent is over the limit.
    fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().ok().filter(|exponent: &i64| exponent.abs() <= EXPONENT)?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        let trimmed = digits.trim_end_matches('0');
        let zeros = digits.len() - trimmed.len();
        let exponent = exponent + zeros as i64 - fraction.len() as i64;
        Some(Self { is_negative, digits: trimmed.to_owned(), exponent })
    }

    fn count(&self) -> Option<u32> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let zeros = u32::try_from(self.exponent).ok().filter(|_| !self.is_negative)?;
        let value = self.digits.parse::<u64>().ok();
        let value = value.and_then(|value| value.checked_mul(10_u64.checked_pow(zeros)?));
        Some(value.and_then(|value| u32::try_from(value).ok()).unwrap_or(u32::MAX))
    }
}
