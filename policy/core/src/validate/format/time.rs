//! Dates, times and durations of RFC 3339.

/// The two-digit number at the start of `text`, and what follows.
fn two_digits(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<2>()?;
    let [tens, ones] = digits.map(|digit| char::from(digit).to_digit(10));
    Some((tens?.wrapping_mul(10).wrapping_add(ones?), rest))
}

fn expect(text: &[u8], byte: u8) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| **first == byte).map(|(_, rest)| rest)
}

/// `full-date` of section 5.6.
pub(super) fn is_date(text: &str) -> bool {
    date(text.as_bytes()).is_some_and(<[u8]>::is_empty)
}

/// What follows a date.
fn date(text: &[u8]) -> Option<&[u8]> {
    let (century, rest) = two_digits(text)?;
    let (year, rest) = two_digits(rest)?;
    let (month, rest) = two_digits(expect(rest, b'-')?)?;
    let (day, rest) = two_digits(expect(rest, b'-')?)?;
    let is_leap = if year == 0 { century.is_multiple_of(4) } else { year.is_multiple_of(4) };
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=last).contains(&day).then_some(rest)
}

/// `full-time` of section 5.6.
pub(super) fn is_time(text: &str) -> bool {
    time(text.as_bytes()).is_some()
}

fn time(text: &[u8]) -> Option<()> {
    let (hour, rest) = two_digits(text)?;
    let (minute, rest) = two_digits(expect(rest, b':')?)?;
    let (second, mut rest) = two_digits(expect(rest, b':')?)?;
    if let Some(fraction) = expect(rest, b'.') {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = fraction.get(digits..).filter(|_| digits > 0)?;
    }
    let offset = offset(rest)?;
    let is_time = hour < 24 && minute < 60;
    match second {
        0..60 => is_time.then_some(()),
        // A leap second is the last one of a day in UTC.
        60 => {
            let minutes = hour.wrapping_mul(60).wrapping_add(minute) as i32;
            let in_utc = minutes.wrapping_sub(offset).rem_euclid(24 * 60);
            (is_time && in_utc == 24 * 60 - 1).then_some(())
        }
        _ => None,
    }
}

/// `time-offset`, in minutes.
fn offset(text: &[u8]) -> Option<i32> {
    let (sign, rest) = text.split_first()?;
    let sign = match sign {
        b'Z' | b'z' => return rest.is_empty().then_some(0),
        b'+' => 1_i32,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = two_digits(rest)?;
    let (minutes, rest) = two_digits(expect(rest, b':')?)?;
    let total = hours.wrapping_mul(60).wrapping_add(minutes) as i32;
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign.wrapping_mul(total))
}

/// `date-time` of section 5.6.
pub(super) fn is_date_time(text: &str) -> bool {
    let time_of = |text| {
        let (separator, rest) = date(text)?.split_first()?;
        matches!(separator, b'T' | b't').then_some(rest)
    };
    time_of(text.as_bytes()).and_then(time).is_some()
}

/// `duration` of appendix A.
pub(super) fn is_duration(text: &str) -> bool {
    let Some(rest) = expect(text.as_bytes(), b'P') else { return false };
    let (date, time) = match rest.iter().position(|&byte| byte == b'T') {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at.wrapping_add(1)..)),
        None => (rest, None),
    };
    match time {
        Some(time) => (date.is_empty() || are_amounts(date, b"YMD")) && are_amounts(time, b"HMS"),
        None => are_amounts(date, b"YMD") || are_amounts(date, b"W"),
    }
}

/// Whether `text` is amounts in units that follow each other in `units` without a gap, at least one.
fn are_amounts(mut text: &[u8], units: &[u8]) -> bool {
    let mut expected: Option<&[u8]> = None;
    while !text.is_empty() {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let Some((unit, rest)) = text.get(digits..).and_then(<[u8]>::split_first) else { return false };
        let left = match expected {
            // The first unit may be any.
            None => units.iter().position(|found| found == unit).and_then(|at| units.get(at.wrapping_add(1)..)),
            Some(left) => expect(left, *unit),
        };
        if digits == 0 || left.is_none() {
            return false;
        }
        (expected, text) = (left, rest);
    }
    expected.is_some()
}
