//! The structure of a bundle, checked once: every offset, index, order and enumeration that readers rely on.
//!
//! A digest says that bytes are what a compiler wrote, not that the compiler was ours. What passes here cannot make a
//! reader loop, read outside a section or see an unknown enumeration.

use zerocopy::little_endian::U32;

use crate::layout::{
    Category, CategoryKind, Class, FREE, HostKind, NONE, Node, PARTIAL, PathKind, PrincipalKind, Range, Text, flags,
    who_flags,
};
use crate::limits;
use crate::open::OpenError;
use crate::policy::{Policy, Records};

pub fn check(policy: &Policy) -> Result<(), OpenError> {
    let Records { strings, .. } = policy.records();
    section("strings", core::str::from_utf8(strings.all(policy.bytes())).is_ok())?;
    section("header", header(policy))?;
    section("rules", rules(policy).is_some())?;
    section("paths", tree(policy).is_some())?;
    section("entries", entries(policy).is_some())?;
    section("who", who(policy).is_some())?;
    section("names", names(policy).is_some())?;
    section("hosts", hosts(policy).is_some())?;
    section("methods", methods(policy).is_some())?;
    section("states", policy.states().iter().all(|&state| text(policy, state).is_some()))?;
    section("restrictions", restrictions(policy).is_some())
}

fn section(section: &'static str, holds: bool) -> Result<(), OpenError> {
    if holds { Ok(()) } else { Err(OpenError::Malformed { section }) }
}

/// `Some` when `condition` holds, for use with `?`.
fn ensure(condition: bool) -> Option<()> {
    condition.then_some(())
}

fn text(policy: &Policy, text: Text) -> Option<&str> {
    core::str::from_utf8(policy.text(text)?).ok()
}

fn header(policy: &Policy) -> bool {
    let header = policy.header();
    let name = policy.tenant();
    !name.is_empty()
        && name.len() == usize::from(header.tenant_length)
        && header.tenant.iter().skip(name.len()).all(|&byte| byte == 0)
        && header.flags.get() & !flags::ALL == 0
        && header.statuses.iter().all(|status| (100..600).contains(&status.get()))
}

fn rules(policy: &Policy) -> Option<()> {
    let Records { who, host_lists, .. } = policy.records();
    ensure(policy.rules().len() <= limits::RULES)?;
    for rule in policy.rules() {
        text(policy, rule.id)?;
        text(policy, rule.topic)?;
        text(policy, rule.pattern)?;
        ensure(matches!(Class::from_byte(rule.class)?, Class::Deny | Class::Allow | Class::Audit))?;
        PathKind::from_byte(rule.path_kind)?;
        ensure((rule.who.get() as usize) < who.len() && rule.hosts.get() as usize <= host_lists.len())?;
    }
    Some(())
}

/// The nodes are a tree: a child lies behind its parent and has only one, so that a walk ends and sees no node twice.
fn tree(policy: &Policy) -> Option<()> {
    let Records { nodes, .. } = policy.records();
    ensure(nodes.len() > 0 && nodes.len() < PARTIAL as usize)?;
    let mut has_parent = vec![false; nodes.len()];
    let mut adopt = |parent: usize, child: usize| {
        let has_parent = has_parent.get_mut(child)?;
        ensure(parent < child && !core::mem::replace(has_parent, true))
    };
    for (at, node) in nodes.all(policy.bytes()).iter().enumerate() {
        let Node { wildcard, here, under, tail, lengths } = *node;
        if wildcard.get() != 0 {
            adopt(at, wildcard.get() as usize)?;
        }
        policy.entries(here)?;
        policy.entries(under)?;
        policy.entries(tail)?;
        ensure(ascending(policy.lengths(lengths)?))?;
    }
    let slots = policy.edges();
    ensure(slots.len().is_power_of_two() && slots.iter().any(|edge| edge.child.get() == 0))?;
    for edge in slots.iter().filter(|edge| edge.child.get() != 0) {
        adopt((edge.seed.get() & !PARTIAL) as usize, edge.child.get() as usize)?;
        text(policy, edge.label)?;
    }
    Some(())
}

fn entries(policy: &Policy) -> Option<()> {
    let Records { entries, rules, who, host_lists, .. } = policy.records();
    for entry in entries.all(policy.bytes()) {
        ensure(entry.hosts.get() as usize <= host_lists.len())?;
        match Class::from_byte(entry.class)? {
            Class::Blocked | Class::Public => ensure(entry.rule.get() == NONE && entry.who.get() == NONE)?,
            Class::Deny | Class::Allow | Class::Audit => {
                ensure(rules.get(policy.bytes(), entry.rule.get())?.class == entry.class)?;
                ensure((entry.who.get() as usize) < who.len() && entry.flags & !who_flags::ALL == 0)?;
            }
        }
    }
    Some(())
}

fn who(policy: &Policy) -> Option<()> {
    let Records { who, .. } = policy.records();
    for one in who.all(policy.bytes()) {
        ensure(one.flags & !who_flags::ALL == 0)?;
        let members = policy.members(one.members)?;
        ensure(ascending(members) && members.last().is_none_or(|last| last.get() < policy.principals()))?;
    }
    Some(())
}

fn names(policy: &Policy) -> Option<()> {
    let names = policy.records().names.all(policy.bytes());
    ensure(names.len().is_power_of_two())?;
    ensure(names.iter().any(|name| name.kind == FREE))?;
    for name in names.iter().filter(|name| name.kind != FREE) {
        PrincipalKind::from_byte(name.kind)?;
        ensure(name.id.get() < policy.principals())?;
        text(policy, name.text)?;
    }
    Some(())
}

fn hosts(policy: &Policy) -> Option<()> {
    let Records { host_lists, hosts, .. } = policy.records();
    for list in host_lists.all(policy.bytes()) {
        hosts.range(policy.bytes(), *list)?;
    }
    for host in hosts.all(policy.bytes()) {
        HostKind::from_byte(host.kind)?;
        text(policy, host.text)?;
    }
    Some(())
}

fn methods(policy: &Policy) -> Option<()> {
    let methods = policy.records().methods.all(policy.bytes());
    ensure(methods.len() <= limits::METHODS)?;
    methods.iter().try_for_each(|&method| text(policy, method).map(drop))
}

fn restrictions(policy: &Policy) -> Option<()> {
    let Records { categories, restrictions, addresses, .. } = policy.records();
    ensure(categories.len() == CategoryKind::ALL.len())?;
    for restriction in restrictions.all(policy.bytes()) {
        text(policy, restriction.id)?;
        ensure((100..600).contains(&restriction.code.get()))?;
    }
    for address in addresses.all(policy.bytes()) {
        ensure((address.restriction.get() as usize) < restrictions.len())?;
    }
    for category in categories.all(policy.bytes()) {
        let Category { all, addresses, networks } = *category;
        ensure(all.get() == NONE || (all.get() as usize) < restrictions.len())?;
        sorted_addresses(policy, addresses)?;
        for network in policy.networks(networks)? {
            ensure(network.prefix <= 128)?;
            sorted_addresses(policy, network.addresses)?;
        }
    }
    Some(())
}

fn sorted_addresses(policy: &Policy, range: Range) -> Option<()> {
    ensure(policy.addresses(range)?.is_sorted_by(|a, b| a.octets < b.octets))
}

fn ascending(numbers: &[U32]) -> bool {
    numbers.is_sorted_by(|a, b| a.get() < b.get())
}
