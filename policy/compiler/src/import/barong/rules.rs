//! Permission rows -> rules: ACCEPT is allow, DROP is deny, AUDIT is audit.

use std::collections::{HashMap, HashSet};

use portcullis_core::is_method;

use super::paths::Pattern;
use crate::diagnostic::Diagnostic;
use crate::import::{get, items, required, scalar, yaml};
use crate::tree::{Node, Position};

/// One row, as Barong stores it: verb and action in upper case.
struct Row<'n> {
    at: Position,
    role: &'n str,
    verb: String,
    path: (Position, &'n str),
    action: String,
    topic: Option<&'n str>,
}

pub(super) struct Rules<'n> {
    /// In order of appearance.
    pub(super) roles: Vec<&'n str>,
    /// Items of the list `rules`.
    pub(super) text: String,
}

/// Why a row has no rule.
struct LeftOut {
    why: String,
    help: Option<&'static str>,
}

pub(super) fn read<'n>(node: Option<Node<'n>>, notes: &mut Vec<Diagnostic>) -> Rules<'n> {
    let items = items(node, "permissions", notes);
    let mut rules = Rules { roles: Vec::new(), text: String::new() };
    let mut seen_roles = HashSet::new();
    let mut lines: HashMap<String, u32> = HashMap::new();
    let mut heading = None;
    for node in items {
        let Some(row) = Row::read(node, notes) else { continue };
        if seen_roles.insert(row.role) {
            rules.roles.push(row.role);
        }
        if heading != Some(row.role) {
            rules.text += &format!("  # {}\n", yaml::comment(row.role));
            heading = Some(row.role);
        }
        let rule = row.rule(notes).and_then(|rule| match lines.insert(rule.clone(), row.at.line) {
            None => Ok(rule),
            Some(line) => Err(LeftOut { why: format!("it is the same as that of line {line}"), help: None }),
        });
        match rule {
            Ok(rule) => rules.text += &format!("  - {rule}\n"),
            Err(LeftOut { why, help }) => {
                let Row { at, verb, path: (_, path), action, .. } = &row;
                let row = format!("{verb} {path} {action} of line {}: {why}", at.line);
                rules.text += &format!("  # left out: {}\n", yaml::comment(&row));
                notes.push(Diagnostic::warning(*at, format!("permission is left out: {why}")).with_help(help));
            }
        }
    }
    rules
}

impl<'n> Row<'n> {
    fn read(node: Node<'n>, notes: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut text = |key| required(node, key, "permission", notes);
        let (role, verb, path, action) = (text("role"), text("verb"), text("path"), text("action"));
        Some(Self {
            at: node.at(),
            role: role?.1,
            verb: verb?.1.to_uppercase(),
            path: path?,
            action: action?.1.to_uppercase(),
            topic: get(node, "topic").and_then(scalar),
        })
    }

    /// The rule on one line.
    fn rule(&self, notes: &mut Vec<Diagnostic>) -> Result<String, LeftOut> {
        let left_out = |why| LeftOut { why, help: None };
        let effect = match self.action.as_str() {
            "ACCEPT" => "allow",
            "DROP" => "deny",
            "AUDIT" => "audit",
            other => return Err(left_out(format!("action `{other}` has no effect in Barong"))),
        };
        if self.verb == "*" || !is_method(self.verb.as_bytes()) {
            return Err(left_out(format!("`{}` is not an HTTP method", self.verb)));
        }
        let (at, path) = self.path;
        let pattern =
            Pattern::parse(path).map_err(|error| LeftOut { why: error.why().to_owned(), help: error.help() })?;
        if pattern.ends_in_suffix() {
            let message =
                format!("Barong cuts the last `.suffix` of a request, so `{path}` did not match itself; now it does");
            notes.push(Diagnostic::warning(at, message));
        }
        let methods = match self.verb.as_str() {
            "ALL" => String::new(),
            verb => format!("methods: [{}], ", yaml::scalar(verb)),
        };
        let topic = match effect {
            "audit" => {
                format!(", topic: {}", yaml::scalar(self.topic.or(pattern.admin_segment()).unwrap_or("general")))
            }
            _ => String::new(),
        };
        let role = yaml::scalar(self.role);
        Ok(format!("{{effect: {effect}, who: {{roles: [{role}]}}, target: {{{methods}path: {pattern}}}{topic}}}"))
    }
}
