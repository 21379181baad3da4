//! Every rule in turn: what anybody writes first, with the cheap tests before the expensive one.

use portcullis_core::{Request, Target};

use super::Engine;
use crate::workload::{Effect, METHODS, ROLES, Rule, WILDCARD};

pub struct Linear(Vec<Line>);

struct Line {
    effect: Effect,
    /// Bit per index of `ROLES`.
    roles: u32,
    /// Index of `METHODS`; `None` is any.
    method: Option<usize>,
    pattern: Pattern,
}

enum Pattern {
    Exact(String),
    /// What stands before and after the wildcard.
    Around(String, String),
}

impl Linear {
    pub fn new(rules: &[Rule]) -> Self {
        let line = |rule: &Rule| Line {
            effect: rule.effect,
            roles: rule.roles,
            method: rule.method.and_then(method),
            pattern: match rule.path.split_once(WILDCARD) {
                Some((before, after)) => Pattern::Around(before.to_owned(), after.to_owned()),
                None => Pattern::Exact(rule.path.clone()),
            },
        };
        Self(rules.iter().map(line).collect())
    }
}

fn method(name: &str) -> Option<usize> {
    METHODS.iter().position(|known| *known == name)
}

impl Pattern {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == path,
            Self::Around(before, after) => {
                let middle = path.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
                middle.is_some_and(|segment| !segment.is_empty() && !segment.contains('/'))
            }
        }
    }
}

impl Engine for Linear {
    fn decide(&mut self, request: &Request<'_>) -> bool {
        let (Target::Http { path, .. }, Some(subject)) = (request.target, request.subject) else { return false };
        let bit = |role| ROLES.iter().position(|known| *known == role).map_or(0, |bit| 1 << bit);
        let roles = subject.roles.iter().fold(0, |roles, role| roles | bit(role));
        let asked = method(request.action);
        let mut allowed = false;
        for line in &self.0 {
            if line.roles & roles != 0 && (line.method.is_none() || line.method == asked) && line.pattern.matches(path)
            {
                match line.effect {
                    Effect::Deny => return false,
                    Effect::Allow => allowed = true,
                }
            }
        }
        allowed
    }
}
