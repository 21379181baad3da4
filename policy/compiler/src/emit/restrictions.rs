//! The tables of each category; among restrictions for the same place the first counts.

use std::collections::BTreeMap;

use portcullis_bundle::Contents;
use portcullis_bundle::layout::{
    Address, Category, CategoryKind, NONE, Network, Place, Range, Restriction, facts as bits,
};
use zerocopy::little_endian::{U16, U32};

use super::{Overflow, Strings, append};
use crate::model::{Model, Scope};

/// Facts that the restrictions ask for.
pub(super) fn facts(model: &Model) -> u32 {
    let of_scope = |scope: &Scope| match scope {
        Scope::All => 0,
        Scope::Address(_) | Scope::Network(_) => bits::SOURCE_IP,
        Scope::Country(_) => bits::COUNTRY,
        Scope::Continent(_) => bits::CONTINENT,
    };
    model.restrictions.iter().fold(0, |all, restriction| all | of_scope(&restriction.scope))
}

pub(super) fn write(model: &Model, strings: &mut Strings, contents: &mut Contents) -> Result<(), Overflow> {
    for restriction in &model.restrictions {
        let id = strings.intern(restriction.id.as_bytes())?;
        contents.restrictions.push(Restriction { id, code: U16::new(restriction.code), reserved: [0; 2] });
    }
    for kind in CategoryKind::ALL {
        let category = Tables::of(model, kind).write(contents)?;
        contents.categories.push(category);
    }
    Ok(())
}

/// First restriction by what it names.
#[derive(Default)]
struct Tables {
    all: Option<u32>,
    addresses: BTreeMap<[u8; 16], u32>,
    networks: BTreeMap<u8, BTreeMap<[u8; 16], u32>>,
    countries: BTreeMap<[u8; 2], u32>,
    continents: BTreeMap<[u8; 2], u32>,
}

impl Tables {
    fn of(model: &Model, kind: CategoryKind) -> Self {
        let mut tables = Self::default();
        for (restriction, index) in model.restrictions.iter().zip(0..).filter(|(one, _)| one.category == kind) {
            match restriction.scope {
                Scope::All => tables.all.get_or_insert(index),
                Scope::Address(address) => tables.addresses.entry(address.octets()).or_insert(index),
                Scope::Network(network) => {
                    let networks = tables.networks.entry(network.prefix).or_default();
                    networks.entry(network.address.octets()).or_insert(index)
                }
                Scope::Country(code) => tables.countries.entry(code).or_insert(index),
                Scope::Continent(code) => tables.continents.entry(code).or_insert(index),
            };
        }
        tables
    }

    fn write(self, contents: &mut Contents) -> Result<Category, Overflow> {
        let addresses = append_addresses(contents, self.addresses)?;
        let mut networks = Vec::new();
        for (prefix, starts) in self.networks {
            let addresses = append_addresses(contents, starts)?;
            networks.push(Network { prefix, reserved: [0; 3], addresses });
        }
        let networks = append(&mut contents.networks, networks)?;
        let mut places = |codes: BTreeMap<[u8; 2], u32>| {
            let places = codes.into_iter();
            append(&mut contents.places, places.map(|(code, first)| Place { code, restriction: U32::new(first) }))
        };
        let (countries, continents) = (places(self.countries)?, places(self.continents)?);
        Ok(Category { all: U32::new(self.all.unwrap_or(NONE)), addresses, networks, countries, continents })
    }
}

fn append_addresses(contents: &mut Contents, addresses: BTreeMap<[u8; 16], u32>) -> Result<Range, Overflow> {
    let addresses = addresses.into_iter();
    append(
        &mut contents.addresses,
        addresses.map(|(octets, restriction)| Address { octets, restriction: U32::new(restriction) }),
    )
}
