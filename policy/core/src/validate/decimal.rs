//! Numbers as they are written, exactly: compared, divided and hashed by value.
//!
//! In: texts that are JSON numbers (RFC 8259 section 6) with exponents within `EXPONENT`. Never: floating point, an
//! allocation, work that grows with an exponent.

use core::cmp::Ordering;

/// The digits, without zeros before and behind, times ten to the power of `exponent`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal<'a> {
    is_negative: bool,
    /// The digits are in two parts because there may be a dot between them.
    parts: [&'a [u8]; 2],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (whole, fraction) = (trim_start(whole.as_bytes()), trim_end(fraction.as_bytes()));
        if fraction.is_empty() {
            let digits = trim_end(whole);
            let zeros = whole.len().wrapping_sub(digits.len()) as i64;
            return Self { is_negative, parts: [digits, b""], exponent: zeros.saturating_add(exponent) };
        }
        let exponent = exponent.saturating_sub(fraction.len() as i64);
        let fraction = if whole.is_empty() { trim_start(fraction) } else { fraction };
        Self { is_negative, parts: [whole, fraction], exponent }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.parts.iter().all(|part| part.is_empty())
    }

    pub(super) fn is_integer(&self) -> bool {
        self.exponent >= 0 || self.is_zero()
    }

    fn digits(&self) -> impl Iterator<Item = u8> + 'a {
        let [whole, fraction] = self.parts;
        whole.iter().chain(fraction).copied()
    }

    /// The power of ten that is just above.
    fn magnitude(&self) -> i64 {
        let digits = self.parts.iter().fold(0_i64, |sum, part| sum.saturating_add(part.len() as i64));
        digits.saturating_add(self.exponent)
    }

    fn sign(&self) -> i8 {
        match (self.is_zero(), self.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let sign = self.sign();
        let absolute = || self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits().cmp(other.digits()));
        sign.cmp(&other.sign()).then_with(|| match sign {
            0 => Ordering::Equal,
            1 => absolute(),
            _ => absolute().reverse(),
        })
    }

    /// Whether this is a multiple of `digits` times ten to the power of `exponent`; no number is one of 0.
    pub(super) fn is_multiple_of(&self, digits: u64, exponent: i64) -> bool {
        if self.is_zero() {
            return true;
        }
        let modulus = u128::from(digits);
        // Its digits end in no zero, so it is no multiple of a higher power of ten.
        let Ok(power) = u64::try_from(self.exponent.saturating_sub(exponent)) else { return false };
        let mut rest = 0_u128;
        for digit in self.digits() {
            let next = rest.wrapping_mul(10).wrapping_add(u128::from(digit & 0x0F));
            let Some(next) = next.checked_rem(modulus) else { return false };
            rest = next;
        }
        multiply_by_tens(rest, power, modulus) == Some(0)
    }

    /// Equal for equal numbers.
    pub(super) fn hash(&self) -> u64 {
        let start = (self.exponent as u64) << 2 | u64::from(self.sign() as u8 & 3);
        match self.is_zero() {
            true => 0,
            false => self.digits().fold(start, |hash, digit| mix(hash ^ u64::from(digit))),
        }
    }
}

/// Spreads the bits of a hash.
pub(super) fn mix(hash: u64) -> u64 {
    let hash = hash.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    hash ^ hash >> 32
}

/// `value` times ten to the power of `power`, modulo `modulus`, which is below 2 to the power of 64.
fn multiply_by_tens(mut value: u128, mut power: u64, modulus: u128) -> Option<u128> {
    let mut base = 10_u128.checked_rem(modulus)?;
    while power > 0 {
        if power & 1 == 1 {
            value = value.checked_mul(base)?.checked_rem(modulus)?;
        }
        base = base.checked_mul(base)?.checked_rem(modulus)?;
        power >>= 1;
    }
    Some(value)
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
    digits.get(..digits.len().saturating_sub(zeros)).unwrap_or_default()
}
