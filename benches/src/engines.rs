//! What decides: ours and what it is compared with, behind one small trait.

#[cfg(feature = "component")]
pub mod calls;
#[cfg(feature = "peers")]
mod casbin;
#[cfg(feature = "peers")]
mod cedar;
#[cfg(feature = "component")]
mod component;
mod linear;
#[cfg(feature = "component")]
mod module;
mod ours;
#[cfg(feature = "peers")]
mod regorus;
#[cfg(feature = "peers")]
mod router;
mod trie;

use anyhow::Result;
#[cfg(feature = "peers")]
use portcullis_core::Names;
use portcullis_core::Request;

use crate::workload::Workload;
#[cfg(feature = "peers")]
use crate::workload::{ROLES, role_names};

pub use ours::{Ours, bundle};
pub use trie::Trie;

/// Decides requests under the rules of one workload; true is allow.
pub trait Engine {
    fn decide(&mut self, request: &Request<'_>) -> bool;
}

/// How an engine is made, and how far it goes.
pub struct Kind {
    pub name: &'static str,
    pub what: &'static str,
    /// Above so many rules it is left out: it takes minutes to build, or longer than anybody waits to answer.
    pub most_rules: usize,
    pub build: fn(&Workload) -> Result<Box<dyn Engine>>,
}

/// Ours first, then the baseline that ratios are taken to.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "ours",
        what: "portcullis, native",
        most_rules: usize::MAX,
        build: |of| Ok(Box::new(Ours::compile(of)?)),
    },
    Kind {
        name: "trie",
        what: "flat trie with role masks, by hand",
        most_rules: usize::MAX,
        build: |of| Ok(Box::new(Trie::new(&of.rules))),
    },
    Kind {
        name: "linear",
        what: "linear scan",
        most_rules: 10_000,
        build: |of| Ok(Box::new(linear::Linear::new(&of.rules))),
    },
    #[cfg(feature = "peers")]
    Kind {
        name: "matchit",
        what: "role and method to a matchit router",
        most_rules: usize::MAX,
        build: |of| Ok(Box::new(router::Routers::new(&of.rules)?)),
    },
    #[cfg(feature = "peers")]
    Kind {
        name: "cedar",
        what: "Cedar, one policy per rule",
        most_rules: 10_000,
        build: |of| Ok(Box::new(cedar::PolicyPerRule::new(&of.rules)?)),
    },
    #[cfg(feature = "peers")]
    Kind {
        name: "cedar-sliced",
        what: "Cedar, sliced per role and method",
        most_rules: 100_000,
        build: |of| Ok(Box::new(cedar::Sliced::new(&of.rules)?)),
    },
    #[cfg(feature = "peers")]
    Kind {
        name: "casbin",
        what: "Casbin, usual matcher",
        most_rules: 10_000,
        build: |of| Ok(Box::new(casbin::Usual::new(&of.rules)?)),
    },
    #[cfg(feature = "peers")]
    Kind {
        name: "casbin-native",
        what: "Casbin, native matcher function",
        most_rules: 100_000,
        build: |of| Ok(Box::new(casbin::Native::new(&of.rules)?)),
    },
    #[cfg(feature = "peers")]
    Kind {
        name: "regorus",
        what: "Regorus, all rules in turn",
        most_rules: 10_000,
        build: |of| Ok(Box::new(regorus::Rego::linear(&of.rules)?)),
    },
    #[cfg(feature = "peers")]
    Kind {
        name: "regorus-index",
        what: "Regorus, role and method index",
        most_rules: 100_000,
        build: |of| Ok(Box::new(regorus::Rego::index(&of.rules)?)),
    },
    #[cfg(feature = "peers")]
    Kind {
        name: "regorus-tree",
        what: "Regorus, path tree in data",
        most_rules: 1_000_000,
        build: |of| Ok(Box::new(regorus::Rego::tree(&of.rules)?)),
    },
];

/// The names of everything that decides.
pub fn names() -> Vec<&'static str> {
    let names = KINDS.iter().map(|kind| kind.name);
    #[cfg(feature = "component")]
    let names = names.chain(calls::Call::ALL.map(calls::Call::name));
    names.collect()
}

/// A name for a set of roles, and the roles: a peer that knows its subjects ahead knows one subject for each set.
#[cfg(feature = "peers")]
fn role_sets() -> impl Iterator<Item = (String, Vec<&'static str>)> {
    let sets = (1_u32..1 << ROLES.len()).filter(|roles| roles.count_ones() <= 3);
    sets.map(|roles| (roles.to_string(), role_names(roles).collect()))
}

/// The name that `role_sets` gives to these roles.
#[cfg(feature = "peers")]
fn role_set(roles: Names<'_>) -> String {
    let bit = |role| ROLES.iter().position(|known| *known == role).map_or(0, |bit| 1_u32 << bit);
    roles.iter().fold(0, |set, role| set | bit(role)).to_string()
}
