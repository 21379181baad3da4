//! Explanations: the same from every packaging, true to the decision, and for a denial what came close.

use std::cmp::Ordering;

use portcullis_runtime::{Check, Explained, NativePolicy, Request, Stage, StageOutcome};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::properties::check;
use crate::engines::bundle;
use crate::generate::{Wire, document, request};

const POLICY: &str = r#"{"version": 1,
    "roles": {"clerk": {"permissions": ["order.read"]}},
    "rules": [
        {"id": "post", "effect": "allow", "who": {"roles": ["clerk"]}, "target": {"methods": ["POST"], "path": {"under": "/orders"}}},
        {"id": "far", "effect": "allow", "who": {"roles": ["boss"]}, "target": {"methods": ["PUT"], "path": {"exact": "/far"}}}
    ],
    "routes": [{"host": "*", "paths": [
        {"pattern": "^/orders", "methods": {"GET": ["order.read"]}},
        {"pattern": "^/orders/secret", "methods": {"GET": ["order.audit"]}}
    ]}]}"#;

/// What the explanation of a request says came close.
fn nearest(action: &str, path: &str, roles: &[&str]) -> Vec<(String, Vec<Check>)> {
    let policy = NativePolicy::open(bundle(POLICY, 1).unwrap()).unwrap();
    let request = json!({"action": action, "path": path, "subject": {"id": "u1", "roles": roles}});
    let explained = policy.explain(&Request::from_json(&request.to_string()).unwrap());
    explained.explanation.nearest.into_iter().map(|miss| (miss.rule, miss.failed)).collect()
}

#[test]
fn the_governing_route_is_a_near_miss_of_who_lacks_its_permission() {
    let route = |path: u32| (format!("routes[0].paths[{path}].GET"), vec![Check::Who]);
    let post = || ("post".to_owned(), vec![Check::Method]);
    assert_eq!(nearest("GET", "/orders/secret", &["clerk"]), [route(1), post()]);
    assert_eq!(nearest("GET", "/orders", &[]), [route(0)]);
    // An allow has no near misses, and without a governing route there is none to miss.
    assert_eq!(nearest("GET", "/orders", &["clerk"]), []);
    assert_eq!(nearest("PUT", "/orders", &["clerk"]), [post()]);
}

#[test]
fn what_is_explained_is_what_is_decided() {
    check(500, &(document(), vec(request(Wire::Any), 20)), |(document, requests)| {
        let native = NativePolicy::open(bundle(&serde_json::to_string(&document).unwrap(), 1).unwrap()).unwrap();
        for request in &requests {
            let Explained { decision, explanation } = native.explain(request);
            prop_assert_eq!(&decision, &native.decide(request));
            prop_assert!(explanation.nearest.is_empty() || !decision.is_allow());
            prop_assert!(explanation.nearest.iter().all(|miss| !miss.failed.is_empty()));

            let outcomes = explanation.stages.iter().map(|report| report.outcome);
            let at = Stage::of(decision.reason, decision.effect).unwrap() as usize;
            let expected = (0..Stage::ALL.len()).map(|stage| match stage.cmp(&at) {
                Ordering::Less => StageOutcome::Passed,
                Ordering::Equal => StageOutcome::Decided,
                Ordering::Greater => StageOutcome::NotReached,
            });
            prop_assert!(outcomes.eq(expected), "{:?}: {:?}", decision.reason, explanation.stages);
            prop_assert!(explanation.stages.iter().map(|report| report.stage).eq(Stage::ALL));
        }
        Ok(())
    });
}

#[cfg(feature = "hosts")]
#[test]
fn the_component_explains_as_the_linked_core_does() {
    use portcullis_runtime::{Limits, PolicySlot, Runtime};

    let runtime = Runtime::new(Limits { instances: 1, ..Limits::default() }).unwrap();
    let slot = PolicySlot::new(&runtime);
    check(300, &(document(), vec(request(Wire::Any), 20)), |(document, requests)| {
        let bundle = bundle(&serde_json::to_string(&document).unwrap(), 1).unwrap();
        slot.install(slot.prepare(bundle.clone()).unwrap());
        let native = NativePolicy::open(bundle).unwrap();
        for request in &requests {
            prop_assert_eq!(&native.explain(request), &slot.explain(request), "{:?}", request);
        }
        Ok(())
    });
}
