//! Model -> bundle bytes: names become numbers, patterns a trie, addresses sorted tables.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portcullis_bundle::hash::hash;
use portcullis_bundle::layout::{
    Address, Category, CategoryKind, Class, Entry, FREE, HostKind, NONE, Name, Network, OTHER_METHOD, PathKind, Range,
    Restriction, Rule, Text, Who, flags, who_flags,
};
use portcullis_bundle::{Contents, Meta, layout, limits};
use zerocopy::FromZeros;
use zerocopy::little_endian::{U16, U32, U64};

use crate::Options;
use crate::model::{self, Host, Model, Principal, Scope, Target};
use crate::trie::{Trie, append, table};

#[derive(Debug, thiserror::Error)]
pub(crate) enum EmitError {
    #[error("{0} different HTTP methods, the limit is {limit}", limit = limits::METHODS)]
    TooManyMethods(usize),
    #[error(transparent)]
    TooLarge(#[from] Overflow),
}

/// A section does not fit the offsets of the format.
#[derive(Debug, thiserror::Error)]
#[error("bundle would be larger than the limit of {limit} bytes", limit = limits::BUNDLE_BYTES)]
pub(crate) struct Overflow;

pub(crate) fn emit(model: &Model, options: &Options) -> Result<Vec<u8>, EmitError> {
    let mut strings = Strings::default();
    let mut contents = Contents::default();
    let numbers = Numbers::of(model)?;

    let mut hosts = HostLists::default();
    let mut trie = Trie::new();
    for (index, rule) in model.rules.iter().enumerate() {
        let who = numbers.who(&rule.who);
        let place = numbers.whos.get(&who).copied().unwrap_or(NONE);
        let (mask, flags, _) = who;
        let methods = numbers.method_mask(&rule.target);
        let hosts = hosts.number(&rule.target);
        let pattern = rule.target.path.as_ref();
        let entry = Entry {
            methods: U64::new(methods),
            mask: U64::new(mask),
            hosts: U32::new(hosts),
            who: U32::new(place),
            rule: U32::new(index as u32),
            class: rule.class as u8,
            flags,
            reserved: [0; 2],
        };
        trie.insert(pattern, entry);
        contents.rules.push(Rule {
            id: strings.intern(rule.id.as_bytes())?,
            topic: strings.intern(rule.topic.as_bytes())?,
            pattern: strings.intern(pattern.map_or("", |pattern| &pattern.text).as_bytes())?,
            class: rule.class as u8,
            path_kind: pattern.map_or(PathKind::Any, |pattern| pattern.kind) as u8,
            reserved: [0; 2],
            hosts: U32::new(hosts),
            who: U32::new(place),
            methods: U64::new(methods),
        });
    }
    for (class, targets) in [(Class::Blocked, &model.blocked), (Class::Public, &model.public)] {
        for target in targets {
            let entry = Entry {
                methods: U64::new(numbers.method_mask(target)),
                mask: U64::ZERO,
                hosts: U32::new(hosts.number(target)),
                who: U32::new(NONE),
                rule: U32::new(NONE),
                class: class as u8,
                flags: 0,
                reserved: [0; 2],
            };
            trie.insert(target.path.as_ref(), entry);
        }
    }
    trie.write(&mut strings, &mut contents)?;
    hosts.write(&mut strings, &mut contents)?;
    numbers.write(&mut strings, &mut contents)?;
    for state in &model.states {
        contents.states.push(strings.intern(state.as_bytes())?);
    }
    restrictions(model, &mut strings, &mut contents)?;
    contents.strings = strings.bytes;

    let meta = Meta {
        tenant: options.tenant.as_str(),
        revision: options.revision,
        created: options.created,
        expires: options.expires,
        flags: if model.api_key_requires_otp { flags::API_KEY_REQUIRES_OTP } else { 0 },
        principals: numbers.principals.len() as u32,
        statuses: model.statuses,
    };
    Ok(contents.seal(&meta, options.sign.as_ref()).ok_or(Overflow)?)
}

/// The strings section; equal texts share a place.
#[derive(Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    places: HashMap<Vec<u8>, Text>,
}

impl Strings {
    pub(crate) fn intern(&mut self, text: &[u8]) -> Result<Text, Overflow> {
        if let Some(place) = self.places.get(text) {
            return Ok(*place);
        }
        let number = |number: usize| u32::try_from(number).map(U32::new).map_err(|_| Overflow);
        let place = Text { offset: number(self.bytes.len())?, bytes: number(text.len())? };
        self.bytes.extend_from_slice(text);
        self.places.insert(text.to_vec(), place);
        Ok(place)
    }
}

/// Mask, flags and ascending members, as in `layout::Who`.
type WhoKey = (u64, u8, Vec<u32>);

/// The numbers that stand for names in this bundle.
struct Numbers<'m> {
    principals: BTreeMap<&'m Principal, u32>,
    methods: BTreeMap<&'m str, u32>,
    whos: BTreeMap<WhoKey, u32>,
}

impl<'m> Numbers<'m> {
    fn of(model: &'m Model) -> Result<Self, EmitError> {
        let targets = model.rules.iter().map(|rule| &rule.target).chain(&model.public).chain(&model.blocked);
        let methods: BTreeSet<&str> = targets.flat_map(|target| &target.methods).map(String::as_str).collect();
        if methods.len() > limits::METHODS {
            return Err(EmitError::TooManyMethods(methods.len()));
        }
        let principals: BTreeSet<&Principal> = model.rules.iter().flat_map(|rule| &rule.who.principals).collect();
        let mut numbers = Self {
            principals: principals.into_iter().zip(0..).collect(),
            methods: methods.into_iter().zip(0..).collect(),
            whos: BTreeMap::new(),
        };
        for rule in &model.rules {
            let key = numbers.who(&rule.who);
            let next = numbers.whos.len() as u32;
            numbers.whos.entry(key).or_insert(next);
        }
        Ok(numbers)
    }

