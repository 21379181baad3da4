//! HTTP targets: hosts, methods and a path pattern.

use std::collections::BTreeSet;

use portcullis_core::is_method;

use super::Parts;
use crate::model::{Host, PathKind, Pattern, Target};
use crate::patterns;
use crate::reader::{Keys, Reader};
use crate::tree::{Node, Position};

const TARGET: Keys = Keys { of: "an HTTP target", known: &["hosts", "methods", "path"], later: &[] };
const PATH: Keys = Keys { of: "a path pattern", known: &["exact", "under", "prefix", "template", "regex"], later: &[] };

const KINDS: [(&str, PathKind); 5] = [
    ("exact", PathKind::Exact),
    ("under", PathKind::Under),
    ("prefix", PathKind::Prefix),
    ("template", PathKind::Template),
    ("regex", PathKind::Regex),
];

pub(super) fn read_list<'n>(reader: &mut Reader<'_>, parts: &mut Parts<'n>, node: Option<Node<'n>>) -> Vec<Target> {
    reader.list(node, "HTTP targets").filter_map(|node| read(reader, parts, node)).collect()
}

pub(super) fn read<'n>(reader: &mut Reader<'_>, parts: &mut Parts<'n>, node: Node<'n>) -> Option<Target> {
    let fields = reader.fields(node, &TARGET)?;
    let hosts = match fields.get("hosts") {
        Some(node) => parts.hosts.read(reader, node, hosts),
        None => Some(parts.hosts.share(Vec::new())),
    };
    let methods = match fields.get("methods") {
        Some(node) => parts.methods.read(reader, node, methods),
        None => Some(parts.methods.share(BTreeSet::new())),
    };
    let path = fields.get("path").and_then(|node| path(reader, node));
    Some(Target { at: node.at(), hosts: hosts?, methods: methods?, path })
}

/// Empty when any will do.
fn hosts(reader: &mut Reader<'_>, node: Node<'_>) -> Option<Vec<Host>> {
    let mut hosts = Vec::new();
    let mut any_host = false;
    for (at, text) in reader.texts(Some(node), "hosts") {
        match reader.ok(at, patterns::host(text)) {
            Some(Some(host)) => hosts.push(host),
            Some(None) => any_host = true,
            None => {}
        }
    }
    if any_host {
        hosts.clear();
    }
    Some(hosts)
}

/// Empty when any will do.
fn methods(reader: &mut Reader<'_>, node: Node<'_>) -> Option<BTreeSet<String>> {
    let mut methods = BTreeSet::new();
    let mut any_method = false;
    for (at, text) in reader.texts(Some(node), "methods") {
        let method = text.to_ascii_uppercase();
        if method == "*" || method == "ALL" {
            any_method = true;
        } else if is_method(method.as_bytes()) {
            methods.insert(method);
        } else {
            reader.error(at, format!("`{text}` is not an HTTP method"));
        }
    }
    if any_method {
        methods.clear();
    }
    Some(methods)
}

fn path(reader: &mut Reader<'_>, node: Node<'_>) -> Option<Pattern> {
    let fields = reader.fields(node, &PATH)?;
    let given: Vec<(Position, PathKind, Node<'_>)> = fields
        .iter()
        .filter_map(|(key, node)| {
            let (_, kind) = KINDS.iter().find(|(name, _)| *name == key.text)?;
            Some((key.at, *kind, node))
        })
        .collect();
    match given.as_slice() {
        &[(_, kind, node)] => {
            let text = reader.text(node, "a path")?;
            reader.ok(node.at(), Pattern::parse(kind, text))
        }
        [] => {
            // A key that is unknown or of a later version has its own diagnostic.
            if fields.iter().next().is_none() {
                reader.error(node.at(), "a path pattern is one of `exact`, `under`, `prefix`, `template`, `regex`");
            }
            None
        }
        &[_, (at, ..), ..] => {
            reader.error(at, "a path pattern is exactly one of `exact`, `under`, `prefix`, `template`, `regex`");
            None
        }
    }
}
