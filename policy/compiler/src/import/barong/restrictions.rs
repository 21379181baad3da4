//! Restriction rows -> restrictions: the same categories, scopes and codes, places by their ISO codes.

use core::net::Ipv4Addr;

use super::places::{Place, continent, country};
use crate::diagnostic::Diagnostic;
use crate::import::{get, items, required, scalar, yaml};
use crate::tree::{Node, Position};

const CATEGORIES: [&str; 4] = ["whitelist", "maintenance", "blacklist", "blocklogin"];
const STATES: [&str; 2] = ["enabled", "disabled"];

/// Items of the list `restrictions`.
pub(super) fn read(node: Option<Node<'_>>, notes: &mut Vec<Diagnostic>) -> String {
    let items = items(node, "restrictions", notes);
    items.filter_map(|node| restriction(node, notes)).map(|item| format!("  - {item}\n")).collect()
}

fn restriction(node: Node<'_>, notes: &mut Vec<Diagnostic>) -> Option<String> {
    let category = one_of("category", &CATEGORIES, required(node, "category", "restriction", notes)?, notes)?;
    let (scope_at, scope) = required(node, "scope", "restriction", notes)?;
    let scope = scope.to_lowercase();
    let state = match get(node, "state") {
        Some(state) => one_of("state", &STATES, (state.at(), scalar(state).unwrap_or_default()), notes)?,
        None => "enabled",
    };
    let value = match scope.as_str() {
        "all" => String::new(),
        "ip" | "ip_subnet" | "country" | "continent" => {
            let (at, text) = required(node, "value", "restriction", notes)?;
            match value(&scope, text) {
                Ok(value) => {
                    if value.is_new && state == "enabled" {
                        let message =
                            format!("Barong compares with English names, so `{text}` never matched; now it does");
                        notes.push(Diagnostic::warning(at, message));
                    }
                    format!(", value: {}", yaml::scalar(&value.text))
                }
                Err(why) => {
                    unreadable(category, state, at, why, notes);
                    return None;
                }
            }
        }
        other => {
            notes.push(Diagnostic::error(scope_at, format!("`{other}` is not a scope of Barong")));
            return None;
        }
    };
    let code = code(category, get(node, "code"), notes);
    let state = if state == "disabled" { ", state: disabled" } else { "" };
    Some(format!("{{category: {category}, scope: {scope}{value}{code}{state}}}"))
}

/// One of `names`, found in any letter case.
fn one_of(
    what: &str,
    names: &[&'static str],
    (at, text): (Position, &str),
    notes: &mut Vec<Diagnostic>,
) -> Option<&'static str> {
    let found = names.iter().find(|name| text.eq_ignore_ascii_case(name)).copied();
    if found.is_none() {
        let message = format!("`{text}` is not a {what} of a restriction; it is one of {}", names.join(", "));
        notes.push(Diagnostic::error(at, message));
    }
    found
}

struct Value {
    text: String,
    /// Barong never matched it as it was written.
    is_new: bool,
}

fn value(scope: &str, text: &str) -> Result<Value, String> {
    let as_it_is = || Value { text: text.to_owned(), is_new: false };
    let place = |place: Option<Place>| {
        place.map(|place| match place {
            Place::Named(code) => Value { text: code.to_owned(), is_new: false },
            Place::Coded(code) => Value { text: code.to_owned(), is_new: true },
        })
    };
    match scope {
        "ip" => text.parse::<Ipv4Addr>().map(|_| as_it_is()).map_err(|_| format!("`{text}` is not an IPv4 address")),
        "ip_subnet" => match is_network(text) {
            true => Ok(as_it_is()),
            false => Err(format!("`{text}` is not an IPv4 network")),
        },
        "country" => {
            place(country(text)).ok_or_else(|| format!("`{text}` is not the English name or code of a country"))
        }
        _ => place(continent(text)).ok_or_else(|| format!("`{text}` is not the English name or code of a continent")),
    }
}

fn is_network(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, prefix)| {
        let is_number = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        address.parse::<Ipv4Addr>().is_ok() && is_number && prefix.parse::<u8>().is_ok_and(|bits| bits <= 32)
    })
}

/// Without a whitelist entry less gets through, and a disabled one does nothing; any other would be missed.
fn unreadable(category: &str, state: &str, at: Position, why: String, notes: &mut Vec<Diagnostic>) {
    let is_missed = category != "whitelist" && state == "enabled";
    notes.push(match is_missed {
        true => Diagnostic::error(at, why).with_help(Some("correct the restriction, or disable it if it is not meant")),
        false => Diagnostic::warning(at, format!("restriction is left out: {why}")),
    });
}

/// A code as it is, unless it would not refuse; a whitelist has none of its own.
fn code(category: &str, node: Option<Node<'_>>, notes: &mut Vec<Diagnostic>) -> String {
    let Some(node) = node.filter(|_| category != "whitelist") else { return String::new() };
    match scalar(node).map(str::parse::<u16>) {
        None => String::new(),
        Some(Ok(code @ 400..=599)) => format!(", code: {code}"),
        Some(_) => {
            let message = "code is left out: a refusal has a status from 400 to 599";
            notes.push(Diagnostic::warning(node.at(), message));
            String::new()
        }
    }
}
