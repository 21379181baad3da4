//! Everything that a target leads to, in one list: rules, blocked and public targets, each with whom it is for.

use std::collections::{BTreeSet, HashMap};

use portcullis_bundle::layout::Class;

use super::paths::Path;
use crate::model::{Host, Model, On, PathKind, Principal, ResourceTarget, Target, Who};
use crate::tree::Position;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Blocked,
    Public,
    Deny,
    Allow,
    Audit,
}

#[derive(Debug)]
pub(super) struct Item<'m> {
    pub(super) kind: Kind,
    pub(super) at: Position,
    /// Of a rule, what decisions call it.
    pub(super) name: String,
    pub(super) on: Subject<'m>,
    /// Number in `Whos`.
    pub(super) who: usize,
    pub(super) min_level: u16,
    /// Number of the condition.
    pub(super) condition: Option<u32>,
    pub(super) topic: Option<&'m str>,
}

/// What an item is about.
#[derive(Debug)]
pub(super) enum Subject<'m> {
    Http { target: &'m Target, path: Path<'m> },
    Resource(&'m ResourceTarget),
}

/// The distinct lists of whom rules are for.
#[derive(Default)]
pub(super) struct Whos<'m> {
    /// With the numbers of the principals, sorted; `None` when it is for everybody.
    list: Vec<(&'m Who, Option<Vec<usize>>)>,
    numbers: HashMap<&'m Who, usize>,
    principals: HashMap<&'m Principal, usize>,
}

const ANYONE: &Who = &Who { anyone: true, authenticated: false, principals: BTreeSet::new() };

pub(super) fn items(model: &Model) -> (Vec<Item<'_>>, Whos<'_>) {
    let mut whos = Whos::default();
    let anyone = whos.number(ANYONE);
    let blocked = model.blocked.iter().map(|target| Item::of_target(Kind::Blocked, target, anyone));
    let public = model.public.iter().map(|target| Item::of_target(Kind::Public, target, anyone));
    let mut items: Vec<Item<'_>> = blocked.chain(public).collect();
    items.extend(model.rules.iter().enumerate().map(|(index, rule)| Item {
        kind: match rule.class {
            Class::Deny => Kind::Deny,
            Class::Audit => Kind::Audit,
            _ => Kind::Allow,
        },
        at: rule.at,
        name: rule.name(index),
        on: match &rule.on {
            On::Http(target) => Subject::http(target),
            On::Resource(target) => Subject::Resource(target),
        },
        who: whos.number(&rule.who),
        min_level: rule.min_level,
        condition: rule.condition,
        topic: rule.topic.as_deref(),
    }));
    (items, whos)
}

impl<'m> Subject<'m> {
    fn http(target: &'m Target) -> Self {
        let pattern = target.path.as_ref().map(|pattern| (pattern.kind, &*pattern.text));
        let (kind, text) = pattern.unwrap_or((PathKind::Under, "/"));
        Self::Http { target, path: Path::of(kind, text) }
    }

    /// Whether everything that `other` asks of host and method, or of a resource, is asked here too. Of paths nothing
    /// is said.
    pub(super) fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Http { target, .. }, Self::Http { target: other, .. }) => {
                let has_methods = target.methods.is_empty()
                    || (!other.methods.is_empty() && other.methods.is_subset(&target.methods));
                has_methods && has_hosts(&target.hosts, &other.hosts)
            }
            (Self::Resource(target), Self::Resource(other)) => target.contains(other),
            _ => false,
        }
    }
}

fn has_hosts(hosts: &[Host], others: &[Host]) -> bool {
    let covers = |host: &Host, other: &Host| match (host, other) {
        (Host::Exact(name), Host::Exact(other)) => name == other,
        (Host::Suffix(suffix), Host::Exact(name) | Host::Suffix(name)) => name.ends_with(suffix),
        (Host::Exact(_), Host::Suffix(_)) => false,
    };
    hosts.is_empty() || (!others.is_empty() && others.iter().all(|other| hosts.iter().any(|host| covers(host, other))))
}

impl<'m> Item<'m> {
    fn of_target(kind: Kind, target: &'m Target, anyone: usize) -> Self {
        Self {
            kind,
            at: target.at,
            name: String::new(),
            on: Subject::http(target),
            who: anyone,
            min_level: 0,
            condition: None,
            topic: None,
        }
    }

    /// Where an audit rule writes to: its own id when it does not say.
    pub(super) fn topic(&self) -> &str {
        match self.kind {
            Kind::Audit => self.topic.unwrap_or(&self.name),
            _ => "",
        }
    }

    /// Whether it asks for the same level and condition, or for less.
    pub(super) fn asks_no_more_than(&self, other: &Self) -> bool {
        self.min_level <= other.min_level && (self.condition.is_none() || self.condition == other.condition)
    }

    /// `rule `x` of line 3`
    pub(super) fn called(&self) -> String {
        let line = self.at.line;
        match self.kind {
            Kind::Blocked => format!("the `blocked` target of line {line}"),
            Kind::Public => format!("the `public` target of line {line}"),
            Kind::Deny | Kind::Allow | Kind::Audit => format!("rule `{}` of line {line}", self.name),
        }
    }
}

impl<'m> Whos<'m> {
    fn number(&mut self, who: &'m Who) -> usize {
        let next = self.list.len();
        let number = *self.numbers.entry(who).or_insert(next);
        if number == next {
            let is_wide = who.anyone || who.authenticated;
            let mut principals: Vec<usize> = who.principals.iter().map(|principal| self.principal(principal)).collect();
            principals.sort_unstable();
            self.list.push((who, (!is_wide).then_some(principals)));
        }
        number
    }

    fn principal(&mut self, principal: &'m Principal) -> usize {
        let next = self.principals.len();
        *self.principals.entry(principal).or_insert(next)
    }

    pub(super) fn get(&self, number: usize) -> &'m Who {
        self.list.get(number).map_or(ANYONE, |(who, _)| who)
    }

    /// Sorted numbers of its principals; `None` when it is for everybody, logged in or not.
    pub(super) fn principals(&self, number: usize) -> Option<&[usize]> {
        self.list.get(number)?.1.as_deref()
    }

    /// Whether everybody in `inner` is in `outer`.
    pub(super) fn contains(&self, outer: usize, inner: usize) -> bool {
        let (a, b) = (self.get(outer), self.get(inner));
        let holds = || match (self.principals(outer), self.principals(inner)) {
            (Some(outer), Some(inner)) => inner.iter().all(|principal| outer.binary_search(principal).is_ok()),
            _ => false,
        };
        outer == inner || a.anyone || (!b.anyone && (a.authenticated || (!b.authenticated && holds())))
    }
}
