//! Requests.

use portcullis_runtime::{Credential, Request, Subject, Target};
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;

use super::Wire;
use super::vocabulary::{
    ACTIONS, ADDRESSES, CONTINENTS, COUNTRIES, GROUPS, KINDS, MALFORMED_PROPERTIES, METHODS, PROPERTIES, ROLES,
    SEGMENTS, SUBJECTS, TIMES, UNSENDABLE_PROPERTIES, one_of, some_of,
};

/// The time of a request over HTTP, in unix seconds: Envoy takes the real one.
const HTTP_NOW: u64 = 1_800_000_000;

pub fn request(wire: Wire) -> impl Strategy<Value = Request> {
    let address = select(&ADDRESSES[..]).prop_map(|address| address.parse().ok());
    let address = if wire == Wire::Http { address.boxed() } else { prop_oneof![3 => address, 1 => Just(None)].boxed() };
    let place = (of(one_of(&COUNTRIES)), of(one_of(&CONTINENTS)));
    let credential = select(&Credential::ALL[..]);
    (target(wire), address, place, weighted(0.75, subject(wire)), credential, properties(wire), now(wire)).prop_map(
        move |((action, target), source_ip, (country, continent), subject, credential, context, now)| {
            let anonymous = wire.is_for_filter() && subject.is_none();
            let credential = if anonymous { Credential::None } else { credential };
            Request { action, target, source_ip, country, continent, subject, credential, context, now }
        },
    )
}

/// The action, and on what.
fn target(wire: Wire) -> BoxedStrategy<(String, Target)> {
    let strange = if wire == Wire::Http { 0 } else { 1 };
    let method = prop_oneof![
        40 => one_of(&METHODS),
        strange => select(&["get", "BREW", "G T", "", "GET\n", "CAF\u{c9}"][..]).prop_map(str::to_owned),
    ];
    let http =
        (method, host(wire), raw_path(wire)).prop_map(|(method, host, path)| (method, Target::Http { host, path }));
    if wire.is_for_filter() {
        return http.boxed();
    }
    let action = prop_oneof![20 => one_of(&ACTIONS), 1 => Just(String::new())];
    let resource = (action, one_of(&KINDS), of(one_of(&["r1", "r12", "R1", "x"])), properties(wire));
    let resource =
        resource.prop_map(|(action, kind, id, properties)| (action, Target::Resource { kind, id, properties }));
    prop_oneof![5 => http, 1 => resource].boxed()
}

fn now(wire: Wire) -> BoxedStrategy<Option<u64>> {
    // From before the earliest token to an hour after the last.
    let times = select(&[0, 1_599_999_999, 1_600_003_599, 1_600_003_600, 1_700_000_000, 1_700_003_601][..]);
    match wire {
        Wire::Http => Just(Some(HTTP_NOW)).boxed(),
        // A proxy has a clock.
        Wire::Proxy => times.prop_map(Some).boxed(),
        Wire::Any | Wire::Json => of(times).boxed(),
    }
}

fn properties(wire: Wire) -> BoxedStrategy<Option<String>> {
    let some = |texts: &'static [&'static str]| one_of(texts).prop_map(Some);
    match wire {
        Wire::Proxy | Wire::Http => Just(None).boxed(),
        Wire::Json => {
            prop_oneof![100 => Just(None), 100 => some(&PROPERTIES), 1 => some(&MALFORMED_PROPERTIES)].boxed()
        }
        Wire::Any => prop_oneof![
            100 => Just(None),
            100 => some(&PROPERTIES),
            1 => some(&MALFORMED_PROPERTIES),
            1 => some(&UNSENDABLE_PROPERTIES),
        ]
        .boxed(),
    }
}

fn subject(wire: Wire) -> impl Strategy<Value = Subject> {
    let names = |names: &'static [&'static str]| {
        (some_of(names, 3), of(Just("nobody-knows".to_owned()))).prop_map(|(mut names, unknown)| {
            names.extend(unknown);
            names
        })
    };
    let state = prop_oneof![16 => Just("active"), 1 => Just("pending"), 1 => Just("banned"), 1 => Just("verified")];
    let kind = of(select(&["user", "service"][..]).prop_map(str::to_owned));
    let level = prop_oneof![1 => Just(None), 3 => (0_u32..4).prop_map(Some)];
    let facts = (level, any::<bool>(), of(select(&TIMES[..])), properties(wire));
    (one_of(&SUBJECTS), kind, state, names(&ROLES), names(&GROUPS), facts).prop_map(
        |(id, kind, state, roles, permission_groups, (level, otp, issued_at, properties))| Subject {
            id,
            kind,
            state: state.to_owned(),
            roles,
            permission_groups,
            level,
            otp,
            issued_at,
            properties,
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
        Wire::Any | Wire::Json | Wire::Proxy => {
            let strange =
                select(&["u@example.com", "a..com", "[::1]:80", "[::1", "exa mple.com", ".", "a:b:c", "a,b", ""][..]);
            prop_oneof![24 => plain, 6 => Just(None), 1 => strange.prop_map(|host| Some(host.to_owned()))].boxed()
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
    let unsendable = &["a b", "a\\b", "a#b", "a\nb", "\u{7f}", "{x}", "a\"b", "\u{e9}"][..];
    // The filter refuses what is not ASCII, the core spells it out.
    let unsendable = if wire == Wire::Proxy { &unsendable[..7] } else { unsendable };
    let unsendable = select(unsendable);
    let strange = if wire == Wire::Http { 0 } else { 1 };
    let segment = prop_oneof![30 => plain, 4 => spelled, strange => unsendable];
    let end = prop_oneof![6 => Just(""), 2 => Just("/"), 1 => Just("?q=/../admin"), 1 => Just("/?"), 1 => Just("bc")];
    let path = (vec(segment, 0..5), end).prop_map(|(segments, end)| format!("/{}{end}", segments.join("/")));
    let long = (8180_usize..8200).prop_map(|length| format!("/{}", "a".repeat(length - 1)));
    let no_path = select(&["", "a", "*", "?", "http://example.com/a"][..]).prop_map(str::to_owned);
    prop_oneof![200 => path, strange => long, strange => no_path]
}
