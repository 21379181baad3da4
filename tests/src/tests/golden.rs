//! A bundle of format 1 that was stored once opens for ever, and decides as it did.
//!
//! Format 1 does not change any more. A new format gets a folder of its own beside this one.

use std::path::Path;

use portcullis_bundle::{Admission, OpenError, Policy, SigningKey, Summary, TenantId};
use portcullis_core::{BodyCheck, ValidateOptions, ValidateScratch, body_check, validate};
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

#[test]
fn the_bundle_checks_documents_as_it_did() {
    let policy = Policy::open(BUNDLE.to_vec()).unwrap();
    let (documents, reports) = (lines("documents.txt"), lines("reports.txt"));
    assert_eq!(documents.len(), reports.len());
    for (document, expected) in documents.iter().zip(reports) {
        assert_eq!(report(&policy, document), expected, "{document}");
    }
}

#[test]
fn the_bundle_asks_for_the_same_bodies() {
    let policy = Policy::open(BUNDLE.to_vec()).unwrap();
    let ask = |method, host, path, content_type| body_check(&policy, method, Some(host), path, Some(content_type));
    let schema = |name| Some(BodyCheck::Schemas(vec![policy.schema_number(name).unwrap()]));
    assert_eq!(ask("POST", "a", "/orders/1", "Application/JSON; charset=utf-8"), schema("order"));
    assert_eq!(ask("POST", "a", "/orders/1", "text/plain"), Some(BodyCheck::WrongContentType));
    assert_eq!(ask("POST", "a", "/orders/1/2", "text/plain"), Some(BodyCheck::Free));
    assert_eq!(ask("PUT", "a", "/orders/1", "application/json"), Some(BodyCheck::Free));
    assert_eq!(ask("BREW", "API.shop.test:80", "/search/x?y=1", "application/x-www-form-urlencoded"), schema("search"));
    assert_eq!(ask("BREW", "API.shop.test:80", "/search/x?y=1", "application/json"), Some(BodyCheck::WrongContentType));
    assert_eq!(ask("BREW", "shop.test", "/search", ""), Some(BodyCheck::Free));
    assert_eq!(ask("BREW", "api.shop.test", "/search/%zz", ""), None);
}

/// `schema document` -> verdict, pointer and code of each violation.
fn report(policy: &Policy, line: &str) -> String {
    let (schema, document) = line.split_once(' ').unwrap();
    let (schema, mut scratch) = (policy.schema_number(schema).unwrap(), ValidateScratch::default());
    let options = ValidateOptions { normalized: true, ..ValidateOptions::default() };
    let report = validate(policy, schema, document.as_bytes(), &options, &mut scratch).unwrap();
    let violations = report.violations.iter().map(|one| format!(" {}:{}: {}", one.pointer, one.code, one.message));
    let normalized = report.normalized.map(|json| format!(" {json}"));
    format!("{:?}{}", report.verdict, violations.chain(normalized).collect::<String>())
}