    fn who(&self, who: &model::Who) -> WhoKey {
        let members: Vec<u32> =
            who.principals.iter().filter_map(|principal| self.principals.get(principal).copied()).collect();
        let mask = members.iter().fold(0, |mask, member| mask | 1 << (member % u64::BITS));
        let anyone = if who.anyone { who_flags::ANYONE } else { 0 };
        let authenticated = if who.authenticated { who_flags::AUTHENTICATED } else { 0 };
        (mask, anyone | authenticated, members)
    }

    fn method_mask(&self, target: &Target) -> u64 {
        if target.methods.is_empty() {
            return u64::MAX;
        }
        let bits = target.methods.iter().filter_map(|method| self.methods.get(method.as_str()));
        bits.fold(0, |mask, bit| mask | (1 << bit) & !OTHER_METHOD)
    }

    fn write(&self, strings: &mut Strings, contents: &mut Contents) -> Result<(), Overflow> {
        for method in self.methods.keys() {
            contents.methods.push(strings.intern(method.as_bytes())?);
        }
        let mut names = Vec::with_capacity(self.principals.len());
        for ((kind, name), id) in &self.principals {
            let text = strings.intern(name.as_bytes())?;
            let slot = hash(*kind as u32, name.as_bytes());
            names.push((slot, Name { kind: *kind as u8, reserved: [0; 3], id: U32::new(*id), text }));
        }
        let free = Name { kind: FREE, ..Name::new_zeroed() };
        contents.names = table(names, free, |name| name.kind == FREE);
        let mut whos: Vec<(&WhoKey, &u32)> = self.whos.iter().collect();
        whos.sort_by_key(|(_, place)| **place);
        for ((mask, flags, members), _) in whos {
            let members = append(&mut contents.members, members.iter().copied().map(U32::new))?;
            contents.who.push(Who { mask: U64::new(*mask), members, flags: *flags, reserved: [0; 7] });
        }
        Ok(())
    }
}

/// The distinct lists of hosts.
#[derive(Default)]
struct HostLists<'m>(BTreeMap<&'m [Host], u32>);

impl<'m> HostLists<'m> {
    /// 0 is any host.
    fn number(&mut self, target: &'m Target) -> u32 {
        if target.hosts.is_empty() {
            return 0;
        }
        let next = self.0.len() as u32 + 1;
        *self.0.entry(&target.hosts).or_insert(next)
    }

    fn write(self, strings: &mut Strings, contents: &mut Contents) -> Result<(), Overflow> {
        let mut lists: Vec<(&[Host], u32)> = self.0.into_iter().collect();
        lists.sort_by_key(|(_, number)| *number);
        for (list, _) in lists {
            let mut hosts = Vec::with_capacity(list.len());
            for host in list {
                let (kind, text) = match host {
                    Host::Exact(text) => (HostKind::Exact, text),
                    Host::Suffix(text) => (HostKind::Suffix, text),
                };
                let text = strings.intern(text.as_bytes())?;
                hosts.push(layout::Host { kind: kind as u8, reserved: [0; 3], text });
            }
            let list = append(&mut contents.hosts, hosts)?;
            contents.host_lists.push(list);
        }
        Ok(())
    }
}

/// The tables of each category; among restrictions for the same addresses the first counts.
fn restrictions(model: &Model, strings: &mut Strings, contents: &mut Contents) -> Result<(), Overflow> {
    for restriction in &model.restrictions {
        let id = strings.intern(restriction.id.as_bytes())?;
        contents.restrictions.push(Restriction { id, code: U16::new(restriction.code), reserved: [0; 2] });
    }
    for kind in CategoryKind::ALL {
        let mut all = NONE;
        let mut addresses: BTreeMap<[u8; 16], u32> = BTreeMap::new();
        let mut by_prefix: BTreeMap<u8, BTreeMap<[u8; 16], u32>> = BTreeMap::new();
        for (index, restriction) in model.restrictions.iter().enumerate().filter(|(_, one)| one.category == kind) {
            let index = index as u32;
            match restriction.scope {
                Scope::All => all = all.min(index),
                Scope::Address(address) => {
                    addresses.entry(address.octets()).or_insert(index);
                }
                Scope::Network(network) => {
                    let networks = by_prefix.entry(network.prefix).or_default();
                    networks.entry(network.address.octets()).or_insert(index);
                }
            }
        }
        let addresses = append_addresses(contents, addresses)?;
        let mut networks = Vec::new();
        for (prefix, starts) in by_prefix {
            let addresses = append_addresses(contents, starts)?;
            networks.push(Network { prefix, reserved: [0; 3], addresses });
        }
        let networks = append(&mut contents.networks, networks)?;
        contents.categories.push(Category { all: U32::new(all), addresses, networks });
    }
    Ok(())
}

fn append_addresses(contents: &mut Contents, addresses: BTreeMap<[u8; 16], u32>) -> Result<Range, Overflow> {
    let addresses = addresses.into_iter();
    append(
        &mut contents.addresses,
        addresses.map(|(octets, restriction)| Address { octets, restriction: U32::new(restriction) }),
    )
}
