//! Changes of indented YAML.
//!
//! In: the section as a piece. Out: the text with the entry in block style, indented like its neighbours. Comments stay,
//! but for those inside of what is replaced or removed.

use super::pieces::Piece;
use super::{Edit, replaced};
use crate::json;
use crate::tree::{Node, Value};

/// Of what stands inside, against what it stands in.
const STEP: usize = 2;

pub(super) fn splice(
    text: &str,
    (key, section): (&Piece, &Piece),
    edit: &Edit,
    body: Option<Node<'_>>,
) -> Option<String> {
    let entries = section.named(edit.section());
    let Some((_, last, _)) = entries.last() else {
        // `rules:` with nothing behind it.
        let empty = text.get(key.end..section.end.max(key.end))?;
        let is_empty = empty.trim_matches([':', ' ', '~']).is_empty();
        let new = format!(":\n{}", entry(edit, body?, STEP)?);
        return if is_empty { replaced(text, (key.end, section.end.max(key.end + 1)), &new) } else { None };
    };
    let found = entries.iter().find(|(name, ..)| name == edit.name()).map(|(_, place, _)| *place);
    let indent = column(text, head(text, edit, last.0)?)?;
    match (body, found) {
        (Some(body), Some((start, end))) => {
            let new = entry(edit, body, indent)?;
            replaced(text, (head(text, edit, start)?, end), new.trim_start())
        }
        (Some(body), None) => {
            let end = line_end(text, last.1);
            replaced(text, (end, end), &format!("\n{}", entry(edit, body, indent)?))
        }
        (None, Some(_)) if entries.len() == 1 => {
            let empty = if edit.section().is_list() { ": []" } else { ": {}" };
            replaced(text, (key.end, section.end), empty)
        }
        (None, Some((start, end))) => {
            let start = line_start(text, head(text, edit, start)?);
            let end = line_end(text, end);
            let end = if text.get(end..).is_some_and(|rest| rest.starts_with('\n')) { end + 1 } else { end };
            replaced(text, (start, end), "")
        }
        (None, None) => None,
    }
}

/// A section that the document does not have, at its end.
pub(super) fn add_section(text: &str, edit: &Edit, body: Node<'_>) -> Option<String> {
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let entry = entry(edit, body, STEP)?;
    Some(format!("{text}{newline}{}:\n{entry}\n", edit.section().key()))
}

/// Where the entry begins: at its key, or at the dash of its item. `None` when something else stands before it.
fn head(text: &str, edit: &Edit, start: usize) -> Option<usize> {
    let head = match edit.section().is_list() {
        true => {
            let before = text.get(..start)?.trim_end_matches([' ', '\n']);
            before.strip_suffix('-')?.len()
        }
        false => start,
    };
    text.get(line_start(text, head)..head)?.bytes().all(|byte| byte == b' ').then_some(head)
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| at + newline)
}

fn column(text: &str, at: usize) -> Option<usize> {
    at.checked_sub(line_start(text, at))
}

/// The entry as lines, without a line end behind the last one.
fn entry(edit: &Edit, body: Node<'_>, indent: usize) -> Option<String> {
    let mut out = " ".repeat(indent);
    if edit.section().is_list() {
        out.push_str("- ");
        write_map(&mut out, body, indent + STEP)?;
    } else {
        out.push_str(&scalar(edit.name()));
        out.push(':');
        write_value(&mut out, body, indent + STEP)?;
    }
    Some(out)
}

/// Behind a colon: on the same line what fits there, else indented below.
fn write_value(out: &mut String, node: Node<'_>, indent: usize) -> Option<()> {
    match node.value() {
        Value::Map(entries) if entries.clone().next().is_some() => {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            write_map(out, node, indent)
        }
        Value::Scalar { text, plain: false } => {
            out.push(' ');
            out.push_str(&scalar(text));
            Some(())
        }
        Value::Null | Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
            out.push(' ');
            out.push_str(&json::write(node).ok()?);
            Some(())
        }
    }
}

/// The first entry goes on where `out` ends.
fn write_map(out: &mut String, node: Node<'_>, indent: usize) -> Option<()> {
    let Value::Map(entries) = node.value() else { return None };
    for (at, (key, value)) in entries.enumerate() {
        if at > 0 {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&scalar(key.text));
        out.push(':');
        write_value(out, value, indent + STEP)?;
    }
    Some(())
}

/// Without quotes when that reads the same.
fn scalar(text: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let is_word = text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'/');
    let means_more = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_plain = is_word && text.bytes().all(legal) && !means_more.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_plain { text.to_owned() } else { json::quoted(text) }
}
