//! A document and a change -> the next document, with the comments and the order of the one before.
//!
//! In: the text, and one role, group, rule or restriction to put or remove. Out: the next text, which says exactly that;
//! `view` compares both, and what cannot be written in place is written anew as JSON. Never checks whether the result
//! compiles: that is `compile`.

mod block;
mod flow;
mod pieces;
mod view;

use crate::tree;
use pieces::Piece;
use view::View;

pub use view::{Entry, entries};

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Roles,
    PermissionGroups,
    Rules,
    Restrictions,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Puts `body`, a JSON object, in place of the entry of that name, or behind all others. In a list its `id` is the
    /// name.
    Put {
        section: Section,
        name: String,
        body: String,
    },
    Remove {
        section: Section,
        name: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    pub text: String,
    /// The document is JSON now, and was not: it could not be changed in place, and its comments are gone.
    pub is_rewritten: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("{line}:{column}: {text}")]
    Syntax { line: u32, column: u32, text: String },
    #[error("the entry is not a JSON object with the `id` that is its name")]
    Body,
    #[error("there is no entry `{name}`")]
    NotFound { name: String },
    /// Values that JSON does not have.
    #[error("the document cannot be changed by a program: {0}")]
    Unsupported(String),
}

impl Section {
    pub(crate) const ALL: [Self; 4] = [Self::Roles, Self::PermissionGroups, Self::Rules, Self::Restrictions];

    /// Key of the document.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::PermissionGroups => "permission_groups",
            Self::Rules => "rules",
            Self::Restrictions => "restrictions",
        }
    }

    /// Whether its entries stand in a list; else they stand under their names.
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Rules | Self::Restrictions)
    }
}

impl Edit {
    pub fn section(&self) -> Section {
        match self {
            Self::Put { section, .. } | Self::Remove { section, .. } => *section,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Put { name, .. } | Self::Remove { name, .. } => name,
        }
    }
}

/// The document after the change.
pub fn edit(text: &str, edit: &Edit) -> Result<Edited, EditError> {
    let mut expected = View::read(text)?;
    expected.apply(edit)?;
    let in_place = pieces::read(text).and_then(|root| splice(text, &root, edit));
    if let Some(text) = in_place
        && View::read(&text).is_ok_and(|found| found == expected)
    {
        return Ok(Edited { text, is_rewritten: false });
    }
    let is_rewritten = !text.trim_start().starts_with('{');
    Ok(Edited { text: expected.to_json(), is_rewritten })
}

fn splice(text: &str, root: &Piece, edit: &Edit) -> Option<String> {
    let section = edit.section();
    let body = match edit {
        Edit::Put { body, .. } => Some(tree::parse(body).ok()?),
        Edit::Remove { .. } => None,
    };
    let body = body.as_ref().map(tree::Tree::root);
    let found = root.entry(section.key());
    match found {
        Some((_, value)) if value.is_flow(text) => flow::splice(text, value, edit, body),
        None if root.is_flow(text) => flow::add_section(text, root, edit, body?),
        Some((key, value)) if !root.is_flow(text) => block::splice(text, (key, value), edit, body),
        None => block::add_section(text, edit, body?),
        Some(_) => None,
    }
}

/// `text` with `new` in place of the bytes from `start` to `end`.
fn replaced(text: &str, (start, end): (usize, usize), new: &str) -> Option<String> {
    Some([text.get(..start)?, new, text.get(end..)?].concat())
}

#[cfg(test)]
mod tests;
