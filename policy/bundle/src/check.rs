//! The structure of a bundle, checked once: every offset, index, order and enumeration that readers rely on.
//!
//! A digest says that bytes are what a compiler wrote, not that the compiler was ours. What passes here cannot make a
//! reader loop, read outside a section or see an unknown enumeration.

use regex_automata::dfa::Automaton as _;
use zerocopy::little_endian::U32;

use crate::bytecode;
use crate::layout::{
    Category, CategoryKind, Cell, Class, Entry, Guard, HostKind, NONE, Place, Range, Text, facts, flags, seeds,
    who_flags,
};
use crate::limits;
use crate::open::OpenError;
use crate::policy::Policy;
use crate::records::{COMMON_METHODS, Records, slice};
use crate::schema;

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
    section("conditions", bytecode::check(policy).is_some())?;
    section("schemas", schema::check(policy).is_some())
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
    let Records { cells, route_hosts, .. } = policy.records();
    ensure(cells.len() < seeds::NODES as usize)?;
    for root in [policy.records().http_root()?, policy.records().resource_root()?] {
        ensure(root.cell.seed.get() == seeds::ROOT)?;
    }
    for (cell, place) in cells.iter().zip(0..) {
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
            seed if seeds::is_node(seed) => node(policy, cell, place)?,
            _ => ensure(cell.id.get() < policy.principals())?,
        }
    }
    Some(())
}

fn node(policy: &Policy, cell: &Cell, place: u32) -> Option<()> {
    let records = policy.records();
    if cell.id.get() != NONE {
        let wildcard = records.cells.get(cell.id.get() as usize)?;
        ensure(wildcard.seed.get() == place | seeds::WILDCARD)?;
    }
    records.entries(cell)?;
    ensure(ascending(records.lengths(cell)?))
}

fn entries(policy: &Policy) -> Option<()> {
    let Records { entries, guards, rules, .. } = policy.records();
    // Nodes share no entries: else a small bundle could take long to check.
    let mut left = entries.len();
    let records = policy.records();
    let check = |entries: &[Entry]| {
        entries.iter().try_for_each(|entry| {
            let guard = guards.get(entry.guard() as usize)?;
            entry.kind()?;
            match rules.get(entry.rule.get() as usize) {
                Some(rule) => ensure(rule.guard.get() == entry.guard()),
                None => ensure(entry.rule.get() == NONE && !is_rule(guard)?),
            }
        })
    };
    for node in records.nodes() {
        let entries = records.entries(node)?.all;
        if entries.len() > 1 {
            left = left.checked_sub(entries.len())?;
        }
        check(entries)?;
    }
    for pattern in 0..records.patterns.len() as u32 {
        let entries = policy.pattern_entries(pattern)?;
        left = left.checked_sub(entries.len())?;
        check(entries)?;
    }
    Some(())
}

fn guards(policy: &Policy) -> Option<()> {
    let Records { guards, terms, who, host_lists, topics, programs, .. } = policy.records();
    for &topic in *topics {
        policy.str(topic)?;
    }
    for terms in terms.iter() {
        ensure(terms.hosts.get() as usize <= host_lists.len() && terms.topic.get() as usize <= topics.len())?;
        ensure(terms.when.get() as usize <= programs.len())?;
        ensure(terms.who.get() == NONE || (terms.who.get() as usize) < who.len())?;
    }
    for guard in guards.iter() {
        ensure(guard.flags & !who_flags::ALL == 0)?;
        let terms = policy.records().terms(guard)?;
        ensure(is_rule(guard)? == (terms.who.get() != NONE) && guard.asks == terms.asks())?;
    }
    Some(())
}

fn is_rule(guard: &Guard) -> Option<bool> {
    Some(match Class::from_byte(guard.class)? {
        Class::Blocked | Class::Public | Class::Login => false,
        Class::Deny | Class::Allow | Class::Audit => true,
    })
}

fn rules(policy: &Policy) -> Option<()> {
    ensure(policy.rules().len() <= limits::RULES)?;
    for rule in policy.rules() {
        ensure(is_rule(policy.guard(rule.guard.get())?)?)?;
    }
    let Records { rules, rule_ids, .. } = policy.records();
    ensure(rule_ids.is_empty() || rule_ids.len() == rules.len())?;
    rule_ids.iter().try_for_each(|id| policy.str(*id).map(|_| ()))
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
