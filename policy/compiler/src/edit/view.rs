//! What a document says, entry by entry, in an order that counts: for comparing, for listings, for writing it anew.
//!
//! In: a text that is YAML or JSON. Out: its entries as JSON. Knows where entries stand and what they are called, and
//! nothing of what they mean.

use super::{Edit, EditError, Section};
use crate::json;
use crate::tree::{self, Node, Value};

/// The keys of a document, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct View(Vec<(String, Part)>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Entries with their names, as JSON.
    Section(Section, Vec<(String, String)>),
    Other(String),
}

/// One entry of a document, for listings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `role`, `permission_group`, `rule`, `restriction` or `level`.
    pub kind: &'static str,
    pub name: String,
    /// Of a rule its effect, of a restriction its category; else empty.
    pub class: String,
    /// Of a restriction; else empty.
    pub scope: String,
    /// JSON.
    pub body: String,
}

/// The entries of a document that compiles; none of one that cannot be read.
pub fn entries(text: &str) -> Vec<Entry> {
    let Ok(tree) = tree::parse(text) else { return Vec::new() };
    let Value::Map(keys) = tree.root().value() else { return Vec::new() };
    let mut entries = Vec::new();
    for (key, node) in keys {
        let section = Section::ALL.into_iter().find(|section| section.key() == key.text);
        match section {
            Some(section) => entries.extend(named(section, node).into_iter().filter_map(|named| entry(section, named))),
            None if key.text == "levels" => entries.extend(levels(node)),
            None => {}
        }
    }
    entries
}

