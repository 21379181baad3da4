//! W(N): N route rules over 20 roles and requests to decide under them, the same for every engine and every run.
//!
//! A rule allows or (one in 20) denies one to three roles one method, or any (one in six), on one path of 2-6
//! segments; in a third of the rules one segment behind the first is `{id}`. Segments come from vocabularies of 64-200
//! words, another one at each depth, the front of each more often; no two rules have the same method and path.
//! Requests carry method, path, subject, state and 1-3 roles, no host and no address: 70 % are allowed; 10 % are
//! denied, half of them by a deny rule and half because no rule of the path is for their roles; the paths of 20 % match
//! no rule. Each asks for the path of a rule chosen uniformly, so that all of the policy is in use.

mod answers;
mod document;
pub mod documents;
mod payments;
mod requests;
pub mod text;
mod words;

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

use portcullis_core::Request;

pub use answers::Answers;
pub use payments::{PAYMENTS, Payment, payments};
pub use requests::{Ask, asks};
pub use words::{METHODS, ROLES};

use crate::random::Random;

pub const SIZES: [usize; 6] = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
pub const REQUESTS: usize = 100_000;
/// The wildcard segment as it stands in a path.
pub const WILDCARD: &str = "{id}";

const SEED: u64 = 0x0070_6F72_7463_756C;
/// One rule in so many denies.
const DENY_EVERY: usize = 20;

/// A request of any workload, with what it must be answered.
pub trait Question: Debug {
    fn request(&self) -> Request<'_>;
    fn is_allowed(&self) -> bool;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub effect: Effect,
    /// Bit per index of `ROLES`.
    pub roles: u32,
    /// `None` is any.
    pub method: Option<&'static str>,
    /// At most one segment is `WILDCARD`.
    pub path: String,
}

impl Rule {
    pub fn role_names(&self) -> impl Iterator<Item = &'static str> {
        role_names(self.roles)
    }

    pub fn has_wildcard(&self) -> bool {
        self.path.contains(WILDCARD)
    }
}

/// The rules of W(N).
pub struct Workload {
    pub rules: Vec<Rule>,
}

impl Workload {
    pub fn new(rules: usize) -> Self {
        let mut random = Random::new(SEED ^ rules as u64);
        let mut seen = HashSet::with_capacity(rules);
        let rules = (0..rules).map(|index| rule(&mut random, &mut seen, index)).collect();
        Self { rules }
    }

    /// The policy document, JSON.
    pub fn document(&self) -> String {
        document::write(&self.rules)
    }
}

/// The names of `roles`, a bit per index of `ROLES`.
pub fn role_names(roles: u32) -> impl Iterator<Item = &'static str> {
    ROLES.iter().zip(0..).filter(move |(_, bit)| roles & (1 << bit) != 0).map(|(name, _)| *name)
}

fn rule(random: &mut Random, seen: &mut HashSet<u64>, index: usize) -> Rule {
    let effect = if index % DENY_EVERY == DENY_EVERY / 3 { Effect::Deny } else { Effect::Allow };
    let roles = roles(random).into_iter().fold(0, |mask, role| mask | 1 << role);
    loop {
        let method = if random.below(6) == 0 { None } else { Some(random.pick(&METHODS)) };
        let path = path(random);
        let mut hasher = DefaultHasher::new();
        (method, &path).hash(&mut hasher);
        if seen.insert(hasher.finish()) {
            return Rule { effect, roles, method, path };
        }
    }
}

/// One to three different indices of `ROLES`.
fn roles(random: &mut Random) -> Vec<usize> {
    let count = match random.below(10) {
        0..6 => 1,
        6..9 => 2,
        _ => 3,
    };
    distinct_roles(random, count)
}

fn distinct_roles(random: &mut Random, count: usize) -> Vec<usize> {
    let mut roles = Vec::with_capacity(count);
    while roles.len() < count {
        let role = random.below(ROLES.len());
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles
}

fn path(random: &mut Random) -> String {
    let segments = match random.below(100) {
        0..10 => 2,
        10..30 => 3,
        30..60 => 4,
        60..85 => 5,
        _ => 6,
    };
    let wildcard = (random.below(3) == 0).then(|| 1 + random.below(segments - 1));
    let mut path = String::new();
    for depth in 0..segments {
        path.push('/');
        path.push_str(if wildcard == Some(depth) { WILDCARD } else { word(random, depth) });
    }
    path
}

/// A segment for `depth`; the product of two fractions makes the first words of a vocabulary more frequent.
fn word(random: &mut Random, depth: usize) -> &'static str {
    let count = words::count_at(depth);
    let bound = 1 + random.below(count);
    words::at_depth(depth)(random.below(bound))
}
