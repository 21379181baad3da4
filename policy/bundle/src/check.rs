//! The structure of a bundle, checked once: every offset, index, order and enumeration that readers rely on.
//!
//! A digest says that bytes are what a compiler wrote, not that the compiler was ours. What passes here cannot make a
//! reader loop, read outside a section or see an unknown enumeration.

use regex_automata::dfa::Automaton as _;
use zerocopy::little_endian::U32;

use crate::bytecode;
use crate::layout::{
    Category, CategoryKind, Cell, Class, HostKind, NONE, Place, Range, Text, cell_flags, facts, flags, seeds, who_flags,
};
use crate::limits;
use crate::open::OpenError;
use crate::policy::Policy;
use crate::records::{COMMON_METHODS, Records, slice};

pub fn check(policy: &Policy) -> Result<(), OpenError> {
    let Records { strings, .. } = policy.records();
    section("strings", core::str::from_utf8(strings).is_ok())?;
    section("header", header(policy))?;
    section("cells", cells(policy).is_some())?;
    section("entries", entries(policy).is_some())?;
    section("guards", guards(policy).is_some())?;
    section("rules", rules(policy).is_some())?;
    section("who", who(policy).is_some())?;
    section("hosts", hosts(policy).is_some())?;
    section("routes", routes(policy).is_some())?;
    section("patterns", patterns(policy).is_some())?;
    section("levels", levels(policy).is_some())?;
    section("restrictions", restrictions(policy).is_some())?;
    section("revocations", revocations(policy).is_some())?;
    section("conditions", bytecode::check(policy).is_some())
}

fn section(section: &'static str, holds: bool) -> Result<(), OpenError> {
    if holds { Ok(()) } else { Err(OpenError::Malformed { section }) }
}

/// `Some` when `condition` holds, for use with `?`.
fn ensure(condition: bool) -> Option<()> {
    condition.then_some(())
}

fn header(policy: &Policy) -> bool {
    let header = policy.header();
    let name = policy.tenant();
    !name.is_empty()
        && name.len() == usize::from(header.tenant_length)
        && header.tenant.iter().skip(name.len()).all(|&byte| byte == 0)
        && header.flags.get() & !flags::ALL == 0
        && header.facts.get() & !facts::ALL == 0
        && header.statuses.iter().all(|status| (100..600).contains(&status.get()))
}

/// A walk down the trie ends without a check of its shape: each step takes a segment of the path, and a cell has one
/// parent.
fn cells(policy: &Policy) -> Option<()> {
    ensure(policy.records().http_root()?.id.get() == seeds::HTTP_ROOT)?;
    ensure(policy.records().resource_root()?.id.get() == seeds::RESOURCE_ROOT)?;
    let Records { cells, route_hosts, .. } = policy.records();
    for cell in cells.iter() {
        let seed = cell.seed.get();
        if let Some(text) = cell.label.long()
            && seed != seeds::FREE
        {
            policy.str(text)?;
        }
        match seed {
            seeds::FREE | seeds::STATE => {}
            seeds::METHOD => ensure((COMMON_METHODS as usize..limits::METHODS).contains(&(cell.id.get() as usize)))?,
            seeds::ROUTE_HOST => ensure((cell.id.get() as usize) < route_hosts.len())?,
            seed if seeds::is_node(seed) => node(policy, cell)?,
            _ => ensure(cell.id.get() < policy.principals())?,
        }
    }
    Some(())
}

fn node(policy: &Policy, cell: &Cell) -> Option<()> {
    ensure(cell.id.get() < seeds::NODES && cell.flags & !cell_flags::WILDCARD == 0)?;
    policy.records().entries(cell)?;
    ensure(ascending(policy.records().lengths(cell)?))
}

fn entries(policy: &Policy) -> Option<()> {
    let Records { entries, guards, rules, .. } = policy.records();
    let (guards, rules) = (guards.len(), rules.len());
    // Nodes share no entries: else a small bundle could take long to check.
    let mut left = entries.len();
    let records = policy.records();
    let patterns = 0..policy.records().patterns.len() as u32;
    let of_patterns = patterns.map(|pattern| policy.pattern_entries(pattern));
    for entries in records.nodes().map(|node| Some(records.entries(node)?.all)).chain(of_patterns) {
        let entries = entries?;
        left = left.checked_sub(entries.len())?;
        for entry in entries {
            ensure((entry.guard() as usize) < guards && entry.kind().is_some())?;
            ensure(entry.rule.get() == NONE || (entry.rule.get() as usize) < rules)?;
        }
    }
    Some(())
}

