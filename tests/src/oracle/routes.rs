//! The governing route (section 3).

use super::cache::regex;
use super::document::{Document, RoutePath};
use super::facts::Http;

/// What governs a request.
pub struct Governing<'a> {
    /// `routes[0].paths[2].GET`.
    pub id: String,
    /// One of them is needed.
    pub permissions: &'a [String],
}

pub fn governing<'a>(document: &'a Document, http: &Http) -> Option<Governing<'a>> {
    let own = http.host.as_ref().and_then(|host| first(document, http, |of_route| of_route.to_lowercase() == *host));
    own.or_else(|| first(document, http, |of_route| of_route == "*"))
}

fn first<'a>(document: &'a Document, http: &Http, is_host: impl Fn(&str) -> bool) -> Option<Governing<'a>> {
    let mut matching: Vec<(String, &RoutePath)> = Vec::new();
    for (route_at, route) in document.routes.iter().enumerate().filter(|(_, route)| is_host(&route.host)) {
        for (path_at, path) in route.paths.iter().enumerate() {
            if regex(&path.pattern).is_match(http.path.as_bytes()) {
                matching.push((format!("routes[{route_at}].paths[{path_at}]"), path));
            }
        }
    }
    // Stable, so that those of one length stay in document order.
    matching.sort_by_key(|(_, path)| std::cmp::Reverse(path.pattern.len()));
    matching.into_iter().find_map(|(id, path)| {
        let own = path.methods.iter().find(|(method, _)| method.to_uppercase() == http.method);
        let any = path.methods.get_key_value("*");
        own.or(any)
            .map(|(method, permissions)| Governing { id: format!("{id}.{}", method.to_uppercase()), permissions })
    })
}
