//! HTTP targets: hosts, methods and a path pattern.

use portcullis_core::is_method;

use crate::model::{PathKind, Pattern, Target};
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

pub(super) fn read_list(reader: &mut Reader<'_>, node: Option<&Node<'_>>) -> Vec<Target> {
    reader.list(node, "HTTP targets").iter().filter_map(|node| read(reader, node)).collect()
}

pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Target> {
    let fields = reader.fields(node, &TARGET)?;
    let mut target = Target { at: node.at, ..Target::default() };
    let mut any_host = false;
    for (at, text) in reader.texts(fields.get("hosts"), "hosts") {
        match reader.ok(at, patterns::host(text)) {
            Some(Some(host)) => target.hosts.push(host),
            Some(None) => any_host = true,
            None => {}
        }
    }
    let mut any_method = false;
    for (at, text) in reader.texts(fields.get("methods"), "methods") {
        let method = text.to_ascii_uppercase();
        if method == "*" || method == "ALL" {
            any_method = true;
        } else if is_method(method.as_bytes()) {
            target.methods.insert(method);
        } else {
            reader.error(at, format!("`{text}` is not an HTTP method"));
        }
    }
    if any_host {
        target.hosts.clear();
    }
    if any_method {
        target.methods.clear();
    }
    target.path = fields.get("path").and_then(|node| path(reader, node));
    Some(target)
}

fn path(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Pattern> {
    let fields = reader.fields(node, &PATH)?;
    let given: Vec<(Position, PathKind, &Node<'_>)> = fields
        .iter()
        .filter_map(|(key, node)| {
            let (_, kind) = KINDS.iter().find(|(name, _)| *name == key.text)?;
            Some((key.at, *kind, node))
        })
        .collect();
    match given.as_slice() {
        [(_, kind, node)] => {
            let text = reader.text(node, "a path")?;
            reader.ok(node.at, Pattern::parse(*kind, text))
        }
        [] => {
            // A key that is unknown or of a later version has its own diagnostic.
            if fields.iter().next().is_none() {
                reader.error(node.at, "a path pattern is one of `exact`, `under`, `prefix`, `template`, `regex`");
            }
            None
        }
        [_, (at, ..), ..] => {
            reader.error(*at, "a path pattern is exactly one of `exact`, `under`, `prefix`, `template`, `regex`");
            None
        }
    }
}
