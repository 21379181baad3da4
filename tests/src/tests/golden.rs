//! A bundle of format 1 that was stored once opens for ever, and decides as it did.
//!
//! Format 1 does not change any more. A new format gets a folder of its own beside this one.

use std::path::Path;

use portcullis_bundle::{Admission, OpenError, Policy, SigningKey, Summary, TenantId};
use portcullis_runtime::{NativePolicy, Request};

const BUNDLE: &[u8] = include_bytes!("../../golden/bundle-v1/policy.bundle");

fn lines(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/bundle-v1").join(name);
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_bundle_opens_and_says_what_it_is() {
    let key = SigningKey::from_seed(&[7; 32]).public_key();
    let policy = Policy::open_signed(BUNDLE.to_vec(), &[key]).unwrap();
    assert_eq!((policy.tenant(), policy.revision(), policy.expires()), ("golden", 41, Some(4_000_000_000)));
    assert_eq!(policy.signer(), Some(key.id()));
    assert_eq!(policy.levels().collect::<Vec<_>>(), [("email", "verified"), ("phone", "verified")]);
    let Summary { size_bytes, rules, routes, levels, restrictions, revocations, .. } = policy.summary();
    assert_eq!((size_bytes, rules, routes, levels), (BUNDLE.len(), 8, 2, 2));
    assert_eq!((restrictions, revocations), (4, 1));
}

#[test]
fn the_bundle_decides_as_it_did() {
    let policy = NativePolicy::open(BUNDLE.to_vec()).unwrap();
    let (requests, decisions) = (lines("requests.jsonl"), lines("decisions.jsonl"));
    assert_eq!(requests.len(), decisions.len());
    for (request, expected) in requests.iter().zip(decisions) {
        let decision = policy.decide(&Request::from_json(request).unwrap());
        assert_eq!(serde_json::to_string(&decision).unwrap(), expected, "{request}");
    }
}

#[test]
fn another_tenant_an_older_revision_and_an_expired_bundle_are_refused_by_name() {
    let policy = Policy::open(BUNDLE.to_vec()).unwrap();
    let (golden, other): (TenantId, TenantId) = ("golden".parse().unwrap(), "other".parse().unwrap());
    let admit = |tenant, revision, now| policy.admit(&Admission { tenant, revision, now });
    assert_eq!(admit(&golden, 0, 0), Ok(()));
    assert_eq!(admit(&golden, 41, 3_999_999_999), Ok(()));
    assert_eq!(admit(&other, 0, 0), Err(OpenError::Tenant { found: golden.clone() }));
    assert_eq!(admit(&golden, 42, 0), Err(OpenError::Older { found: 41, current: 42 }));
    assert_eq!(admit(&golden, 0, 4_000_000_000), Err(OpenError::Expired { expires: 4_000_000_000 }));
}
