//! Policies and requests at random, over a vocabulary so small that they often meet.

use std::collections::BTreeMap;

use portcullis_runtime::{Credential, Request, Subject, Target as RequestTarget};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::BoxedStrategy;

use crate::oracle::{Document, Group, Path, Restriction, Role, Rule, SubjectPolicy, Target, Who};

const ROLES: [&str; 6] = ["guest", "clerk", "editor", "admin", "auditor", "Admin"];
const PERMISSIONS: [&str; 4] = ["order.read", "order.write", "user.read", "*"];
const GROUPS: [&str; 3] = ["night-shift", "vip", "clerk"];
const SUBJECTS: [&str; 4] = ["u1", "u2", "clerk", "U1"];
const SEGMENTS: [&str; 7] = ["a", "b", "users", "admin", "administrators", "x.y", "%2A"];
const METHODS: [&str; 6] = ["GET", "POST", "DELETE", "PATCH", "PUT", "OPTIONS"];
const HOSTS: [&str; 5] = ["api.example.com", "example.com", "*.example.com", "*.com", "*"];
const ADDRESSES: [&str; 7] =
    ["10.0.0.1", "10.0.1.7", "192.0.2.5", "2001:db8::1", "2001:db8:0:1::9", "::ffff:10.0.0.1", "255.255.255.255"];
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
const REASONS: [&str; 7] = [
    "malformed_request",
    "restricted_maintenance",
    "restricted_blacklist",
    "blocked",
    "rule",
    "unauthenticated",
    "no_match",
];

fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(names).prop_map(str::to_owned)
}

fn some_of(names: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    subsequence(names, 0..=most).prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

// === policies ===

pub fn document() -> impl Strategy<Value = Document> {
    let rules = vec(rule(), 0..12);
    let targets = || vec(target(), 0..2);
    (roles(), groups(), rules, targets(), targets(), vec(restriction(), 0..4), of(subject_policy()), statuses())
        .prop_map(|(roles, permission_groups, mut rules, public, blocked, mut restrictions, subject, statuses)| {
            // Every second one has an id, so that both kinds are seen.
            for (at, rule) in rules.iter_mut().enumerate() {
                rule.id = (at % 2 == 0).then(|| format!("r{at}"));
            }
            for (at, restriction) in restrictions.iter_mut().enumerate() {
                restriction.id = (at % 2 == 0).then(|| format!("x{at}"));
            }
            Document { version: 1, roles, permission_groups, rules, public, blocked, restrictions, subject, statuses }
        })
}

/// A role inherits only from those before it in the list, so there are no cycles.
fn roles() -> impl Strategy<Value = BTreeMap<String, Role>> {
    let role = (vec(any::<prop::sample::Index>(), 0..3), some_of(&PERMISSIONS, 2));
    vec(role, ROLES.len()).prop_map(|roles| {
        let role = |(at, (parents, permissions)): (usize, (Vec<prop::sample::Index>, Vec<String>))| {
            let parents = parents.into_iter().filter(|_| at > 0).map(|parent| ROLES[parent.index(at)].to_owned());
            (ROLES[at].to_owned(), Role { description: None, inherits: parents.collect(), permissions })
        };
        roles.into_iter().enumerate().map(role).collect()
    })
}

fn groups() -> impl Strategy<Value = BTreeMap<String, Group>> {
    btree_map(one_of(&GROUPS), some_of(&PERMISSIONS, 2).prop_map(|permissions| Group { permissions }), 0..3)
}

pub fn rule() -> impl Strategy<Value = Rule> {
    let effect = prop_oneof![4 => Just("allow"), 1 => Just("deny"), 1 => Just("audit")];
    (effect, who(), target(), of(Just("orders".to_owned()))).prop_map(|(effect, who, target, topic)| {
        let topic = topic.filter(|_| effect == "audit");
        Rule { id: None, effect: effect.to_owned(), who, target, topic }
    })
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
    ]
}

fn restriction() -> impl Strategy<Value = Restriction> {
    let category = prop_oneof![
        1 => Just("whitelist"), 1 => Just("allowlist"), 1 => Just("maintenance"), 3 => Just("blacklist"), 1 => Just("denylist"),
    ];
    let scope = prop_oneof![
        1 => Just(("all", None)),
        6 => one_of(&ADDRESSES).prop_map(|value| ("ip", Some(value))),
        6 => one_of(&NETWORKS).prop_map(|value| ("ip_subnet", Some(value))),
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
    let states = subsequence(&["active", "pending", "verified"][..], 1..=2);
    let states = states.prop_map(|states| states.into_iter().map(str::to_owned).collect());
    (of(states), of(any::<bool>()))
        .prop_map(|(states, api_key_requires_otp)| SubjectPolicy { states, api_key_requires_otp })
}

fn statuses() -> impl Strategy<Value = BTreeMap<String, u16>> {
    btree_map(one_of(&REASONS), 400_u16..600, 0..2)
}

// === requests ===

/// What may be asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Anything the API takes.
    Any,
    /// What a well-formed HTTP/1.1 request can carry, as Envoy sees it.
    Http,
}

