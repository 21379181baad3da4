//! Permissions that are given but asked for nowhere.
//!
//! The opposite, names that are asked for but given or declared nowhere, is a warning of the compiler itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::tree::{Entries, Items, Node, Position, Value};

pub(super) fn find(root: Node<'_>, findings: &mut Vec<Diagnostic>) {
    let mut asked = BTreeSet::new();
    for rule in list(get(root, "rules")) {
        asked.extend(texts(get(rule, "who").and_then(|who| get(who, "permissions"))).map(|(_, name)| name));
    }
    for route in list(get(root, "routes")) {
        for path in list(get(route, "paths")) {
            asked.extend(values(get(path, "methods")).flat_map(|method| texts(Some(method))).map(|(_, name)| name));
        }
    }
    let mut given: BTreeMap<&str, Position> = BTreeMap::new();
    for holder in ["roles", "permission_groups"].iter().flat_map(|key| values(get(root, key))) {
        for (at, name) in texts(get(holder, "permissions")) {
            given.entry(name).or_insert(at);
        }
    }
    for (name, at) in given {
        if !asked.contains(name) {
            let message = format!("permission `{name}` is given, but no rule and no route asks for it");
            let help = "remove it, or write the rule that is missing";
            findings.push(Diagnostic::warning(at, message).with_help(Some(help)).named("unused-permission"));
        }
    }
}

fn get<'n>(node: Node<'n>, key: &str) -> Option<Node<'n>> {
    let Value::Map(mut entries) = node.value() else { return None };
    entries.find(|(found, _)| found.text == key).map(|(_, value)| value)
}

fn values<'n>(node: Option<Node<'n>>) -> impl Iterator<Item = Node<'n>> {
    let entries = match node.map(Node::value) {
        Some(Value::Map(entries)) => entries,
        _ => Entries::default(),
    };
    entries.map(|(_, value)| value)
}

fn list<'n>(node: Option<Node<'n>>) -> Items<'n> {
    match node.map(Node::value) {
        Some(Value::List(items)) => items,
        _ => Items::default(),
    }
}

fn texts<'n>(node: Option<Node<'n>>) -> impl Iterator<Item = (Position, &'n str)> {
    list(node).filter_map(|item| match item.value() {
        Value::Scalar { text, .. } => Some((item.at(), text)),
        _ => None,
    })
}
