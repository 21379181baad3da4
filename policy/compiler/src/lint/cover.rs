//! Finds for an item those that cover it: for the same or more people, on the same or more.

use std::collections::{BTreeSet, HashMap};

use super::items::{Item, Subject, Whos};
use super::paths::Paths;
use super::sets::Set;
use crate::model::{Name, ResourceId, ResourceTarget};

/// Items and places that are looked at for one item. Past it some covers are missed.
const EXAMINED: usize = 256;

/// Items by what they are about.
pub(super) struct Index<'m> {
    paths: Paths<'m>,
    resources: HashMap<&'m Name, Set>,
}

impl<'m> Index<'m> {
    pub(super) fn of(items: &[Item<'m>], whos: &Whos<'m>) -> Self {
        let mut index = Self { paths: Paths::new(), resources: HashMap::new() };
        for (number, item) in items.iter().enumerate() {
            match &item.on {
                Subject::Http { path, .. } => index.paths.set(path).insert(item.who, number, whos),
                Subject::Resource(target) => {
                    for kind in &target.kinds {
                        index.resources.entry(kind).or_default().insert(item.who, number, whos);
                    }
                }
            }
        }
        index
    }

    /// The items that cover the item of that number, without itself, in order.
    pub(super) fn covers(&self, items: &[Item<'m>], whos: &Whos<'m>, number: usize) -> Vec<usize> {
        let Some(item) = items.get(number) else { return Vec::new() };
        let sets = match &item.on {
            Subject::Http { path, .. } => self.paths.containing(path, EXAMINED),
            Subject::Resource(target) => {
                let kinds = target.kinds.first().into_iter().chain([&Name::Any]);
                kinds.filter_map(|kind| self.resources.get(kind)).collect()
            }
        };
        let candidates = sets.iter().flat_map(|set| set.candidates(item.who, whos)).take(EXAMINED);
        let covers = candidates.filter(|(who, candidate)| {
            let other = items.get(*candidate).filter(|_| *candidate != number);
            other.is_some_and(|other| {
                other.asks_no_more_than(item) && other.on.contains(&item.on) && whos.contains(*who, item.who)
            })
        });
        let mut covers: Vec<usize> = covers.map(|(_, candidate)| candidate).collect();
        covers.sort_unstable();
        covers.dedup();
        covers
    }
}

impl ResourceTarget {
    pub(super) fn contains(&self, other: &Self) -> bool {
        let names =
            |names: &BTreeSet<Name>, others: &BTreeSet<Name>| names.contains(&Name::Any) || others.is_subset(names);
        names(&self.kinds, &other.kinds)
            && names(&self.actions, &other.actions)
            && (self.ids.is_empty()
                || (!other.ids.is_empty() && other.ids.iter().all(|id| self.ids.iter().any(|own| own.contains(id)))))
    }
}

impl ResourceId {
    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(id), Self::Exact(other)) => id == other,
            (Self::Prefix(prefix), Self::Exact(other) | Self::Prefix(other)) => other.starts_with(prefix),
            (Self::Exact(_), Self::Prefix(_)) => false,
        }
    }
}