pub fn request(wire: Wire) -> impl Strategy<Value = Request> {
    let strange = if wire == Wire::Any { 1 } else { 0 };
    let action = prop_oneof![
        20 => one_of(&METHODS),
        strange => select(&["get", "BREW", "G T", "", "GET\n", "CAF\u{c9}"][..]).prop_map(str::to_owned),
    ];
    let http = (host(wire), raw_path(wire)).prop_map(|(host, path)| RequestTarget::Http { host, path });
    let resource = (Just("record".to_owned()), of(Just("r1".to_owned())));
    let resource = resource.prop_map(|(kind, id)| RequestTarget::Resource { kind, id });
    let target = prop_oneof![20 => http, strange => resource];
    let address = select(&ADDRESSES[..]).prop_map(|address| address.parse().ok());
    let address = if wire == Wire::Any { prop_oneof![3 => address, 1 => Just(None)].boxed() } else { address.boxed() };
    let credential = select(&Credential::ALL[..]);
    (action, target, address, of(subject()), credential).prop_map(
        move |(action, target, source_ip, subject, credential)| {
            // Over HTTP nobody presents a credential without being somebody.
            let anonymous = wire == Wire::Http && subject.is_none();
            let credential = if anonymous { Credential::None } else { credential };
            Request { action, target, source_ip, subject, credential }
        },
    )
}

fn subject() -> impl Strategy<Value = Subject> {
    let names = |names: &'static [&'static str]| {
        (some_of(names, 3), of(Just("nobody-knows".to_owned()))).prop_map(|(mut names, unknown)| {
            names.extend(unknown);
            names
        })
    };
    let state = prop_oneof![5 => Just("active"), 1 => Just("pending"), 1 => Just("banned"), 1 => Just("verified")];
    (one_of(&SUBJECTS), state, names(&ROLES), names(&GROUPS), any::<bool>()).prop_map(
        |(id, state, roles, permission_groups, otp)| Subject {
            id,
            state: state.to_owned(),
            roles,
            permission_groups,
            otp,
        },
    )
}

fn host(wire: Wire) -> BoxedStrategy<Option<String>> {
    let plain = select(
        &[
            "api.example.com",
            "API.Example.com",
            "example.com.",
            "example.com:8443",
            "a.b.example.com.:80",
            "com",
            "other.org",
            "notexample.com",
        ][..],
    );
    let plain = plain.prop_map(|host| Some(host.to_owned()));
    match wire {
        Wire::Http => plain.boxed(),
        Wire::Any => {
            let strange =
                select(&["u@example.com", "a..com", "[::1]:80", "[::1", "exa mple.com", ".", "a:b:c", "a,b", ""][..]);
            prop_oneof![6 => plain, 2 => Just(None), 1 => strange.prop_map(|host| Some(host.to_owned()))].boxed()
        }
    }
}

/// Paths in the many spellings of few meanings.
fn raw_path(wire: Wire) -> impl Strategy<Value = String> {
    let plain = select(&SEGMENTS[..]);
    let spelled = select(
        &[
            "%61", "%75sers", "adm%69n", "x%2Ey", "x%2ey", "%2a", "", ".", "..", "%2e", "%2E.", "%2E%2e", "a%2Fb",
            "a%5cb", "a;v=1", "%00", "%zz", "%c3%a9", "%ff", "%252e", "a%20b", "*", "admin%3B",
        ][..],
    );
    let unsendable = select(&["a b", "\u{e9}", "a\\b", "a#b", "a\nb", "\u{7f}", "{x}", "a\"b"][..]);
    let strange = if wire == Wire::Any { 1 } else { 0 };
    let segment = prop_oneof![16 => plain, 4 => spelled, strange => unsendable];
    let end = prop_oneof![6 => Just(""), 2 => Just("/"), 1 => Just("?q=/../admin"), 1 => Just("/?"), 1 => Just("bc")];
    let path = (vec(segment, 0..5), end).prop_map(|(segments, end)| format!("/{}{end}", segments.join("/")));
    let long = (8180_usize..8200).prop_map(|length| format!("/{}", "a".repeat(length - 1)));
    let no_path = select(&["", "a", "*", "?", "http://example.com/a"][..]).prop_map(str::to_owned);
    prop_oneof![60 * 2 => path, strange => long, strange => no_path]
}
