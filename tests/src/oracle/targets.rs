//! What targets meet (section 1): of HTTP, and of anything else.

use portcullis_runtime::{Request, Target as Asked};

use super::document::{ResourceTarget, Target};
use super::facts::Http;
use super::paths;

pub fn meets(target: &Target, http: &Http) -> bool {
    let host = |pattern: &String| match (pattern.to_lowercase(), &http.host) {
        (pattern, _) if pattern == "*" => true,
        (pattern, Some(host)) => match pattern.strip_prefix('*') {
            Some(end) => host.len() > end.len() && host.ends_with(end),
            None => *host == pattern,
        },
        (_, None) => false,
    };
    let method = |pattern: &String| {
        let pattern = pattern.to_uppercase();
        pattern == "*" || pattern == "ALL" || pattern == http.method
    };
    (target.hosts.is_empty() || target.hosts.iter().any(host))
        && (target.methods.is_empty() || target.methods.iter().any(method))
        && target.path.as_ref().is_none_or(|pattern| paths::matches(pattern, &http.path))
}

pub fn meets_resource(target: &ResourceTarget, request: &Request) -> bool {
    let Asked::Resource { kind, id, .. } = &request.target else { return false };
    let names = |names: &[String], name: &String| names.iter().any(|one| one == "*" || one == name);
    let is_id = |pattern: &String| match (pattern.strip_suffix('*'), id) {
        (Some(start), Some(id)) => id.starts_with(start),
        (None, Some(id)) => id == pattern,
        (_, None) => false,
    };
    names(&target.types, kind)
        && names(&target.actions, &request.action)
        && (target.ids.is_empty() || target.ids.iter().any(is_id))
}