fn entry(section: Section, (name, node): (String, Node<'_>)) -> Option<Entry> {
    let field = |key: &str| text(node, key).unwrap_or_default().to_owned();
    let (kind, class, scope) = match section {
        Section::Roles => ("role", String::new(), String::new()),
        Section::PermissionGroups => ("permission_group", String::new(), String::new()),
        Section::Rules => ("rule", field("effect"), String::new()),
        Section::Restrictions => ("restriction", field("category"), field("scope")),
    };
    Some(Entry { kind, name, class, scope, body: json::write(node).ok()? })
}

/// Named for their numbers, from 1.
fn levels(node: Node<'_>) -> Vec<Entry> {
    let Value::List(items) = node.value() else { return Vec::new() };
    let level = |(at, node): (usize, Node<'_>)| {
        let (class, scope) = (String::new(), String::new());
        Some(Entry { kind: "level", name: (at + 1).to_string(), class, scope, body: json::write(node).ok()? })
    };
    items.enumerate().filter_map(level).collect()
}

/// The entries of a section; none when it is something else.
fn named(section: Section, node: Node<'_>) -> Vec<(String, Node<'_>)> {
    match (node.value(), section.is_list()) {
        (Value::List(items), true) => {
            let name = |(at, item)| (id(item).unwrap_or_else(|| format!("{}[{at}]", section.key())), item);
            items.enumerate().map(name).collect()
        }
        (Value::Map(entries), false) => entries.map(|(key, value)| (key.text.to_owned(), value)).collect(),
        _ => Vec::new(),
    }
}

fn id(node: Node<'_>) -> Option<String> {
    text(node, "id").map(str::to_owned)
}

fn text<'n>(node: Node<'n>, key: &str) -> Option<&'n str> {
    let Value::Map(mut entries) = node.value() else { return None };
    match entries.find(|(found, _)| found.text == key)?.1.value() {
        Value::Scalar { text, .. } => Some(text),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

impl View {
    pub(super) fn read(text: &str) -> Result<Self, EditError> {
        let tree = tree::parse(text).map_err(|error| EditError::Syntax {
            line: error.line,
            column: error.column,
            text: error.message.clone(),
        })?;
        match tree.root().value() {
            Value::Map(keys) => Ok(Self(keys.map(|(key, node)| part(key.text, node)).collect::<Result<_, _>>()?)),
            // An empty document.
            Value::Null => Ok(Self(Vec::new())),
            _ => Err(EditError::Unsupported("it is no map".to_owned())),
        }
    }

    pub(super) fn apply(&mut self, edit: &Edit) -> Result<(), EditError> {
        let section = edit.section();
        let is_it = |(_, part): &(String, Part)| matches!(part, Part::Section(found, _) if *found == section);
        if !self.0.iter().any(is_it) && matches!(edit, Edit::Put { .. }) {
            self.0.push((section.key().to_owned(), Part::Section(section, Vec::new())));
        }
        let entries = self.0.iter_mut().find(|part| is_it(part)).and_then(|(_, part)| match part {
            Part::Section(_, entries) => Some(entries),
            Part::Other(_) => None,
        });
        let not_found = || EditError::NotFound { name: edit.name().to_owned() };
        let entries = entries.ok_or_else(not_found)?;
        let at = entries.iter().position(|(name, _)| name == edit.name());
        match (edit, at) {
            (Edit::Put { name, body, .. }, at) => {
                let body = checked(section, name, body)?;
                match at.and_then(|at| entries.get_mut(at)) {
                    Some((_, old)) => *old = body,
                    None => entries.push((name.clone(), body)),
                }
            }
            (Edit::Remove { .. }, Some(at)) => drop(entries.remove(at)),
            (Edit::Remove { .. }, None) => return Err(not_found()),
        }
        renumber(section, entries);
        Ok(())
    }

    /// One entry per line.
    pub(super) fn to_json(&self) -> String {
        let part = |(key, part): &(String, Part)| {
            let value = match part {
                Part::Other(json) => json.clone(),
                Part::Section(section, entries) => {
                    let entry = |(name, body): &(String, String)| match section.is_list() {
                        true => format!("    {body}"),
                        false => format!("    {}: {body}", json::quoted(name)),
                    };
                    let lines: Vec<_> = entries.iter().map(entry).collect();
                    let (open, close) = if section.is_list() { ("[", "]") } else { ("{", "}") };
                    match lines.is_empty() {
                        true => format!("{open}{close}"),
                        false => format!("{open}\n{}\n  {close}", lines.join(",\n")),
                    }
                }
            };
            format!("  {}: {value}", json::quoted(key))
        };
        let parts: Vec<_> = self.0.iter().map(part).collect();
        format!("{{\n{}\n}}\n", parts.join(",\n"))
    }
}

fn part(key: &str, node: Node<'_>) -> Result<(String, Part), EditError> {
    let write = |node| json::write(node).map_err(EditError::Unsupported);
    let is_empty = matches!(node.value(), Value::Null);
    let part = match Section::ALL.into_iter().find(|section| section.key() == key) {
        Some(section) if is_empty || matches!(node.value(), Value::List(_)) == section.is_list() => {
            let entry = |(name, node)| Ok((name, write(node)?));
            Part::Section(section, named(section, node).into_iter().map(entry).collect::<Result<_, _>>()?)
        }
        _ => Part::Other(write(node)?),
    };
    Ok((key.to_owned(), part))
}

/// Entries that are named for their positions follow them.
fn renumber(section: Section, entries: &mut [(String, String)]) {
    for (at, (name, _)) in entries.iter_mut().enumerate() {
        let number = name.strip_prefix(section.key()).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
        if section.is_list() && number.is_some_and(|number| number.parse::<usize>().is_ok()) {
            *name = format!("{}[{at}]", section.key());
        }
    }
}

/// The body as this crate writes JSON.
fn checked(section: Section, name: &str, body: &str) -> Result<String, EditError> {
    let tree = tree::parse(body).map_err(|_| EditError::Body)?;
    let is_named = !section.is_list() || id(tree.root()).as_deref() == Some(name);
    match tree.root().value() {
        Value::Map(_) if is_named => json::write(tree.root()).map_err(EditError::Unsupported),
        _ => Err(EditError::Body),
    }
}
