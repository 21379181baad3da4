//! Items about the same, by whom they are for.
//!
//! An item that is for everybody another one is for is found by one of the other's people. Those for everybody, or for
//! very many, stand in a list of their own.

use std::collections::HashMap;

use super::items::Whos;

/// Whoever lists more is looked at every time.
const LISTED: usize = 64;

#[derive(Default)]
pub(super) struct Set {
    items: HashMap<usize, Vec<usize>>,
    /// Numbers in `Whos`, by number of a principal.
    by_principal: HashMap<usize, Vec<usize>>,
    wide: Vec<usize>,
}

impl Set {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn insert(&mut self, who: usize, item: usize, whos: &Whos<'_>) {
        let items = self.items.entry(who).or_default();
        items.push(item);
        if items.len() > 1 {
            return;
        }
        match whos.principals(who) {
            Some(principals) if principals.len() <= LISTED => {
                for principal in principals {
                    self.by_principal.entry(*principal).or_default().push(who);
                }
            }
            _ => self.wide.push(who),
        }
    }

    /// The items that may be for everybody in `who`, those for exactly them first.
    pub(super) fn candidates(&self, who: usize, whos: &Whos<'_>) -> impl Iterator<Item = (usize, usize)> {
        let listed = whos.principals(who).and_then(|principals| self.by_principal.get(principals.first()?));
        let others = listed.into_iter().flatten().chain(&self.wide).copied().filter(move |other| *other != who);
        std::iter::once(who)
            .chain(others)
            .flat_map(|who| self.items.get(&who).into_iter().flatten().map(move |item| (who, *item)))
    }
}
