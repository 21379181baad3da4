//! What is right, found in the plainest way: every engine is compared with this.

use std::collections::HashMap;

use super::{Effect, Rule, WILDCARD};

/// The rules of each path. A rule has one wildcard at most, so a path of n segments has n + 1 patterns to look up.
pub struct Answers<'w> {
    by_path: HashMap<&'w str, Vec<&'w Rule>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Allowed,
    /// A deny rule applies.
    Denied,
    /// Rules have the path, none is for these roles and this method.
    NotForThem,
    /// No rule has the path.
    Unmatched,
}

impl<'w> Answers<'w> {
    pub fn new(rules: &'w [Rule]) -> Self {
        let mut by_path: HashMap<&str, Vec<&Rule>> = HashMap::with_capacity(rules.len());
        for rule in rules {
            by_path.entry(&rule.path).or_default().push(rule);
        }
        Self { by_path }
    }

    /// `roles` has a bit per index of `ROLES`.
    pub fn answer(&self, method: &str, path: &str, roles: u32) -> Answer {
        let patterns = std::iter::once(path.to_owned()).chain(with_wildcard(path));
        let matching: Vec<&Rule> =
            patterns.filter_map(|pattern| self.by_path.get(pattern.as_str())).flatten().copied().collect();
        let applies = |rule: &&&Rule| rule.roles & roles != 0 && rule.method.is_none_or(|needed| needed == method);
        let is = |effect| matching.iter().filter(applies).any(|rule| rule.effect == effect);
        match () {
            () if matching.is_empty() => Answer::Unmatched,
            () if is(Effect::Deny) => Answer::Denied,
            () if is(Effect::Allow) => Answer::Allowed,
            () => Answer::NotForThem,
        }
    }
}

/// The path with each of its segments in turn as wildcard.
fn with_wildcard(path: &str) -> impl Iterator<Item = String> {
    let starts = path.match_indices('/').map(|(at, _)| at + 1);
    starts.map(move |start| {
        let end = path[start..].find('/').map_or(path.len(), |length| start + length);
        [&path[..start], WILDCARD, &path[end..]].concat()
    })
}
