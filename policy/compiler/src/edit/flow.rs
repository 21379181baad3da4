//! Changes between brackets and braces: JSON, and YAML that looks like it.
//!
//! In: the section as a piece. Out: the text with the entry as JSON, spaced like the last one there. Never touches
//! another entry.

use super::pieces::{Kind, Piece};
use super::{Edit, replaced};
use crate::json;
use crate::tree::Node;

pub(super) fn splice(text: &str, section: &Piece, edit: &Edit, body: Option<Node<'_>>) -> Option<String> {
    let entries = section.named(edit.section());
    let at = entries.iter().position(|(name, ..)| name == edit.name());
    match (body, at) {
        (Some(body), Some(at)) => {
            let (_, _, value) = entries.get(at)?;
            replaced(text, (value.start, value.end), &json::write(body).ok()?)
        }
        (Some(body), None) => {
            let new = entry(edit, &json::write(body).ok()?);
            let places: Vec<_> = entries.iter().map(|(_, place, _)| *place).collect();
            append(text, section.start, &places, &new)
        }
        (None, Some(at)) => {
            let place = |at: usize| entries.get(at).map(|(_, place, _)| *place);
            let (start, end) = place(at)?;
            let before = at.checked_sub(1).and_then(place);
            match (place(at + 1), before) {
                (Some((next, _)), _) => replaced(text, (start, next), ""),
                (None, Some((_, last))) => replaced(text, (last, end), ""),
                (None, None) => replaced(text, (start, end), ""),
            }
        }
        (None, None) => None,
    }
}

/// The first entry of a section that a document in braces does not have.
pub(super) fn add_section(text: &str, root: &Piece, edit: &Edit, body: Node<'_>) -> Option<String> {
    let Kind::Map(entries) = &root.kind else { return None };
    let places: Vec<_> = entries.iter().map(|(key, value)| (key.start, value.end)).collect();
    let entry = entry(edit, &json::write(body).ok()?);
    let entries = if edit.section().is_list() { format!("[{entry}]") } else { format!("{{{entry}}}") };
    append(text, root.start, &places, &format!("{}: {entries}", json::quoted(edit.section().key())))
}

fn entry(edit: &Edit, body: &str) -> String {
    match edit.section().is_list() {
        true => body.to_owned(),
        false => format!("{}: {body}", json::quoted(edit.name())),
    }
}

/// Behind the last one, with the same space before it; the bracket is at `open`.
fn append(text: &str, open: usize, places: &[(usize, usize)], new: &str) -> Option<String> {
    let behind = open + 1;
    let Some((&(start, end), others)) = places.split_last() else {
        return replaced(text, (behind, behind), new);
    };
    let before = others.last().map_or(behind, |&(_, end)| end);
    let space = text.get(before..start)?.trim_start_matches([' ', ',']);
    let space = if !others.is_empty() && space.is_empty() { " " } else { space };
    let is_space = space.chars().all(char::is_whitespace);
    replaced(text, (end, end), &format!(",{}{new}", if is_space { space } else { " " }))
}
