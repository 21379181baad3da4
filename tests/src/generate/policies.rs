//! Policies.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::strategy::BoxedStrategy;

use super::Wire;
use super::vocabulary::{
    ACTIONS, ADDRESSES, CONDITIONS, CONTINENTS, COUNTRIES, GROUPS, KINDS, METHODS, PERMISSIONS, REGEXES, ROLES,
    SEGMENTS, SUBJECTS, TIMES, one_of, some_of,
};
use crate::oracle::{
    Document, Group, Level, Path, ResourceTarget, Restriction, Revocation, Role, Route, RoutePath, Rule, SubjectPolicy,
    Target, Who,
};

const HOSTS: [&str; 5] = ["api.example.com", "example.com", "*.example.com", "*.com", "*"];
const ROUTE_HOSTS: [&str; 5] = ["api.example.com", "API.Example.com", "example.com", "com", "*"];
const NETWORKS: [&str; 9] = [
    "10.0.0.0/8",
    "10.0.1.7/24",
    "10.0.0.1/32",
    "0.0.0.0/0",
    "192.0.2.4/30",
    "2001:db8::/32",
    "2001:db8::/64",
    "::/0",
    "::ffff:10.0.0.0/104",
];
const REASONS: [&str; 13] = [
    "malformed_request",
    "restricted_maintenance",
    "restricted_blacklist",
    "restricted_login",
    "blocked",
    "subject_inactive",
    "otp_required",
    "token_revoked",
    "rule",
    "unauthenticated",
    "missing_permission",
    "level_too_low",
    "no_match",
];
/// A `min_level` is at most their number.
const LEVELS: [(&str, &str); 3] = [("email", "verified"), ("phone", "verified"), ("document", "verified")];

pub fn document() -> impl Strategy<Value = Document> {
    let targets = |most: usize| prop_oneof![2 => Just(Vec::new()), 1 => vec(target(), 1..most)];
    let lists = (targets(2), targets(2), vec(target(), 0..3), vec(restriction(), 0..5));
    let settings = (of(subject_policy()), statuses());
    (
        roles(),
        groups(),
        prop_oneof![1 => vec(rule(), 0..4), 2 => vec(rule(), 0..14)],
        prop_oneof![1 => Just(Vec::new()), 3 => vec(route(), 1..5)],
        lists,
        settings,
    )
        .prop_map(|(roles, permission_groups, mut rules, routes, lists, (subject, statuses))| {
            let (public, blocked, login, mut restrictions) = lists;
            // Every second one has an id, so that both kinds are seen.
            for (at, rule) in rules.iter_mut().enumerate() {
                rule.id = (at % 2 == 0).then(|| format!("r{at}"));
            }
            for (at, restriction) in restrictions.iter_mut().enumerate() {
                restriction.id = (at % 2 == 0).then(|| format!("x{at}"));
            }
            let levels = LEVELS.map(|(key, value)| Level { key: key.to_owned(), value: value.to_owned() }).to_vec();
            Document {
                version: 1,
                roles,
                permission_groups,
                rules,
                routes,
                public,
                blocked,
                login,
                restrictions,
                levels,
                subject,
                statuses,
            }
        })
}

/// What a bundle carries beside the document, for who is given bundles; neither command nor server takes them.
pub fn revocations(wire: Wire) -> BoxedStrategy<Vec<Revocation>> {
    let revocations = btree_map(one_of(&SUBJECTS), select(&TIMES[..]), 0..3);
    let revocations = revocations.prop_map(|revocations| revocations.into_iter().collect());
    match wire {
        Wire::Any | Wire::Proxy => prop_oneof![1 => Just(Vec::new()), 1 => revocations].boxed(),
        Wire::Json | Wire::Http => Just(Vec::new()).boxed(),
    }
}

