//! Routes by host, the longest pattern first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use portcullis_bundle::Contents;
use portcullis_bundle::layout::{self, NONE, RouteHost};
use zerocopy::little_endian::{U32, U64};

use super::names::Names;
use super::patterns::Patterns;
use super::{Overflow, Strings, append, number};
use crate::model::{Model, RoutePath};

/// The paths of a host, each with its place in the document.
type Paths<'m> = Vec<((usize, usize), &'m RoutePath)>;

/// Writes the routes; answers the hosts that have some of their own, each with the number of its record.
pub(super) fn write<'m>(
    model: &'m Model,
    patterns: &Patterns<'m>,
    names: &mut Names<'m>,
    strings: &mut Strings,
    contents: &mut Contents,
) -> Result<Vec<(&'m str, u32)>, Overflow> {
    let numbers = patterns.numbers();
    // The first host is any, also when no route is for it.
    let mut hosts: BTreeMap<Option<&'m str>, Paths<'m>> = BTreeMap::from([(None, Vec::new())]);
    for (at, route) in model.routes.iter().enumerate() {
        let paths = hosts.entry(route.host.as_deref()).or_default();
        paths.extend(route.paths.iter().enumerate().map(|(path, pattern)| ((at, path), pattern)));
    }
    let mut named = Vec::new();
    for (host, mut paths) in hosts {
        named.extend(host.map(|host| (host, contents.route_hosts.len() as u32)));
        paths.sort_by_key(|(_, path)| Reverse(path.pattern.len()));
        let mut records = Vec::with_capacity(paths.len());
        for ((route, place), path) in paths {
            let mut methods = Vec::with_capacity(path.methods.len());
            for method in &path.methods {
                let who = U32::new(names.who(&method.who).number);
                let mask = method.method.as_deref().map_or(u64::MAX, |method| names.method(method));
                let name = strings.intern(method.method.as_deref().unwrap_or("*").as_bytes())?;
                methods.push(layout::RouteMethod { name, methods: U64::new(mask), who });
            }
            let methods = append(&mut contents.route_methods, methods)?;
            let pattern = U32::new(numbers.get(path.pattern.as_str()).copied().unwrap_or(NONE));
            let (route, path) = (number(route)?, number(place)?);
            records.push(layout::RoutePath { pattern, methods, route, path });
        }
        let paths = append(&mut contents.route_paths, records)?;
        contents.route_hosts.push(RouteHost { paths });
    }
    Ok(named)
}

pub(super) fn patterns(model: &Model) -> impl Iterator<Item = &str> {
    model.routes.iter().flat_map(|route| &route.paths).map(|path| path.pattern.as_str())
}
