//! The numbers that stand for names in a bundle: methods, principals, and who a rule is for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use portcullis_bundle::layout::{PrincipalKind, Who, flags, seeds, who_flags};
use portcullis_bundle::{COMMON_METHODS, Contents, common_method, limits};
use zerocopy::little_endian::{U32, U64};

use super::{EmitError, Overflow, TableEntry, append};
use crate::model::{self, Model, On, Principal, Target};
use crate::shared::Shared;

/// The records and numbers of this bundle.
pub(super) struct Names<'m> {
    /// Those that are not common.
    methods: BTreeMap<&'m str, u32>,
    principals: BTreeMap<&'m Principal, u32>,
    whos: HashMap<&'m Shared<model::Who>, u32>,
    records: Vec<(WhoRecord, Vec<u32>)>,
}

/// A `who` as guards hold it.
#[derive(Clone, Copy)]
pub(super) struct WhoRecord {
    pub(super) number: u32,
    pub(super) mask: u64,
    pub(super) flags: u8,
}

impl<'m> Names<'m> {
    pub(super) fn of(model: &'m Model) -> Result<Self, EmitError> {
        let of_rules = model.rules.iter().filter_map(|rule| match &rule.on {
            On::Http(target) => Some(target),
            On::Resource(_) => None,
        });
        let bodies = model.validations.iter().map(|validation| &validation.target);
        let targets = of_rules.chain(&model.public).chain(&model.blocked).chain(&model.login).chain(bodies);
        let routes = model.routes.iter().flat_map(|route| &route.paths).flat_map(|path| &path.methods);
        let lists: HashSet<&Shared<BTreeSet<String>>> = targets.map(|target| &target.methods).collect();
        let of_targets = lists.into_iter().flat_map(|list| list.iter().map(String::as_str));
        let of_routes = routes.clone().filter_map(|route| route.method.as_deref());
        let methods: BTreeSet<&str> =
            of_targets.chain(of_routes).filter(|method| common_method(method).is_none()).collect();
        let count = methods.len() + COMMON_METHODS as usize;
        if count > limits::METHODS {
            return Err(EmitError::TooManyMethods(count));
        }
        let whos = model.rules.iter().map(|rule| &rule.who).chain(routes.map(|route| &route.who));
        let whos: HashSet<&Shared<model::Who>> = whos.collect();
        let principals: BTreeSet<&Principal> = whos.into_iter().flat_map(|who| &who.principals).collect();
        Ok(Self {
            methods: methods.into_iter().zip(COMMON_METHODS..).collect(),
            principals: principals.into_iter().zip(0..).collect(),
            whos: HashMap::new(),
            records: Vec::new(),
        })
    }

    pub(super) fn principals(&self) -> u32 {
        self.principals.len() as u32
    }

    /// Which kinds of principals there are, beside roles.
    pub(super) fn flags(&self) -> u32 {
        let flag = |kind: PrincipalKind| match kind {
            PrincipalKind::Role => 0,
            PrincipalKind::PermissionGroup => flags::NAMES_GROUPS,
            PrincipalKind::Subject => flags::NAMES_SUBJECTS,
        };
        self.principals.keys().fold(0, |all, (kind, _)| all | flag(*kind))
    }

    pub(super) fn who(&mut self, who: &'m Shared<model::Who>) -> WhoRecord {
        if let Some((record, _)) = self.whos.get(who).and_then(|&number| self.records.get(number as usize)) {
            return *record;
        }
        let members: Vec<u32> =
            who.principals.iter().filter_map(|principal| self.principals.get(principal).copied()).collect();
        let mask = members.iter().fold(0, |mask, member| mask | 1 << (member % u64::BITS));
        let anyone = if who.anyone { who_flags::ANYONE } else { 0 };
        let authenticated = if who.authenticated { who_flags::AUTHENTICATED } else { 0 };
        let record = WhoRecord { number: self.records.len() as u32, mask, flags: anyone | authenticated };
        self.whos.insert(who, record.number);
        self.records.push((record, members));
        record
    }

    /// The methods of a target as a mask.
    pub(super) fn methods(&self, target: &Target) -> u64 {
        if target.methods.is_empty() {
            return u64::MAX;
        }
        target.methods.iter().fold(0, |mask, method| mask | self.method(method))
    }

    pub(super) fn method(&self, method: &str) -> u64 {
        common_method(method).or_else(|| self.methods.get(method).map(|bit| 1 << bit)).unwrap_or(0)
    }

    pub(super) fn write_whos(&self, contents: &mut Contents) -> Result<(), Overflow> {
        for (record, members) in &self.records {
            let members = append(&mut contents.members, members.iter().copied().map(U32::new))?;
            contents.who.push(Who { mask: U64::new(record.mask), members, flags: record.flags, reserved: [0; 7] });
        }
        Ok(())
    }

    pub(super) fn write(&self, table: &mut Vec<TableEntry<'m>>) {
        table.extend(self.methods.iter().map(|(method, bit)| TableEntry::name(seeds::METHOD, method, *bit)));
        let principals = self.principals.iter();
        table.extend(principals.map(|((kind, name), id)| TableEntry::name(seeds::principal(*kind), name, *id)));
    }
}
