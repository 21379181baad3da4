//! Routes: host, path pattern and method, and the permissions that open it.

use std::collections::BTreeSet;

use portcullis_core::is_method;

use super::Parts;
use super::rules::undeclared;
use crate::model::{Host, Route, RouteMethod, RoutePath, Who};
use crate::patterns;
use crate::reader::{Keys, Reader};
use crate::roles::Roles;
use crate::tree::Node;

const ROUTE: Keys = Keys { of: "a route", known: &["host", "paths"], later: &[] };
const PATH: Keys = Keys { of: "a path of a route", known: &["pattern", "methods"], later: &[] };

pub(super) fn read<'n>(
    reader: &mut Reader<'_>,
    roles: &Roles,
    parts: &mut Parts<'n>,
    node: Option<Node<'n>>,
) -> Vec<Route> {
    reader.list(node, "routes").filter_map(|node| route(reader, roles, parts, node)).collect()
}

fn route<'n>(reader: &mut Reader<'_>, roles: &Roles, parts: &mut Parts<'n>, node: Node<'n>) -> Option<Route> {
    let fields = reader.fields(node, &ROUTE)?;
    let host = match fields.get("host") {
        None => {
            reader.error(fields.at, "route has no `host`; `'*'` is any host that has no route of its own");
            None
        }
        Some(node) => {
            let text = reader.text(node, "a host")?;
            match reader.ok(node.at(), patterns::host(text)) {
                Some(Some(Host::Suffix(_))) => {
                    reader.error(node.at(), format!("host `{text}` of a route is one name or `*`"));
                    None
                }
                Some(Some(Host::Exact(host))) => Some(Some(host)),
                Some(None) => Some(None),
                None => None,
            }
        }
    };
    // A path that is wrong keeps its place, so that the others keep their ids; no bundle comes out anyway.
    let paths = reader.list(fields.get("paths"), "paths").filter_map(|node| path(reader, roles, parts, node)).collect();
    Some(Route { host: host?, paths })
}

fn path<'n>(reader: &mut Reader<'_>, roles: &Roles, parts: &mut Parts<'n>, node: Node<'n>) -> Option<RoutePath> {
    let fields = reader.fields(node, &PATH)?;
    let pattern = match fields.get("pattern") {
        Some(node) => reader.text(node, "a regular expression").and_then(|text| {
            let pattern = reader.ok(node.at(), patterns::regex(text));
            pattern.map(|()| text.to_owned())
        }),
        None => {
            reader.error(fields.at, "path of a route has no `pattern`");
            None
        }
    };
    let mut methods = Vec::new();
    let mut seen = BTreeSet::new();
    if let Some(node) = fields.get("methods")
        && let Some(by_method) = reader.map(node, "permissions by method")
    {
        for (key, node) in by_method.iter() {
            let name = key.text.to_ascii_uppercase();
            let method = match &*name {
                "*" | "ALL" => None,
                name if is_method(name.as_bytes()) => Some(name.to_owned()),
                _ => {
                    reader.error(key.at, format!("`{}` is not an HTTP method", key.text));
                    continue;
                }
            };
            if !seen.insert(method.clone()) {
                reader.error(key.at, format!("method `{name}` is here for the second time"));
            }
            methods.push(RouteMethod { method, who: parts.whos.share(holders(reader, roles, node)) });
        }
    }
    Some(RoutePath { at: fields.at, pattern: pattern?, methods })
}

/// Who has one of the permissions.
fn holders(reader: &mut Reader<'_>, roles: &Roles, node: Node<'_>) -> Who {
    let mut who = Who::default();
    for (at, permission) in reader.texts(Some(node), "permission names") {
        match roles.granted(permission) {
            Some(granted) => who.principals.extend(granted),
            None => undeclared(reader, roles, at, "permission", permission),
        }
    }
    who
}
