//! Reads a tree and collects what is wrong with it instead of stopping.
//!
//! Each method answers with what could be read; what could not is a diagnostic, and the rest is read on.

use core::fmt::Display;

use crate::diagnostic::Diagnostic;
use crate::names::did_you_mean;
use crate::tree::{Entries, Items, Node, Position, Value};

pub(crate) struct Reader<'d> {
    diagnostics: &'d mut Vec<Diagnostic>,
}

/// The keys a mapping may have.
pub(crate) struct Keys {
    /// What the mapping is, for messages: "a rule".
    pub(crate) of: &'static str,
    pub(crate) known: &'static [&'static str],
    /// Part of the format, but not of this version of the compiler.
    pub(crate) later: &'static [&'static str],
}

/// A mapping whose keys are all known.
pub(crate) struct Fields<'n> {
    pub(crate) at: Position,
    entries: Entries<'n>,
}

impl<'n> Fields<'n> {
    /// The value of `key`, unless it is absent or null.
    pub(crate) fn get(&self, key: &str) -> Option<Node<'n>> {
        let (_, node) = self.iter().find(|(found, _)| found.text == key)?;
        (!matches!(node.value(), Value::Null)).then_some(node)
    }

    pub(crate) fn iter(&self) -> Entries<'n> {
        self.entries.clone()
    }
}

impl<'d> Reader<'d> {
    pub(crate) fn new(diagnostics: &'d mut Vec<Diagnostic>) -> Self {
        Self { diagnostics }
    }

    /// How many there are so far.
    pub(crate) fn diagnostics(&self) -> usize {
        self.diagnostics.len()
    }

    pub(crate) fn error(&mut self, at: Position, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(at, message));
    }

    pub(crate) fn error_with_help(&mut self, at: Position, message: impl Into<String>, help: Option<String>) {
        self.diagnostics.push(Diagnostic::error(at, message).with_help(help));
    }

    pub(crate) fn warning(&mut self, at: Position, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::warning(at, message));
    }

    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The value of a result, or its error as a diagnostic.
    pub(crate) fn ok<T, E: Display>(&mut self, at: Position, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.error(at, error.to_string())).ok()
    }

    pub(crate) fn expected(&mut self, node: Node<'_>, what: impl Display) {
        let found = match node.value() {
            Value::Null => "nothing".to_owned(),
            Value::Scalar { text, .. } => format!("`{text}`"),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        };
        self.error(node.at(), format!("expected {what}, found {found}"));
    }

    /// A mapping with names as keys.
    pub(crate) fn map<'n>(&mut self, node: Node<'n>, what: impl Display) -> Option<Fields<'n>> {
        match node.value() {
            Value::Map(entries) => Some(Fields { at: node.at(), entries }),
            Value::Null => Some(Fields { at: node.at(), entries: Entries::default() }),
            _ => {
                self.expected(node, what);
                None
            }
        }
    }

    /// A mapping with the given keys and no others.
    pub(crate) fn fields<'n>(&mut self, node: Node<'n>, keys: &Keys) -> Option<Fields<'n>> {
        let fields = self.map(node, format_args!("{} as a mapping", keys.of))?;
        for (key, _) in fields.iter() {
            let name = key.text;
            if keys.known.contains(&name) {
                continue;
            }
            if keys.later.contains(&name) {
                self.error(key.at, format!("`{name}` is not supported in this version of the compiler"));
                continue;
            }
            let help = did_you_mean(name, keys.known.iter().copied());
            let help = help.unwrap_or_else(|| format!("the keys are {}", list(keys.known)));
            self.error_with_help(key.at, format!("`{name}` is not a key of {}", keys.of), Some(help));
        }
        Some(fields)
    }

    /// The items of a list; nothing when it is absent or null.
    pub(crate) fn list<'n>(&mut self, node: Option<Node<'n>>, what: &str) -> Items<'n> {
        match node.map(|node| (node, node.value())) {
            None | Some((_, Value::Null)) => Items::default(),
            Some((_, Value::List(items))) => items,
            Some((node, _)) => {
                self.expected(node, format_args!("a list of {what}"));
                Items::default()
            }
        }
    }

    /// A text that is not empty. A plain number or boolean is not a text: quotes say that one is meant.
    pub(crate) fn text<'n>(&mut self, node: Node<'n>, what: &str) -> Option<&'n str> {
        match node.value() {
            Value::Scalar { text, plain } if plain && is_number_or_boolean(text) => {
                self.error(node.at(), format!("expected {what} as a text, `{text}` is not one without quotes"));
                None
            }
            Value::Scalar { text, .. } if !text.is_empty() => Some(text),
            _ => {
                self.expected(node, what);
                None
            }
        }
    }

    /// A text that may look like a boolean or number: `when: true` is a condition.
    pub(crate) fn condition<'n>(&mut self, node: Node<'n>) -> Option<&'n str> {
        match node.value() {
            Value::Scalar { text, .. } if !text.trim().is_empty() => Some(text),
            _ => {
                self.expected(node, "a condition");
                None
            }
        }
    }

    pub(crate) fn texts<'n>(&mut self, node: Option<Node<'n>>, what: &str) -> Vec<(Position, &'n str)> {
        let items = self.list(node, what);
        items.filter_map(|item| Some((item.at(), self.text(item, what)?))).collect()
    }

    pub(crate) fn flag(&mut self, node: Node<'_>) -> Option<bool> {
        if let Value::Scalar { text, plain: true } = node.value() {
            match text {
                "true" | "True" | "TRUE" => return Some(true),
                "false" | "False" | "FALSE" => return Some(false),
                _ => {}
            }
        }
        self.expected(node, "`true` or `false`");
        None
    }

    /// A whole number from 0 to 65,535.
    pub(crate) fn number(&mut self, node: Node<'_>, what: &str) -> Option<u16> {
        if let Value::Scalar { text, plain: true } = node.value()
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(number) = text.parse()
        {
            return Some(number);
        }
        self.expected(node, format_args!("{what} from 0 to {}", u16::MAX));
        None
    }

    /// An HTTP status for a denial.
    pub(crate) fn status(&mut self, node: Node<'_>) -> Option<u16> {
        if let Value::Scalar { text, plain: true } = node.value()
            && let Ok(status @ 400..=599) = text.parse()
        {
            return Some(status);
        }
        self.expected(node, "an HTTP status from 400 to 599");
        None
    }

    /// One of the named values, or a value that a later version knows.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        node: Node<'_>,
        what: &str,
        choices: &[(&str, T)],
        later: &[&str],
    ) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*choice);
        }
        if later.contains(&text) {
            self.error(node.at(), format!("{what} `{text}` is not supported in this version of the compiler"));
            return None;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.error(node.at(), format!("`{text}` is not {what}; it is one of {}", list(&names)));
        None
    }
}

fn is_number_or_boolean(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
        || (text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'))
            && text.parse::<f64>().is_ok())
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
