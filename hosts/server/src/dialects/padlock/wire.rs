//! A user on the wire.

use portcullis_directory::{Account, UnixSeconds};
use serde_json::{Map, Value};

/// `models.UserInfo`: what is not known is left out.
pub fn user(account: &Account) -> Map<String, Value> {
    let Account { user, details } = account;
    let optional = [
        ("username", details.username.as_ref().map(|name| name.as_str())),
        ("email", details.email.as_ref().map(|email| email.as_str())),
        ("first_name", details.first_name.as_deref()),
        ("last_name", details.last_name.as_deref()),
    ];
    let known = optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    let always = [
        ("user_id", user.id.to_string()),
        ("created_at", rfc3339(user.created_at)),
        ("updated_at", rfc3339(user.updated_at)),
    ];
    known.chain(always.map(|(name, value)| (name.to_owned(), value.into()))).collect()
}

/// In UTC; the days are counted from 1 March of the year 0, where a leap day is the last of its year.
fn rfc3339(time: UnixSeconds) -> String {
    const DAYS_TO_1970: u64 = 719_468;
    const ERA_DAYS: u64 = 146_097;
    let (day, second) = (time.0 / 86_400 + DAYS_TO_1970, time.0 % 86_400);
    let (era, day) = (day / ERA_DAYS, day % ERA_DAYS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, is_next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + is_next;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(UnixSeconds(seconds)), expected);
        }
    }
}