/// A role inherits only from those before it in the list, so there are no cycles.
fn roles() -> impl Strategy<Value = BTreeMap<String, Role>> {
    let role = (vec(any::<Index>(), 0..3), some_of(&PERMISSIONS, 2));
    vec(role, ROLES.len()).prop_map(|roles| {
        let role = |(at, (parents, permissions)): (usize, (Vec<Index>, Vec<String>))| {
            let parents = parents.into_iter().filter(|_| at > 0).map(|parent| ROLES[parent.index(at)].to_owned());
            (ROLES[at].to_owned(), Role { description: None, r#type: None, inherits: parents.collect(), permissions })
        };
        roles.into_iter().enumerate().map(role).collect()
    })
}

fn groups() -> impl Strategy<Value = BTreeMap<String, Group>> {
    btree_map(
        one_of(&GROUPS),
        some_of(&PERMISSIONS, 2).prop_map(|permissions| Group { description: None, permissions }),
        0..3,
    )
}

pub fn rule() -> impl Strategy<Value = Rule> {
    let effect = prop_oneof![4 => Just("allow"), 1 => Just("deny"), 1 => Just("audit")];
    let on = prop_oneof![
        4 => target().prop_map(|target| (Some(target), None)),
        1 => resource().prop_map(|resource| (None, Some(resource))),
    ];
    let when = prop_oneof![2 => Just(None), 1 => one_of(&CONDITIONS).prop_map(Some)];
    let min_level = prop_oneof![3 => Just(None), 2 => (1_u32..=3).prop_map(Some)];
    (effect, who(), on, when, min_level, of(Just("orders".to_owned()))).prop_map(
        |(effect, who, (target, resource), when, min_level, topic)| {
            let topic = topic.filter(|_| effect == "audit");
            Rule { id: None, effect: effect.to_owned(), who, target, resource, when, min_level, topic }
        },
    )
}

fn who() -> impl Strategy<Value = Who> {
    let flags = (prop::bool::weighted(0.15), prop::bool::weighted(0.15));
    (some_of(&ROLES, 3), some_of(&PERMISSIONS, 1), some_of(&GROUPS, 1), some_of(&SUBJECTS, 1), flags).prop_map(
        |(roles, permissions, permission_groups, subjects, (authenticated, anyone))| {
            let mut who = Who { roles, permissions, permission_groups, subjects, authenticated, anyone };
            let selects_nobody = who.roles.is_empty()
                && who.permissions.is_empty()
                && who.permission_groups.is_empty()
                && who.subjects.is_empty();
            who.authenticated |= selects_nobody && !who.anyone;
            who
        },
    )
}

fn target() -> impl Strategy<Value = Target> {
    let hosts = prop_oneof![3 => Just(Vec::new()), 1 => some_of(&HOSTS, 2)];
    let methods = prop_oneof![
        2 => Just(Vec::new()),
        3 => some_of(&METHODS, 3),
        1 => select(&["*", "all", "get", "ALL"][..]).prop_map(|method| vec![method.to_owned()]),
    ];
    (hosts, methods, of(path())).prop_map(|(hosts, methods, path)| Target { hosts, methods, path })
}

fn resource() -> impl Strategy<Value = ResourceTarget> {
    let names = |names: &'static [&'static str]| {
        prop_oneof![
            2 => subsequence(names, 1..=2).prop_map(|names| names.into_iter().map(str::to_owned).collect()),
            1 => Just(vec!["*".to_owned()]),
        ]
    };
    let ids = prop_oneof![1 => Just(Vec::new()), 1 => some_of(&["r1", "r12", "r*", "*", "x*"], 2)];
    (names(&KINDS), ids, names(&ACTIONS)).prop_map(|(types, ids, actions)| ResourceTarget { types, ids, actions })
}

fn route() -> impl Strategy<Value = Route> {
    let permissions = some_of(&PERMISSIONS, 3);
    let methods = btree_map(one_of(&["GET", "POST", "DELETE", "*"]), permissions, 1..3);
    let path = (one_of(&REGEXES), methods).prop_map(|(pattern, methods)| RoutePath { pattern, methods });
    (one_of(&ROUTE_HOSTS), vec(path, 1..8)).prop_map(|(host, paths)| Route { host, paths })
}

fn path() -> impl Strategy<Value = Path> {
    let segments = || vec(select(&SEGMENTS[..]), 0..4).prop_map(|segments| format!("/{}", segments.join("/")));
    let template = (vec(prop_oneof![2 => select(&SEGMENTS[..]), 1 => Just("{x}")], 0..4), of(Just("{rest*}")));
    prop_oneof![
        (segments(), any::<bool>())
            .prop_map(|(path, slash)| { Path::Exact(if slash && path != "/" { format!("{path}/") } else { path }) }),
        segments().prop_map(Path::Under),
        (segments(), 0_usize..3).prop_map(|(path, cut)| {
            // Not inside `%2A`: what is left would be no path.
            let cut = if path.ends_with("%2A") { 0 } else { cut.min(path.len() - 1) };
            Path::Prefix(path[..path.len() - cut].to_owned())
        }),
        template.prop_map(|(mut segments, rest)| {
            segments.extend(rest);
            Path::Template(format!("/{}", segments.join("/")))
        }),
        one_of(&REGEXES).prop_map(Path::Regex),
    ]
}

fn restriction() -> impl Strategy<Value = Restriction> {
    let category = prop_oneof![
        1 => Just("whitelist"), 1 => Just("allowlist"), 1 => Just("maintenance"), 3 => Just("blacklist"), 1 => Just("denylist"),
        3 => Just("blocklogin"),
    ];
    let scope = prop_oneof![
        1 => Just(("all", None)),
        6 => one_of(&ADDRESSES).prop_map(|value| ("ip", Some(value))),
        6 => one_of(&NETWORKS).prop_map(|value| ("ip_subnet", Some(value))),
        3 => one_of(&COUNTRIES).prop_map(|value| ("country", Some(value))),
        2 => one_of(&CONTINENTS).prop_map(|value| ("continent", Some(value))),
    ];
    let state = prop_oneof![3 => Just(None), 1 => Just(Some("enabled")), 3 => Just(Some("disabled"))];
    (category, scope, of(400_u16..600), state).prop_map(|(category, (scope, value), code, state)| Restriction {
        id: None,
        category: category.to_owned(),
        scope: scope.to_owned(),
        value,
        code,
        state: state.map(str::to_owned),
    })
}

fn subject_policy() -> impl Strategy<Value = SubjectPolicy> {
    let states = subsequence(&["active", "pending", "verified"][..], 1..=3);
    let states = states.prop_map(|states| states.into_iter().map(str::to_owned).collect());
    (of(states), of(any::<bool>()))
        .prop_map(|(states, api_key_requires_otp)| SubjectPolicy { states, api_key_requires_otp })
}

fn statuses() -> impl Strategy<Value = BTreeMap<String, u16>> {
    btree_map(one_of(&REASONS), 400_u16..600, 0..2)
}
