//! A number of a document or of a schema, as an integer where it is small.

use core::cmp::Ordering;

use portcullis_bundle::limits::EXPONENT;

use super::decimal::Decimal;
use crate::json;

#[derive(Clone, Copy)]
pub(super) enum Number<'a> {
    Int(i64),
    Text(&'a str),
}

impl Number<'_> {
    /// Hands the number as a decimal to `ask`.
    pub(super) fn decimal<T>(&self, ask: impl FnOnce(&Decimal<'_>) -> T) -> T {
        match self {
            Self::Int(value) => ask(&Decimal::parse(itoa::Buffer::new().format(*value))),
            Self::Text(text) => ask(&Decimal::parse(text)),
        }
    }

    /// The value, if it is written as a small integer.
    fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Text(text) if text.len() <= 18 => text.parse().ok(),
            Self::Text(_) => None,
        }
    }

    /// As `compare` with the number that `limit` is.
    #[inline]
    pub(super) fn compare_int(&self, limit: i64) -> Ordering {
        match self {
            Self::Int(value) => value.cmp(&limit),
            Self::Text(text) => compare_plain(text, limit).unwrap_or_else(|| self.compare(&Number::Int(limit))),
        }
    }

    pub(super) fn compare(&self, other: &Number<'_>) -> Ordering {
        match (self.int(), other.int()) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => self.decimal(|one| other.decimal(|other| one.compare(other))),
        }
    }

    pub(super) fn is_integer(&self) -> bool {
        match self {
            Self::Int(_) => true,
            Self::Text(_) => self.decimal(|decimal| decimal.is_integer()),
        }
    }

    /// As `Decimal::is_multiple_of`.
    pub(super) fn is_multiple_of(&self, digits: u64, exponent: i64) -> bool {
        match (self, exponent) {
            (Self::Int(value), 0) if digits != 0 => value.unsigned_abs().checked_rem(digits) == Some(0),
            _ => self.decimal(|decimal| decimal.is_multiple_of(digits, exponent)),
        }
    }
}

/// The number `text` and `limit`, if the number has no exponent and up to 18 digits before its dot.
fn compare_plain(text: &str, limit: i64) -> Option<Ordering> {
    let (is_negative, unsigned) = match text.as_bytes() {
        [b'-', unsigned @ ..] => (true, unsigned),
        unsigned => (false, unsigned),
    };
    let (mut whole, mut digits, mut rest) = (0_i64, 0_u32, unsigned);
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        whole = whole.wrapping_mul(10).wrapping_add(i64::from(digit & 0x0F));
        (digits, rest) = (digits.wrapping_add(1), behind);
    }
    let mut has_fraction = false;
    for byte in rest {
        match byte {
            b'1'..=b'9' => has_fraction = true,
            b'0' | b'.' => {}
            _ => return None,
        }
    }
    if digits > 18 {
        return None;
    }
    let whole = if is_negative { whole.wrapping_neg() } else { whole };
    Some(match (whole.cmp(&limit), is_negative) {
        // A fraction leads away from zero.
        (Ordering::Equal | Ordering::Greater, false) if has_fraction => Ordering::Greater,
        (Ordering::Equal | Ordering::Less, true) if has_fraction => Ordering::Less,
        (ordering, _) => ordering,
    })
}

/// Whether `text` is a number of RFC 8259 section 6 whose exponent is within `EXPONENT`.
pub(super) fn is_number(text: &str) -> bool {
    let is_near = |(_, exponent): (&str, &str)| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        digits.parse().is_ok_and(|exponent: i64| exponent <= EXPONENT)
    };
    json::is_number(text) && text.split_once(['e', 'E']).is_none_or(is_near)
}
