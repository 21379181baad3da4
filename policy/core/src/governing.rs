//! The route that governs a request (design: "Governing route").
//!
//! In: host and method, and which path patterns match. Out: the one route method whose permissions count, if any.
//! Longest pattern first, the host's own routes before those for every host; nothing is merged.

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{RouteMethod, RoutePath};

use crate::decision::RuleId;
use crate::http::Http;
use crate::patterns::Matched;

/// A path of a route that matches and has the method.
pub(crate) struct Governing<'p> {
    pub(crate) id: RuleId<'p>,
    /// Who has one of its permissions.
    pub(crate) who: u32,
}

/// The route that governs; the outer option is for bytes that cannot be read. `name` is a buffer.
#[expect(clippy::option_option, reason = "not found and not readable are different answers")]
pub(crate) fn governing<'p>(
    policy: &'p Policy,
    http: &Http<'_>,
    name: &mut Vec<u8>,
    matched: &Matched,
) -> Option<Option<Governing<'p>>> {
    let own = match http.host {
        Some(host) => {
            host.lower(name);
            policy.host_routes(name)?
        }
        None => &[],
    };
    for paths in [own, policy.any_host_routes()?] {
        for path in paths.iter().filter(|path| matched.has(path.pattern.get())) {
            if let Some(method) = method_of(policy, path, http.method)? {
                let (route, path) = (path.route.get(), path.path.get());
                let id = RuleId::Route { route, path, method: policy.str(method.name)? };
                return Some(Some(Governing { id, who: method.who.get() }));
            }
        }
    }
    Some(None)
}

/// The entry for the method itself, else the one for any.
#[expect(clippy::option_option, reason = "as in `governing`")]
fn method_of<'p>(policy: &'p Policy, path: &RoutePath, method: u64) -> Option<Option<&'p RouteMethod>> {
    let methods = policy.route_methods(path.methods)?.iter();
    let having = methods.filter(|one| one.methods.get() & method != 0);
    Some(having.min_by_key(|one| one.methods.get() == u64::MAX))
}
