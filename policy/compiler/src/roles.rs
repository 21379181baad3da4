//! Roles and permission groups -> who holds a role, who holds a permission.
//!
//! In: the `roles` and `permission_groups` of a document. Out: for every role the roles that are it by inheritance,
//! for every permission the roles and groups that give it. Cycles and overlong chains are errors.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_bundle::layout::PrincipalKind;
use portcullis_bundle::limits::{INHERITANCE, ROLES};

use crate::model::Principal;
use crate::names::did_you_mean;
use crate::reader::{Keys, Reader};
use crate::tree::{Node, Position};

const ROLE: Keys = Keys { of: "a role", known: &["description", "type", "inherits", "permissions"], later: &[] };
const GROUP: Keys = Keys { of: "a permission group", known: &["description", "permissions"], later: &[] };

/// Who is what, with inheritance resolved.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    /// Role -> the roles that inherit from it, and from those; not itself.
    heirs: BTreeMap<String, BTreeSet<String>>,
    /// Permission -> those who give it themselves.
    givers: BTreeMap<String, BTreeSet<Principal>>,
    groups: BTreeSet<String>,
}

struct Declared<'n> {
    at: Position,
    inherits: Vec<(Position, &'n str)>,
}

impl Roles {
    pub(crate) fn read(reader: &mut Reader<'_>, roles: Option<Node<'_>>, groups: Option<Node<'_>>) -> Self {
        let mut all = Self::default();
        let mut declared = BTreeMap::new();
        if let Some(node) = roles
            && let Some(fields) = reader.map(node, "roles by name")
        {
            for (name, node) in fields.iter() {
                let Some(role) = reader.fields(node, &ROLE) else { continue };
                for key in ["description", "type"] {
                    role.get(key).and_then(|node| reader.text(node, key));
                }
                let inherits = reader.texts(role.get("inherits"), "role names");
                let permissions = reader.texts(role.get("permissions"), "permission names");
                all.give((PrincipalKind::Role, name.text.to_string()), &permissions);
                declared.insert(name.text, Declared { at: name.at, inherits });
            }
        }
        if let Some(node) = groups
            && let Some(fields) = reader.map(node, "permission groups by name")
        {
            for (name, node) in fields.iter() {
                let Some(group) = reader.fields(node, &GROUP) else { continue };
                group.get("description").and_then(|node| reader.text(node, "description"));
                let permissions = reader.texts(group.get("permissions"), "permission names");
                all.give((PrincipalKind::PermissionGroup, name.text.to_string()), &permissions);
                all.groups.insert(name.text.to_string());
            }
        }
        if declared.len() > ROLES {
            let at = roles.map_or(Position::START, |node| node.at());
            reader.error(at, format!("{} roles, the limit is {ROLES}", declared.len()));
            return all;
        }
        all.inherit(reader, &declared);
        all
    }

    fn give(&mut self, giver: Principal, permissions: &[(Position, &str)]) {
        for (_, permission) in permissions {
            self.givers.entry((*permission).to_owned()).or_default().insert(giver.clone());
        }
    }

    /// Walks from the roles that inherit nothing to those that inherit from them, one level at a time.
    fn inherit(&mut self, reader: &mut Reader<'_>, declared: &BTreeMap<&str, Declared<'_>>) {
        let mut heirs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut waits_for: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, role) in declared {
            let mut parents = BTreeSet::new();
            for (at, parent) in &role.inherits {
                if !declared.contains_key(parent) {
                    let help = did_you_mean(parent, declared.keys().copied());
                    reader.error_with_help(*at, format!("role `{parent}` is not declared"), help);
                } else if parents.insert(*parent) {
                    heirs.entry(*parent).or_default().push(*name);
                }
            }
            waits_for.insert(*name, parents.len());
        }
        let mut level: Vec<&str> = declared.keys().copied().filter(|name| waits_for.get(name) == Some(&0)).collect();
        let mut depth = 0;
        while !level.is_empty() {
            if depth > INHERITANCE
                && let Some(role) = level.first().and_then(|name| declared.get(name))
            {
                reader.error(role.at, format!("role inherits through more than {INHERITANCE} levels, the limit"));
                return;
            }
            let mut next = Vec::new();
            for name in level {
                waits_for.remove(name);
                for heir in heirs.get(name).into_iter().flatten() {
                    if let Some(left) = waits_for.get_mut(heir) {
                        *left -= 1;
                        if *left == 0 {
                            next.push(*heir);
                        }
                    }
                }
            }
            level = next;
            depth += 1;
        }
        if let Some(cycle) = find_cycle(&waits_for, declared) {
            let at = declared.get(cycle[0]).map_or(Position::START, |role| role.at);
            reader.error(at, format!("roles inherit in a cycle: {}", cycle.join(" -> ")));
            return;
        }
        for name in declared.keys() {
            let mut all = BTreeSet::new();
            let mut open = vec![*name];
            while let Some(role) = open.pop() {
                for heir in heirs.get(role).into_iter().flatten() {
                    if all.insert((*heir).to_owned()) {
                        open.push(heir);
                    }
                }
            }
            self.heirs.insert((*name).to_owned(), all);
        }
    }

    /// Those who are `role`: itself and its heirs. `None` when it is not declared.
    pub(crate) fn holders(&self, role: &str) -> Option<impl Iterator<Item = Principal>> {
        let heirs = self.heirs.get(role)?.iter().cloned();
        Some(heirs.chain([role.to_owned()]).map(|role| (PrincipalKind::Role, role)))
    }

    /// Those who have `permission`, themselves or by inheritance. `None` when nobody has.
    pub(crate) fn granted(&self, permission: &str) -> Option<BTreeSet<Principal>> {
        let mut all = BTreeSet::new();
        for (kind, name) in self.givers.get(permission)? {
            match kind {
                PrincipalKind::Role => all.extend(self.holders(name).into_iter().flatten()),
                PrincipalKind::PermissionGroup | PrincipalKind::Subject => {
                    all.insert((*kind, name.clone()));
                }
            }
        }
        Some(all)
    }

    pub(crate) fn has_group(&self, group: &str) -> bool {
        self.groups.contains(group)
    }

    /// What was meant by the name of a role, permission or group that is not there.
    pub(crate) fn help(&self, kind: &str, name: &str) -> Option<String> {
        match kind {
            "role" => did_you_mean(name, self.heirs.keys().map(String::as_str)),
            "permission" => did_you_mean(name, self.givers.keys().map(String::as_str)),
            _ => did_you_mean(name, self.groups.iter().map(String::as_str)),
        }
    }
}

/// The first cycle among the roles that still wait, closed: the first name is also the last.
fn find_cycle<'n>(
    waiting: &BTreeMap<&'n str, usize>,
    declared: &BTreeMap<&'n str, Declared<'n>>,
) -> Option<Vec<&'n str>> {
    let mut path: Vec<&str> = vec![*waiting.keys().next()?];
    loop {
        // Every waiting role waits for a waiting parent, so the path goes on until it meets itself.
        let parents = &declared.get(*path.last()?)?.inherits;
        let next = parents.iter().map(|(_, parent)| *parent).find(|parent| waiting.contains_key(parent))?;
        if let Some(start) = path.iter().position(|name| *name == next) {
            let mut cycle = path.split_off(start);
            cycle.push(next);
            return Some(cycle);
        }
        path.push(next);
    }
}