fn guards(policy: &Policy) -> Option<()> {
    let Records { guards, who, host_lists, topics, programs, .. } = policy.records();
    for &topic in *topics {
        policy.str(topic)?;
    }
    for guard in guards.iter() {
        ensure(guard.hosts.get() as usize <= host_lists.len() && guard.topic.get() as usize <= topics.len())?;
        ensure(guard.flags & !who_flags::ALL == 0 && guard.when.get() as usize <= programs.len())?;
        match Class::from_byte(guard.class)? {
            Class::Blocked | Class::Public | Class::Login => ensure(guard.who.get() == NONE)?,
            Class::Deny | Class::Allow | Class::Audit => ensure((guard.who.get() as usize) < who.len())?,
        }
    }
    Some(())
}

fn rules(policy: &Policy) -> Option<()> {
    ensure(policy.rules().len() <= limits::RULES)?;
    for rule in policy.rules() {
        let guard = policy.guard(rule.guard.get())?;
        ensure(matches!(Class::from_byte(guard.class)?, Class::Deny | Class::Allow | Class::Audit))?;
        policy.str(rule.id)?;
    }
    Some(())
}

fn who(policy: &Policy) -> Option<()> {
    let Records { who, .. } = policy.records();
    for one in who.iter() {
        ensure(one.flags & !who_flags::ALL == 0)?;
        let members = policy.members(one.members)?;
        ensure(ascending(members) && members.last().is_none_or(|last| last.get() < policy.principals()))?;
    }
    Some(())
}

fn hosts(policy: &Policy) -> Option<()> {
    let Records { host_lists, hosts, .. } = policy.records();
    for list in host_lists.iter() {
        slice(hosts, *list)?;
    }
    for host in hosts.iter() {
        HostKind::from_byte(host.kind)?;
        policy.str(host.text)?;
    }
    Some(())
}

fn routes(policy: &Policy) -> Option<()> {
    let Records { route_hosts, route_paths, route_methods, who, patterns, .. } = policy.records();
    ensure(!route_hosts.is_empty())?;
    for host in route_hosts.iter() {
        slice(route_paths, host.paths)?;
    }
    for path in route_paths.iter() {
        ensure((path.pattern.get() as usize) < patterns.len())?;
        policy.route_methods(path.methods)?;
    }
    for method in route_methods.iter() {
        policy.str(method.name)?;
        ensure((method.who.get() as usize) < who.len())?;
    }
    Some(())
}

/// Each pattern of an automaton has a number.
fn patterns(policy: &Policy) -> Option<()> {
    let Records { patterns, .. } = policy.records();
    for set in policy.pattern_sets() {
        let automaton = policy.automaton(set.automaton.get())?;
        ensure(automaton.pattern_len() == set.patterns.count.get() as usize)?;
        slice(patterns, set.patterns)?;
    }
    Some(())
}

fn levels(policy: &Policy) -> Option<()> {
    let Records { levels, .. } = policy.records();
    for level in levels.iter() {
        policy.str(level.key)?;
        policy.str(level.value)?;
    }
    Some(())
}

fn restrictions(policy: &Policy) -> Option<()> {
    let Records { categories, restrictions, addresses, places, .. } = policy.records();
    ensure(categories.len() == CategoryKind::ALL.len())?;
    for restriction in restrictions.iter() {
        policy.str(restriction.id)?;
        ensure((100..600).contains(&restriction.code.get()))?;
    }
    let exists = |restriction: U32| ensure((restriction.get() as usize) < restrictions.len());
    for address in addresses.iter() {
        exists(address.restriction)?;
    }
    for Place { restriction, .. } in places.iter() {
        exists(*restriction)?;
    }
    for category in categories.iter() {
        let Category { all, addresses, networks, countries, continents } = *category;
        ensure(all.get() == NONE || (all.get() as usize) < restrictions.len())?;
        sorted_addresses(policy, addresses)?;
        for network in policy.networks(networks)? {
            ensure(network.prefix <= 128)?;
            sorted_addresses(policy, network.addresses)?;
        }
        for places in [countries, continents] {
            ensure(policy.places(places)?.is_sorted_by(|a, b| a.code < b.code))?;
        }
    }
    Some(())
}

fn sorted_addresses(policy: &Policy, range: Range) -> Option<()> {
    ensure(policy.addresses(range)?.is_sorted_by(|a, b| a.octets < b.octets))
}

fn revocations(policy: &Policy) -> Option<()> {
    let subject = |subject: Text| policy.str(subject);
    let revocations = policy.records().revocations;
    for revocation in revocations {
        subject(revocation.subject)?;
    }
    ensure(revocations.is_sorted_by(|a, b| subject(a.subject) < subject(b.subject)))
}

fn ascending(numbers: &[U32]) -> bool {
    numbers.is_sorted_by(|a, b| a.get() < b.get())
}
