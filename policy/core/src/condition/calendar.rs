//! Days since 1970-01-01 <-> days of the Gregorian calendar.
//!
//! Years are counted from March, so that the leap day is the last, in cycles of 400 years, after which the calendar
//! repeats itself. Arithmetic wraps beyond 64 bits; timestamps stay far inside.

use core::num::Wrapping;

/// A day of the Gregorian calendar.
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
}

const DAYS_OF_CYCLE: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;

impl Civil {
    pub(super) fn of(days: i64) -> Self {
        let days = Wrapping(days) + Wrapping(DAYS_TO_EPOCH);
        let cycle = per(days, DAYS_OF_CYCLE);
        let of_cycle = days - cycle * Wrapping(DAYS_OF_CYCLE);
        // Leap days before this one: one in 4 years, none in 100, one in 400.
        let leaps = per(of_cycle, 1460) - per(of_cycle, 36_524) + per(of_cycle, DAYS_OF_CYCLE - 1);
        let year = per(of_cycle - leaps, 365);
        let of_year = of_cycle - start_of_year(year);
        let from_march = per(of_year * Wrapping(5) + Wrapping(2), 153);
        let day = of_year - start_of_month(from_march) + Wrapping(1);
        let is_next_year = from_march >= Wrapping(10);
        let month = if is_next_year { from_march - Wrapping(9) } else { from_march + Wrapping(3) };
        let year = year + cycle * Wrapping(400) + Wrapping(i64::from(is_next_year));
        Self { year: year.0, month: month.0, day: day.0 }
    }
}

pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let is_next_year = month < 3;
    let year = Wrapping(year) - Wrapping(i64::from(is_next_year));
    let from_march = Wrapping(month) + Wrapping(if is_next_year { 9 } else { -3 });
    let cycle = per(year, 400);
    let of_cycle =
        start_of_year(year - cycle * Wrapping(400)) + start_of_month(from_march) + Wrapping(day) - Wrapping(1);
    (cycle * Wrapping(DAYS_OF_CYCLE) + of_cycle - Wrapping(DAYS_TO_EPOCH)).0
}

pub(super) fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => days_from_civil(year, 3, 1).saturating_sub(days_from_civil(year, 2, 1)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of a cycle before its `year`-th year.
fn start_of_year(year: Wrapping<i64>) -> Wrapping<i64> {
    year * Wrapping(365) + per(year, 4) - per(year, 100)
}

/// Days of a year before a month; five months from March or August on have 153 days.
fn start_of_month(from_march: Wrapping<i64>) -> Wrapping<i64> {
    per(from_march * Wrapping(153) + Wrapping(2), 5)
}

/// Whole units in a count.
fn per(count: Wrapping<i64>, unit: i64) -> Wrapping<i64> {
    Wrapping(count.0.checked_div_euclid(unit).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{Civil, days_from_civil, days_in};

    #[test]
    fn every_day_of_ten_thousand_years_has_one_name() {
        let (mut year, mut month, mut day) = (1, 1, 1);
        for days in days_from_civil(1, 1, 1)..=days_from_civil(9999, 12, 31) {
            let civil = Civil::of(days);
            assert_eq!((civil.year, civil.month, civil.day), (year, month, day));
            assert_eq!(days_from_civil(year, month, day), days);
            day += 1;
            if day > days_in(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!([1900, 2000, 2023, 2024].map(|year| days_in(year, 2)), [28, 29, 28, 29]);
    }
}
