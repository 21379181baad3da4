//! `x-form`: which fields of a form are no texts.
//!
//! In: ordered nodes. Out: schemas by name; a form with the types of its fields, as all schemas that apply to it say.

use std::collections::{BTreeMap, HashSet};

use portcullis_bundle::schema::{ANY_TYPE, CheckOp, JsonType};

use super::model::{Check, Named, SchemaNode, Schemas};

const TEXT: u8 = JsonType::String as u8;

/// `roots` are names, the node of each, and whether it is a form.
pub(super) fn schemas(nodes: Vec<SchemaNode>, roots: Vec<(String, u32, bool)>) -> Schemas {
    let types = Types::of(&nodes);
    let named = roots.into_iter().map(|(name, root, is_form)| {
        let fields = if is_form { fields(&nodes, &types, root) } else { BTreeMap::new() };
        (name, Named { root, is_form, fields })
    });
    Schemas { named: named.collect(), nodes, ..Schemas::default() }
}

/// What each node allows, and what it allows of items.
struct Types {
    values: Vec<u8>,
    items: Vec<u8>,
}

impl Types {
    fn of(nodes: &[SchemaNode]) -> Self {
        let mut types = Self { values: Vec::new(), items: Vec::new() };
        // What applies to the same value comes first.
        for node in nodes {
            let value = node.checks.iter().fold(node.types, |all, check| all & types.of_check(check));
            types.values.push(value);
        }
        for node in nodes {
            let items = node.checks.iter().fold(0, |all, check| all | types.items_of(check));
            types.items.push(items);
        }
        types
    }

    fn value(&self, node: u32) -> u8 {
        self.values.get(node as usize).copied().unwrap_or(ANY_TYPE)
    }

    fn of_check(&self, check: &Check) -> u8 {
        let any = |nodes: &[u32]| nodes.iter().fold(0, |all, node| all | self.value(*node));
        match check {
            Check::Reference(node) => self.value(*node),
            Check::Several(CheckOp::AllOf, nodes) => nodes.iter().fold(ANY_TYPE, |all, node| all & self.value(*node)),
            Check::Several(_, nodes) => any(nodes),
            Check::Const(value) => value.types(),
            Check::Enum(values) => values.iter().fold(0, |all, value| all | value.types()),
            _ => ANY_TYPE,
        }
    }

    fn items_of(&self, check: &Check) -> u8 {
        let known = |node: &u32| self.items.get(*node as usize).copied().unwrap_or(0);
        match check {
            Check::Items { first, rest } => first.iter().chain(rest).fold(0, |all, node| all | self.value(*node)),
            Check::Reference(node) => known(node),
            Check::Several(_, nodes) => nodes.iter().fold(0, |all, node| all | known(node)),
            _ => 0,
        }
    }
}

fn fields(nodes: &[SchemaNode], types: &Types, root: u32) -> BTreeMap<String, (u8, u8)> {
    let mut fields: BTreeMap<String, (u8, u8)> = BTreeMap::new();
    let (mut left, mut seen) = (vec![root], HashSet::new());
    while let Some(number) = left.pop() {
        let Some(node) = nodes.get(number as usize).filter(|_| seen.insert(number)) else { continue };
        for check in &node.checks {
            match check {
                Check::Reference(node) | Check::DependentSchemas(_, node) => left.push(*node),
                Check::Several(_, nodes) => left.extend(nodes),
                Check::If { then, otherwise, .. } => left.extend(then.iter().chain(otherwise)),
                Check::Object(object) => {
                    for (name, node) in &object.properties {
                        let field = fields.entry(name.clone()).or_insert((ANY_TYPE, 0));
                        field.0 &= types.value(*node);
                        field.1 |= types.items.get(*node as usize).copied().unwrap_or(0);
                    }
                }
                _ => {}
            }
        }
    }
    fields.retain(|_, (types, _)| *types & TEXT == 0 || *types & JsonType::Array as u8 != 0);
    for (_, items) in fields.values_mut() {
        *items = if *items == 0 { TEXT } else { *items };
    }
    fields
}
