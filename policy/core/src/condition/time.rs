//! Points in time and durations: bounds, arithmetic, text, and what can be read off them.
//!
//! Timestamps are RFC 3339 from year 1 to 9999, durations 64 bits of nanoseconds, 292 years (CEL, "Overflow").
//! Time zones are fixed offsets from UTC; names of places would need a database that changes.

use core::fmt;

use portcullis_bundle::bytecode::TimePart;

use super::Fault;
use super::calendar::{Civil, days_from_civil, days_in};
use super::machine::Machine;
use super::value::Value;

/// A point in time: seconds since 1970-01-01T00:00:00Z and, always forward from there, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time {
    pub(super) seconds: i64,
    nanos: u32,
}

const NANOS: i128 = 1_000_000_000;
const DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const TIMESTAMP_SECONDS: core::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

impl Time {
    /// Unix seconds.
    pub(super) fn timestamp(seconds: impl TryInto<i64>) -> Option<Self> {
        Some(Self { seconds: seconds.try_into().ok()?, nanos: 0 }).filter(|time| time.is_timestamp())
    }

    fn is_timestamp(self) -> bool {
        TIMESTAMP_SECONDS.contains(&self.seconds)
    }

    /// The time `duration` nanoseconds later.
    pub(super) fn plus(self, duration: i64) -> Option<Self> {
        Self::from_nanos(self.nanos().checked_add(i128::from(duration))?)
    }

    /// The time `duration` nanoseconds earlier.
    pub(super) fn minus(self, duration: i64) -> Option<Self> {
        Self::from_nanos(self.nanos().checked_sub(i128::from(duration))?)
    }

    /// Nanoseconds from `other` to this.
    pub(super) fn since(self, other: Self) -> Option<i64> {
        i64::try_from(self.nanos().checked_sub(other.nanos())?).ok()
    }

    fn nanos(self) -> i128 {
        i128::from(self.seconds).saturating_mul(NANOS).saturating_add(i128::from(self.nanos))
    }

    fn from_nanos(nanos: i128) -> Option<Self> {
        let seconds = i64::try_from(nanos.div_euclid(NANOS)).ok()?;
        Some(Self { seconds, nanos: nanos.rem_euclid(NANOS) as u32 }).filter(|time| time.is_timestamp())
    }

    /// RFC 3339 section 5.6, upper-case `T` and `Z`, at most nine digits of a second.
    pub(super) fn parse_timestamp(text: &str) -> Option<Self> {
        let mut rest = Digits(text.as_bytes());
        let year = rest.number(4)?;
        let month = rest.after(b'-')?.number(2).filter(|month| (1..=12).contains(month))?;
        let day = rest.after(b'-')?.number(2).filter(|&day| (1..=days_in(year, month)).contains(&day))?;
        let hour = rest.after(b'T')?.number(2).filter(|hour| *hour < 24)?;
        let minute = rest.after(b':')?.number(2).filter(|minute| *minute < 60)?;
        let second = rest.after(b':')?.number(2).filter(|second| *second < 60)?;
        let nanos = match rest.0.first() {
            Some(b'.') => rest.after(b'.')?.nanos()?,
            _ => 0,
        };
        let offset = match rest.0 {
            b"Z" => 0,
            [b'+' | b'-', _, _, b':', _, _] => offset(core::str::from_utf8(rest.0).ok()?)?,
            _ => return None,
        };
        let days = days_from_civil(year, month, day).checked_mul(DAY)?;
        let seconds = days.checked_add(clock(hour, minute)?)?.checked_add(second)?.checked_sub(offset)?;
        Some(Self { seconds, nanos }).filter(|time| time.is_timestamp())
    }

    /// As `parse_timestamp` reads it.
    pub(super) fn write_timestamp(self, to: &mut impl fmt::Write) -> fmt::Result {
        let Civil { year, month, day, .. } = Civil::of(self.seconds.div_euclid(DAY));
        let second = self.seconds.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(to, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        write_fraction(self.nanos, to)?;
        to.write_char('Z')
    }

    fn part(self, part: TimePart, offset: i64) -> i64 {
        let seconds = self.seconds.saturating_add(offset);
        let days = seconds.div_euclid(DAY);
        let of_day = seconds.rem_euclid(DAY);
        let civil = Civil::of(days);
        match part {
            TimePart::FullYear => civil.year,
            TimePart::Month => civil.month.saturating_sub(1),
            TimePart::Date => civil.day,
            TimePart::DayOfMonth => civil.day.saturating_sub(1),
            // 1970-01-01 was a Thursday.
            TimePart::DayOfWeek => days.saturating_add(4).rem_euclid(7),
            TimePart::DayOfYear => days.saturating_sub(days_from_civil(civil.year, 1, 1)),
            TimePart::Hours => of_day / 3600,
            TimePart::Minutes => of_day / 60 % 60,
            TimePart::Seconds => of_day % 60,
            TimePart::Milliseconds => i64::from(self.nanos / 1_000_000),
        }
    }
}

impl Machine<'_> {
    pub(super) fn time_part(&mut self, part: TimePart, value: Value, zone: Option<Value>) -> Result<Value, Fault> {
        let part = match (value, zone) {
            (Value::Timestamp(time), None) => Some(time.part(part, 0)),
            (Value::Timestamp(time), Some(Value::String(zone))) => {
                let offset = offset(self.str(zone)?).ok_or(Fault::Error)?;
                Some(time.part(part, offset))
            }
            (Value::Duration(nanos), None) => duration_in(nanos, part),
            _ => None,
        };
        part.map(Value::Int).ok_or(Fault::Error)
    }
}

