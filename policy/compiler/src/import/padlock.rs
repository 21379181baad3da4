//! padlock's application configuration -> policy document.
//!
//! In: `userManagement.userRoles`, `authorize.rules` and `authenticate.bypass`. Out: roles, routes and public targets.
//! Listeners, claims, validation patterns and users are not read: they belong to the host.

mod syntax;

use std::collections::BTreeMap;

use portcullis_core::is_method;

use super::{Imported, entries, get, get_in, import, items, required, scalar, yaml};
use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Position};

const HEADER: &str = "\
# Imported from padlock by `portcullis import padlock`.
#
# A role gives permissions, a route asks for any one of them, and what no route names is refused. `public` holds the
# bypass rules. Users and their roles come with the request, so an unknown user is one without roles; none is stored.
#
# Paths are compared in canonical form and without their query; hosts without case, port and trailing dot. What is
# answered otherwise on purpose, with the reasons: docs/IMPORT.md.
version: 1
";

/// A policy document for what a configuration of padlock authorizes.
///
/// An error lists what cannot be carried over without letting more through than padlock does.
pub fn padlock(text: &str) -> Result<Imported, Vec<Diagnostic>> {
    import(text, document)
}

fn document(root: Node<'_>, notes: &mut Vec<Diagnostic>) -> String {
    let (roles, rules) = (get_in(root, &["userManagement", "userRoles"]), get_in(root, &["authorize", "rules"]));
    if roles.is_none() && rules.is_none() {
        let message = "expected a configuration of padlock: `userManagement.userRoles` and `authorize.rules`";
        notes.push(Diagnostic::error(root.at(), message));
        return String::new();
    }
    if let Some(flag) = get_in(root, &["authorize", "forUnknownUser", "autoAdd"])
        && scalar(flag).is_some_and(|flag| flag.eq_ignore_ascii_case("true"))
    {
        notes.push(Diagnostic::warning(flag.at(), "unknown users are not added; they are refused all the same"));
    }
    let sections = [
        ("roles", roles.map(|node| read_roles(node, notes)).unwrap_or_default()),
        ("public", bypass(get_in(root, &["authenticate", "bypass", "rules"]), notes)),
        ("routes", routes(rules, notes)),
    ];
    let mut document = HEADER.to_owned();
    for (key, text) in sections.iter().filter(|(_, text)| !text.is_empty()) {
        document += &format!("\n{key}:\n{text}");
    }
    document
}

/// Names in lower case, as padlock's loader makes them.
fn read_roles(node: Node<'_>, notes: &mut Vec<Diagnostic>) -> String {
    let mut lines: BTreeMap<String, u32> = BTreeMap::new();
    let mut text = String::new();
    for (key, role) in entries(node) {
        let name = key.text.to_lowercase();
        if name != key.text {
            notes.push(Diagnostic::warning(key.at, format!("padlock reads role `{}` as `{name}`", key.text)));
        }
        if let Some(line) = lines.insert(name.clone(), key.at.line) {
            notes.push(Diagnostic::error(key.at, format!("role `{name}` is also on line {line}")));
            continue;
        }
        let permissions = texts(get(role, "permissions"), "permissions", notes);
        text += &format!("  {}: {{permissions: {}}}\n", yaml::scalar(&name), yaml::list(permissions));
    }
    text
}

fn texts<'n>(node: Option<Node<'n>>, what: &str, notes: &mut Vec<Diagnostic>) -> Vec<&'n str> {
    items(node, what, notes).filter_map(scalar).collect()
}

fn routes(node: Option<Node<'_>>, notes: &mut Vec<Diagnostic>) -> String {
    let mut text = String::new();
    for rule in items(node, "rules", notes) {
        let Some((at, host)) = required(rule, "host", "rule", notes) else { continue };
        if host != host.to_lowercase() {
            notes.push(Diagnostic::warning(at, format!("host `{host}` is compared without case")));
        }
        text += &format!("  - host: {}\n    paths:\n", yaml::scalar(host));
        for path in items(get(rule, "allowedPaths"), "paths", notes) {
            let Some((at, pattern)) = required(path, "pathPattern", "path", notes) else { continue };
            check_pattern(at, pattern, notes);
            text +=
                &format!("      - pattern: {}\n        methods: {{{}}}\n", yaml::scalar(pattern), methods(path, notes));
        }
    }
    text
}

fn methods(path: Node<'_>, notes: &mut Vec<Diagnostic>) -> String {
    let mut text = Vec::new();
    for item in items(get(path, "allowedMethods"), "methods", notes) {
        let Some((_, method)) = required(item, "method", "method", notes) else { continue };
        let permissions = texts(get(item, "allowedPermissions"), "permissions", notes);
        text.push(format!("{}: {}", yaml::scalar(method), yaml::list(permissions)));
    }
    text.join(", ")
}

/// A pattern that would match other paths here than there is an error, for it may let more through.
fn check_pattern(at: Position, pattern: &str, notes: &mut Vec<Diagnostic>) {
    if let Some(syntax::Difference { found, help }) = syntax::difference(pattern) {
        let message = format!("`{found}` in a pattern means something else here than in padlock");
        notes.push(Diagnostic::error(at, message).with_help(Some(help)));
    }
    if syntax::asks_for_query(pattern) {
        notes.push(Diagnostic::warning(at, "a query is not part of the path, so this `?` matches nothing"));
    }
}

/// Items of the list `public`.
fn bypass(node: Option<Node<'_>>, notes: &mut Vec<Diagnostic>) -> String {
    let mut text = String::new();
    for rule in items(node, "bypass rules", notes) {
        let Some((at, kind)) = required(rule, "type", "bypass rule", notes) else { continue };
        for node in items(get(rule, "matches"), "matches", notes) {
            let Some(found) = scalar(node) else { continue };
            let target = match kind.to_lowercase().as_str() {
                "method" => method(found),
                "host" => host(found),
                "path" => {
                    check_pattern(node.at(), found, notes);
                    Ok(format!("{{path: {{regex: {}}}}}", yaml::scalar(found)))
                }
                other => {
                    notes.push(Diagnostic::error(at, format!("`{other}` is not a type of a bypass rule")));
                    break;
                }
            };
            match target {
                Ok(target) => text += &format!("  - {target}\n"),
                Err(why) => notes.push(Diagnostic::warning(node.at(), format!("bypass is left out: {why}"))),
            }
        }
    }
    text
}

fn method(found: &str) -> Result<String, String> {
    let method = found.to_uppercase();
    if matches!(method.as_str(), "*" | "ALL") || !is_method(method.as_bytes()) {
        return Err(format!("no request has the method `{found}`"));
    }
    Ok(format!("{{methods: [{}]}}", yaml::scalar(&method)))
}

/// padlock compares the whole header, so `*` is no pattern and a port is part of the host.
fn host(found: &str) -> Result<String, String> {
    match portcullis_core::Host::parse(found) {
        Some(host) if host.as_bytes().eq_ignore_ascii_case(found.as_bytes()) && !found.starts_with('*') => {
            Ok(format!("{{hosts: [{}]}}", yaml::scalar(&found.to_lowercase())))
        }
        _ => Err(format!("`{found}` is not a plain host name; ports are not compared here")),
    }
}
