//! Restrictions that never decide, because one that is tried before them always does.
//!
//! Categories, then scopes, then the document's order: an entry is hidden by an equal or wider one before it, if that
//! one is of the same or an earlier category and of the same or an earlier scope.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv6Addr;

use portcullis_bundle::layout::CategoryKind;

use crate::diagnostic::Diagnostic;
use crate::model::{Model, Network, Restriction, Scope};

/// The first entry for each place.
#[derive(Default)]
struct Seen<'m> {
    all: Option<&'m Restriction>,
    addresses: HashMap<Ipv6Addr, &'m Restriction>,
    /// By length of the prefix in bits.
    networks: BTreeMap<u8, HashMap<Ipv6Addr, &'m Restriction>>,
    countries: HashMap<[u8; 2], &'m Restriction>,
    continents: HashMap<[u8; 2], &'m Restriction>,
}

pub(super) fn find(model: &Model, findings: &mut Vec<Diagnostic>) {
    let mut earlier = Seen::default();
    for category in CategoryKind::ALL {
        let of_category: Vec<&Restriction> =
            model.restrictions.iter().filter(|restriction| restriction.category == category).collect();
        let all = of_category.iter().copied().find(|restriction| matches!(restriction.scope, Scope::All));
        let mut own = Seen { all, ..Seen::default() };
        for restriction in &of_category {
            let is_first_all = own.all.is_some_and(|all| std::ptr::eq(all, *restriction));
            let hidden_by = earlier
                .widest(restriction.scope)
                .or_else(|| own.all.filter(|_| !is_first_all))
                .or_else(|| own.within_category(restriction.scope));
            match hidden_by {
                Some(other) => findings.push(hidden(restriction, other)),
                None => own.add(restriction),
            }
        }
        for restriction in of_category {
            earlier.add(restriction);
        }
    }
}

fn hidden(restriction: &Restriction, other: &Restriction) -> Diagnostic {
    let message = format!(
        "restriction `{}` never decides: `{}` of line {} is tried before it and matches whatever it does",
        restriction.id, other.id, other.at.line
    );
    let help = "remove it, or make the other narrower";
    Diagnostic::warning(restriction.at, message).with_help(Some(help)).named("hidden-restriction")
}

impl<'m> Seen<'m> {
    fn add(&mut self, restriction: &'m Restriction) {
        match restriction.scope {
            Scope::All => {
                self.all.get_or_insert(restriction);
            }
            Scope::Address(address) => {
                self.addresses.entry(address).or_insert(restriction);
            }
            Scope::Network(network) => {
                self.networks.entry(network.prefix).or_default().entry(network.address).or_insert(restriction);
            }
            Scope::Country(code) => {
                self.countries.entry(code).or_insert(restriction);
            }
            Scope::Continent(code) => {
                self.continents.entry(code).or_insert(restriction);
            }
        }
    }

    /// An entry of an earlier category that matches whatever `scope` does.
    fn widest(&self, scope: Scope) -> Option<&'m Restriction> {
        self.all.or_else(|| self.within_category(scope)).or_else(|| match scope {
            Scope::Address(address) => self.network(address, 128),
            _ => None,
        })
    }

    /// The same for an entry of this category, but for `all`: addresses are tried before networks.
    fn within_category(&self, scope: Scope) -> Option<&'m Restriction> {
        match scope {
            Scope::All => None,
            Scope::Address(address) => self.addresses.get(&address).copied(),
            Scope::Network(Network { address, prefix }) => {
                let single = self.addresses.get(&address).filter(|_| prefix == 128);
                single.copied().or_else(|| self.network(address, prefix))
            }
            Scope::Country(code) => self.countries.get(&code).copied(),
            Scope::Continent(code) => self.continents.get(&code).copied(),
        }
    }

    /// A network with at most `longest` bits of prefix that contains `address`.
    fn network(&self, address: Ipv6Addr, longest: u8) -> Option<&'m Restriction> {
        self.networks.range(..=longest).find_map(|(length, networks)| {
            let mask = u128::MAX.checked_shl(128 - u32::from(*length)).unwrap_or(0);
            networks.get(&Ipv6Addr::from_bits(address.to_bits() & mask)).copied()
        })
    }
}