/// Nanoseconds of a sign, then numbers with units `h`, `m`, `s`, `ms`, `us`, `ns`; or of `0`.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if rest == b"0" {
        return Some(0);
    }
    let mut total = 0_i128;
    loop {
        let (nanos, after) = duration_part(rest)?;
        total = total.checked_add(nanos)?;
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    i64::try_from(if is_negative { total.checked_neg()? } else { total }).ok()
}

/// A duration of so many nanoseconds, in seconds.
pub(super) fn write_duration(nanos: i64, to: &mut impl fmt::Write) -> fmt::Result {
    if nanos < 0 {
        to.write_char('-')?;
    }
    let nanos = nanos.unsigned_abs();
    write!(to, "{}", nanos / 1_000_000_000)?;
    write_fraction((nanos % 1_000_000_000) as u32, to)?;
    to.write_char('s')
}

/// The whole duration in the unit, cut towards zero; of milliseconds only those beside the seconds.
fn duration_in(nanos: i64, part: TimePart) -> Option<i64> {
    match part {
        TimePart::Hours => Some(nanos / 3_600_000_000_000),
        TimePart::Minutes => Some(nanos / 60_000_000_000),
        TimePart::Seconds => Some(nanos / 1_000_000_000),
        TimePart::Milliseconds => Some(nanos % 1_000_000_000 / 1_000_000),
        _ => None,
    }
}

/// Seconds east of UTC of `UTC`, `+hh:mm`, `-hh:mm` or `hh:mm`.
pub(super) fn offset(zone: &str) -> Option<i64> {
    if zone == "UTC" {
        return Some(0);
    }
    let (sign, rest) = match zone.as_bytes() {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    let mut rest = Digits(rest);
    let hours = rest.number(2).filter(|hours| *hours < 24)?;
    let minutes = rest.after(b':')?.number(2).filter(|minutes| *minutes < 60)?;
    rest.0.is_empty().then_some(clock(hours, minutes)?.checked_mul(sign)?)
}

/// Seconds of hours and minutes.
fn clock(hours: i64, minutes: i64) -> Option<i64> {
    hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60)
}

/// The nanoseconds of the first number with unit, and what comes after.
fn duration_part(text: &[u8]) -> Option<(i128, &[u8])> {
    let end = text.iter().position(|&byte| !byte.is_ascii_digit() && byte != b'.')?;
    let (number, rest) = text.split_at_checked(end)?;
    let number = core::str::from_utf8(number).ok()?;
    let end = rest.iter().position(|&byte| byte.is_ascii_digit() || byte == b'.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(end)?;
    let unit: i128 = match unit {
        b"h" => 3600 * NANOS,
        b"m" => 60 * NANOS,
        b"s" => NANOS,
        b"ms" => 1_000_000,
        b"us" => 1000,
        b"ns" => 1,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut nanos = if whole.is_empty() { 0 } else { whole.parse::<i128>().ok()?.checked_mul(unit)? };
    let mut place = unit;
    for digit in fraction.bytes() {
        let digit = char::from(digit).to_digit(10)?;
        place /= 10;
        nanos = nanos.checked_add(place.checked_mul(i128::from(digit))?)?;
    }
    Some((nanos, rest))
}

fn write_fraction(nanos: u32, to: &mut impl fmt::Write) -> fmt::Result {
    if nanos == 0 {
        return Ok(());
    }
    let (mut digits, mut width) = (nanos, 9_usize);
    while digits.is_multiple_of(10) {
        digits /= 10;
        width = width.saturating_sub(1);
    }
    write!(to, ".{digits:0width$}")
}

/// Text that is read from the front.
struct Digits<'t>(&'t [u8]);

impl Digits<'_> {
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        decimal(number)
    }

    fn after(&mut self, byte: u8) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(self)
    }

    /// One to nine digits, the part of a second behind the point.
    fn nanos(&mut self) -> Option<u32> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        let scale = 10_i64.checked_pow(9_u32.checked_sub(u32::try_from(end).ok()?)?)?;
        u32::try_from(decimal(digits)?.checked_mul(scale)?).ok()
    }
}

fn decimal(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(digits).ok()?.parse().ok()
}
