//! Settings of routes in a real Envoy: another tenant, switched off, not understood.

use portcullis_rig::upstream::Seen;
use portcullis_rig::{Answer, Request};
use serde_json::{Value, json};

use super::failures::{Edge, OPEN, Published};
use super::{TIMEOUT, check_denied};

const OF_ACME: &str = "{\"version\": 1, \"public\": [{\"path\": {\"exact\": \"/acme/public\"}}]}";

fn route(prefix: &str, settings: Value) -> Value {
    json!({"match": {"prefix": prefix}, "metadata": {"filter_metadata": {"portcullis": settings}}})
}

#[test]
fn a_route_of_envoy_chooses_a_tenant_or_switches_the_filter_off_and_nothing_else() {
    let bundle = |tenant: &'static str, document| {
        (tenant.to_owned(), Published { tenant, ..Published::new(document, 1) }.bundle())
    };
    let both = Answer::Bundles(vec![bundle("default", OPEN), bundle("acme", OF_ACME)]);
    let edge = Edge::start(both, |setup| {
        setup.routes = vec![
            route("/acme/", json!({"tenant": "acme"})),
            route("/off/", json!({"disabled": true})),
            route("/globex/", json!({"tenant": "globex"})),
            route("/odd/", json!({"disable": true})),
            route("/odder/", json!({"disabled": "true"})),
        ];
        setup.more = json!({"revocations": false, "tenants": [{"tenant": "acme", "token": "other-token"}]});
    });
    edge.wait_for(1);
    let acme = Request::get("/acme/public");
    edge.envoy.wait_until_all("the policy of acme", &acme, TIMEOUT, |response| response.status == 200).unwrap();

    // Each tenant's policy says nothing about the other's routes.
    check_denied(&edge.envoy.send(&Request::get("/acme/other")).unwrap(), 401, "unauthenticated");
    assert_eq!(edge.envoy.send(&Request::get("/public")).unwrap().status, 200);
    check_denied(&edge.envoy.send(&Request::get("/acmes/public")).unwrap(), 401, "unauthenticated");

    // What is not decided on carries no identity either.
    let forged = Request::get("/off/x").header("x-portcullis-subject", "root").header("X_Portcullis_Roles", "admin");
    let response = edge.envoy.send(&forged).unwrap();
    let seen = Seen::in_response(&response).unwrap();
    let identity = ["x-portcullis-subject", "x_portcullis_roles", "x-portcullis-roles"].map(|name| seen.headers(name));
    assert_eq!(identity, [[""; 0]; 3].map(Vec::from));

    let passed = edge.upstream.requests();
    for target in ["/globex/public", "/odd/public", "/odder/public"] {
        check_denied(&edge.envoy.send(&Request::get(target)).unwrap(), 503, "policy_unavailable");
    }
    // The route is the one of the path as it came; a path that is not canonical is refused whatever the route says.
    for target in ["/off/../other", "/x/../off/y", "//off/x", "/off/%2e%2e/other"] {
        let response = edge.envoy.send(&Request::get(target)).unwrap();
        assert_ne!(response.status, 200, "{target}");
    }
    assert_eq!(edge.upstream.requests(), passed);
}
