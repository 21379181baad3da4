//! Rules and targets that change nothing: duplicate, shadowed, unreachable; and rules that contradict each other.

use std::collections::{BTreeSet, HashMap};

use super::cover::Index;
use super::items::{Item, Kind, Subject, Whos, items};
use super::paths::Path;
use crate::diagnostic::Diagnostic;
use crate::model::{Host, Model, Principal, ResourceTarget};

/// A rule for more than so many is not compared with others one by one.
const PRINCIPALS: usize = 1_000;

pub(super) fn find(model: &Model, findings: &mut Vec<Diagnostic>) {
    let (items, whos) = items(model);
    let index = Index::of(&items, &whos);
    let mut first: HashMap<(About<'_>, Kind, usize, &str), usize> = HashMap::new();
    for (number, item) in items.iter().enumerate() {
        let same = *first.entry((About::of(item), item.kind, item.who, item.topic())).or_insert(number);
        if same != number
            && let Some(other) = items.get(same)
        {
            findings.push(duplicate(item, other));
            continue;
        }
        let covers = index.covers(&items, &whos, number);
        let covers = covers.into_iter().filter_map(|cover| Some((cover, items.get(cover)?)));
        let reasons = covers.filter_map(|(cover, other)| Some((effect_of(item, other)?, cover, other)));
        let reasons = reasons.filter(|(effect, cover, other)| {
            // Of two that cover each other only the later is in vain.
            *effect == Effect::Unreachable || *cover < number || !is_mutual(item, other, &whos)
        });
        if let Some((effect, _, other)) = reasons.min_by_key(|(effect, cover, _)| (*effect, *cover)) {
            findings.push(in_vain(effect, item, other));
        }
    }
    conflicts(&items, &whos, findings);
}

/// What an item is about and when it counts, for comparison.
#[derive(PartialEq, Eq, Hash)]
struct About<'i> {
    on: On<'i>,
    min_level: u16,
    condition: Option<u32>,
}

#[derive(PartialEq, Eq, Hash)]
enum On<'i> {
    Http { path: &'i Path<'i>, hosts: Vec<&'i Host>, methods: &'i BTreeSet<String> },
    Resource(&'i ResourceTarget),
}

impl<'i> About<'i> {
    fn of(item: &'i Item<'_>) -> Self {
        let on = match &item.on {
            Subject::Http { target, path } => {
                let mut hosts: Vec<&Host> = target.hosts.iter().collect();
                hosts.sort_unstable();
                hosts.dedup();
                On::Http { path, hosts, methods: &target.methods }
            }
            Subject::Resource(target) => On::Resource(target),
        };
        Self { on, min_level: item.min_level, condition: item.condition }
    }
}

/// What it means to be covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Unreachable,
    Shadowed,
}

fn effect_of(item: &Item<'_>, cover: &Item<'_>) -> Option<Effect> {
    match (item.kind, cover.kind) {
        (Kind::Allow, Kind::Deny | Kind::Blocked | Kind::Public)
        | (Kind::Deny, Kind::Blocked | Kind::Public)
        | (Kind::Audit, Kind::Blocked)
        | (Kind::Public, Kind::Blocked) => Some(Effect::Unreachable),
        (Kind::Allow, Kind::Allow)
        | (Kind::Deny, Kind::Deny)
        | (Kind::Public, Kind::Public)
        | (Kind::Blocked, Kind::Blocked) => Some(Effect::Shadowed),
        _ => None,
    }
}

fn is_mutual<'m>(item: &Item<'m>, other: &Item<'m>, whos: &Whos<'m>) -> bool {
    let has_path = match (&item.on, &other.on) {
        (Subject::Http { path, .. }, Subject::Http { path: other, .. }) => path == other,
        _ => true,
    };
    has_path && item.on.contains(&other.on) && item.min_level <= other.min_level && whos.contains(item.who, other.who)
}

fn duplicate(item: &Item<'_>, other: &Item<'_>) -> Diagnostic {
    let (name, message) = match item.kind {
        Kind::Blocked | Kind::Public => ("duplicate-target", format!("target is the same as {}", other.called())),
        _ => ("duplicate-rule", format!("rule `{}` says the same as {}", item.name, other.called())),
    };
    Diagnostic::warning(item.at, message).with_help(Some("remove one of the two")).named(name)
}

fn in_vain(effect: Effect, item: &Item<'_>, other: &Item<'_>) -> Diagnostic {
    let own = match item.kind {
        Kind::Blocked | Kind::Public => "target".to_owned(),
        _ => format!("rule `{}`", item.name),
    };
    let cover = other.called();
    let (name, message, help) = match (effect, other.kind) {
        (Effect::Shadowed, Kind::Blocked | Kind::Public) => (
            "shadowed-target",
            format!("{own} changes nothing: {cover} covers it"),
            "remove it, or make the other narrower",
        ),
        (Effect::Shadowed, _) => (
            "shadowed-rule",
            format!("{own} changes nothing: {cover} covers it"),
            "remove it, or make the other narrower",
        ),
        (_, Kind::Blocked) if item.kind == Kind::Public => (
            "public-in-blocked",
            format!("target is never public: {cover} covers it"),
            "what is blocked is decided first",
        ),
        (_, Kind::Blocked) => {
            ("unreachable-rule", format!("{own} never applies: {cover} covers it"), "what is blocked is decided first")
        }
        (_, Kind::Public) => (
            "unreachable-rule",
            format!("{own} never applies: {cover} covers it"),
            "what is public is decided before rules",
        ),
        _ => ("unreachable-rule", format!("{own} never applies: {cover} covers it"), "a deny beats every allow"),
    };
    Diagnostic::warning(item.at, message).with_help(Some(help)).named(name)
}

/// Allow and deny rules about the same, each for some of the other's people and for others too.
fn conflicts<'m>(items: &[Item<'m>], whos: &Whos<'m>, findings: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<About<'_>, Sides<'m>> = HashMap::new();
    for (number, item) in items.iter().enumerate() {
        let is_allow = match item.kind {
            Kind::Allow => true,
            Kind::Deny => false,
            Kind::Blocked | Kind::Public | Kind::Audit => continue,
        };
        let who = whos.get(item.who);
        if who.anyone || who.authenticated || who.principals.len() > PRINCIPALS {
            continue;
        }
        let sides = seen.entry(About::of(item)).or_default();
        let (own, others) = match is_allow {
            true => (&mut sides.allows, &sides.denies),
            false => (&mut sides.denies, &sides.allows),
        };
        let conflict = who.principals.iter().find_map(|principal| {
            let other = items.get(*others.get(principal)?)?;
            let is_exception = whos.contains(item.who, other.who) || whos.contains(other.who, item.who);
            (!is_exception).then_some((principal, other))
        });
        if let Some(((_, name), other)) = conflict {
            let message = format!("rule `{}` contradicts {} for `{name}`", item.name, other.called());
            let help = "the deny wins for whoever is in both; say in one of them who is meant";
            findings.push(Diagnostic::warning(item.at, message).with_help(Some(help)).named("conflicting-rules"));
        }
        for principal in &who.principals {
            own.entry(principal).or_insert(number);
        }
    }
}

/// The first rule for each principal.
#[derive(Default)]
struct Sides<'m> {
    allows: HashMap<&'m Principal, usize>,
    denies: HashMap<&'m Principal, usize>,
}
