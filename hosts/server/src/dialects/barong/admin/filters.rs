//! Which rows, of which time, in which order: what the lists have in common.

use portcullis_directory::{
    AccountColumn, AccountRow, ColumnOf, Direction, Email, Find, Listed, Profile, ProfileColumn, RoleName,
};

use crate::dialects::barong::params::Input;

/// Bounds in unix seconds, both included.
pub struct Period {
    from: Option<i64>,
    to: Option<i64>,
}

impl Period {
    pub fn read(input: &mut Input, [from, to]: [&str; 2]) -> Self {
        Self { from: input.integer(from, "invalid"), to: input.integer(to, "invalid") }
    }

    pub fn of<R: Listed>(&self, find: Find<R>, column: ColumnOf<R>) -> Find<R> {
        let find = match self.from {
            Some(from) => find.from(column, from),
            None => find,
        };
        match self.to {
            Some(to) => find.until(column, to),
            None => find,
        }
    }
}

/// Which column a period is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Range {
    Created,
    Updated,
}

impl Range {
    pub fn read(input: &mut Input, code: &'static str) -> Self {
        let named = input.text_that("range", |text| matches!(text, "created" | "updated"), code);
        if named.as_deref() == Some("updated") { Self::Updated } else { Self::Created }
    }
}

/// Filters that lists of users share; every one that is given must hold.
pub struct Users {
    uid: Option<String>,
    email: Option<String>,
    role: Option<String>,
    country: Option<String>,
    level: Option<i64>,
    state: Option<String>,
    range: Range,
}

impl Users {
    /// In the order of the declaration; `names` are declared and have no effect.
    pub fn read(input: &mut Input, names: &[&str]) -> Self {
        let (uid, email, role) = (input.text("uid"), input.text("email"), input.text("role"));
        for name in names {
            input.text(name);
        }
        let (country, level, state) = (input.text("country"), input.integer("level", "invalid"), input.text("state"));
        let range = Range::read(input, "admin.user.invalid_range");
        Self { uid, email, role, country, level, state, range }
    }

    pub fn find(&self, period: &Period) -> Find<AccountRow> {
        let mut find = Find::<AccountRow>::all();
        if let Some(uid) = &self.uid {
            find = find.is(AccountColumn::Id, uid.as_str());
        }
        if let Some(email) = &self.email {
            find = by_email(find, email);
        }
        if let Some(role) = &self.role {
            find = match RoleName::parse(role) {
                Ok(role) => find.has_role(&role),
                Err(_) => nobody(find),
            };
        }
        if let Some(country) = &self.country {
            let profile = Find::<Profile>::all().is(ProfileColumn::Country, country.as_str());
            find = find.has_profile(&profile);
        }
        if let Some(level) = self.level {
            find = find.is(AccountColumn::Level, level);
        }
        if let Some(state) = &self.state {
            find = find.is(AccountColumn::State, state.as_str());
        }
        match self.range {
            Range::Created => period.of(find, AccountColumn::CreatedAt),
            Range::Updated => period.of(find, AccountColumn::UpdatedAt),
        }
    }
}

/// An address is that of one user whatever its case.
pub fn by_email(find: Find<AccountRow>, email: &str) -> Find<AccountRow> {
    match Email::parse(email) {
        Ok(email) => find.has_email(&email),
        Err(_) => nobody(find),
    }
}

fn nobody(find: Find<AccountRow>) -> Find<AccountRow> {
    find.is_one_of(AccountColumn::Id, std::iter::empty::<&str>())
}

/// `ordering` and `order_by`: a direction, and one of `names`.
pub fn order(
    input: &mut Input,
    names: &[&str],
    [ordering, attribute]: [&'static str; 2],
) -> (Direction, Option<String>) {
    let direction = input.text_that("ordering", |text| matches!(text, "asc" | "desc"), ordering);
    let by = input.text_that("order_by", |text| names.contains(&text), attribute);
    let direction = match direction.as_deref() {
        Some("desc") => Direction::Descending,
        _ => Direction::Ascending,
    };
    (direction, by)
}
