//! Schemas -> their sections of the bundle.

use std::collections::HashMap;

use portcullis_bundle::Contents;
use portcullis_bundle::layout::{NONE, Range, Text};
use portcullis_bundle::schema::{
    self, CheckOp, INT_LIMIT, ITEMS_SHIFT, LiteralKind, PATTERN_TABLE, Property, property_hash, schema_flags,
};
use zerocopy::little_endian::{U32, U64};

use super::{EmitError, Overflow, Strings, append, number};
use crate::automata::{Automata, Table};
use crate::conditions::ConditionsError;
use crate::schema::{Check, Json, Named, Object, Pattern, SchemaNode, Schemas};

pub(super) fn write(
    schemas: &Schemas,
    automata: &mut Automata,
    strings: &mut Strings,
    contents: &mut Contents,
) -> Result<(), EmitError> {
    let mut writer = Writer { automata, strings, contents, tables: HashMap::new() };
    for node in &schemas.nodes {
        writer.node(node)?;
    }
    for (name, named) in &schemas.named {
        writer.schema(name, named)?;
    }
    Ok(())
}

struct Writer<'w> {
    automata: &'w mut Automata,
    strings: &'w mut Strings,
    contents: &'w mut Contents,
    tables: HashMap<Vec<u8>, u32>,
}

impl Writer<'_> {
    fn schema(&mut self, name: &str, named: &Named) -> Result<(), EmitError> {
        let types = |&(types, items): &(u8, u8)| u32::from(types) | u32::from(items) << ITEMS_SHIFT;
        let fields = named.fields.iter().map(|(name, field)| (name.as_str(), types(field)));
        let fields = self.properties(fields.collect())?;
        let name = self.strings.intern(name.as_bytes())?;
        let flags = U32::new(if named.is_form { schema_flags::FORM } else { 0 });
        self.contents.schemas.push(schema::Schema { name, root: U32::new(named.root), flags, fields });
        Ok(())
    }

    fn node(&mut self, node: &SchemaNode) -> Result<(), EmitError> {
        let mut checks = Vec::new();
        for check in &node.checks {
            self.check(check, &mut checks)?;
        }
        let checks = append(&mut self.contents.schema_checks, checks)?;
        let mut notes = Vec::new();
        for note in &node.notes {
            let (key, text) = (self.strings.intern(note.key.as_bytes())?, self.strings.intern(note.text.as_bytes())?);
            notes.push(schema::Note { kind: note.kind as u8, reserved: [0; 3], key, text });
        }
        let notes = append(&mut self.contents.schema_notes, notes)?;
        let record = schema::SchemaNode { checks, notes, types: node.types, flags: node.flags, reserved: [0; 2] };
        self.contents.schema_nodes.push(record);
        Ok(())
    }

    fn check(&mut self, check: &Check, checks: &mut Vec<schema::Check>) -> Result<(), EmitError> {
        let record = match check {
            Check::Reference(node) => record(CheckOp::Reference, [*node, NONE, NONE]),
            Check::Several(op, nodes) => self.listed(*op, nodes, NONE)?,
            Check::Not(node) => record(CheckOp::Not, [*node, NONE, NONE]),
            Check::If { condition, then, otherwise } => {
                record(CheckOp::If, [*condition, then.unwrap_or(NONE), otherwise.unwrap_or(NONE)])
            }
            Check::Const(value) => record(CheckOp::Const, [self.literal(value)?, NONE, NONE]),
            Check::Enum(values) => {
                let values = values.iter().map(|value| self.literal(value)).collect::<Result<Vec<_>, _>>()?;
                self.listed(CheckOp::Enum, &values, NONE)?
            }
            Check::Limit(op, text) => match int(text) {
                Some(limit) => {
                    let record = record(*op, [limit as u32, (limit >> u32::BITS) as u32, NONE]);
                    schema::Check { x: INT_LIMIT, ..record }
                }
                None => {
                    let Text { offset, bytes } = self.strings.intern(text.as_bytes())?;
                    record(*op, [offset.get(), bytes.get(), NONE])
                }
            },
            Check::MultipleOf(digits, exponent) => {
                record(CheckOp::MultipleOf, [*digits as u32, (digits >> u32::BITS) as u32, *exponent as u32])
            }
            Check::Count(op, count) => record(*op, [*count, NONE, NONE]),
            Check::Pattern(pattern) => {
                let Text { offset, bytes } = self.strings.intern(pattern.text.as_bytes())?;
                match &pattern.automaton.table {
                    Some(Table { sizes, bytes: table }) => {
                        let record = record(CheckOp::Pattern, [self.table(table)?, offset.get(), bytes.get()]);
                        schema::Check { x: PATTERN_TABLE, sizes: *sizes, ..record }
                    }
                    None => record(CheckOp::Pattern, [self.automaton(pattern)?, offset.get(), bytes.get()]),
                }
            }
            Check::Format(format) => {
                let mut record = record(CheckOp::Format, [NONE; 3]);
                record.x = *format as u8;
                record
            }
            Check::UniqueItems => record(CheckOp::UniqueItems, [NONE; 3]),
            Check::Items { first, rest } => self.listed(CheckOp::Items, first, rest.unwrap_or(NONE))?,
            Check::Contains { node, least, most } => record(CheckOp::Contains, [*node, *least, most.unwrap_or(NONE)]),
            Check::Object(object) => return self.object(object, checks),
            Check::DependentRequired(name, names) => {
                let property = self.properties(vec![(name, NONE)])?;
                let names = self.properties(names.iter().map(|name| (name.as_str(), NONE)).collect())?;
                let [start, count] = [names.start.get(), names.count.get()];
                record(CheckOp::DependentRequired, [property.start.get(), start, count])
            }
            Check::DependentSchemas(name, node) => {
                let property = self.properties(vec![(name, *node)])?;
                record(CheckOp::DependentSchemas, [property.start.get(), NONE, NONE])
            }
            Check::Unevaluated(op, node) => record(*op, [*node, NONE, NONE]),
        };
        checks.push(record);
        Ok(())
    }

    /// A list of numbers in `a` and `b`.
    fn listed(&mut self, op: CheckOp, numbers: &[u32], c: u32) -> Result<schema::Check, Overflow> {
        let list = append(&mut self.contents.schema_lists, numbers.iter().copied().map(U32::new))?;
        Ok(record(op, [list.start.get(), list.count.get(), c]))
    }

    fn object(&mut self, object: &Object, checks: &mut Vec<schema::Check>) -> Result<(), EmitError> {
        let properties = object.properties.iter().map(|(name, node)| (name.as_str(), *node)).collect();
        let properties = self.properties(properties)?;
        let (mut mask, mut others) = (0_u64, Vec::new());
        for name in &object.required {
            match self.position(properties, name) {
                Some(position) if position < u64::BITS => mask |= 1 << position,
                _ => others.push((name.as_str(), NONE)),
            }
        }
        let mut patterns = Vec::new();
        for (pattern, node) in &object.patterns {
            patterns.extend([U32::new(self.automaton(pattern)?), U32::new(*node)]);
        }
        let patterns = append(&mut self.contents.schema_lists, patterns)?;
        let is_only_required = properties.is_empty() && patterns.is_empty();
        if !is_only_required || object.additional.is_some() || object.names.is_some() {
            let [additional, names] = [object.additional, object.names].map(|node| U32::new(node.unwrap_or(NONE)));
            let at = number(self.contents.schema_objects.len())?;
            let required = U64::new(mask);
            self.contents.schema_objects.push(schema::Object { properties, patterns, additional, names, required });
            checks.push(record(CheckOp::Properties, [at.get(), NONE, NONE]));
        }
        if !others.is_empty() {
            let names = self.properties(others)?;
            checks.push(record(CheckOp::Required, [names.start.get(), names.count.get(), NONE]));
        }
        Ok(())
    }

    /// Where among sorted properties a name is.
    fn position(&self, properties: Range, name: &str) -> Option<u32> {
        let hash = property_hash(name.as_bytes());
        let start = properties.start.get() as usize;
        let sorted = self.contents.schema_properties.get(start..start + properties.count.get() as usize)?;
        let is_name = |text: Text| self.strings.get(text) == Some(name.as_bytes());
        let at = sorted.iter().position(|property| property.hash.get() == hash && is_name(property.name))?;
        u32::try_from(at).ok()
    }

    /// Names and what they lead to, sorted by hash and name.
    fn properties(&mut self, names: Vec<(&str, u32)>) -> Result<Range, Overflow> {
        let mut sorted: Vec<(u32, &str, u32)> =
            names.into_iter().map(|(name, node)| (property_hash(name.as_bytes()), name, node)).collect();
        sorted.sort_unstable();
        let mut records = Vec::with_capacity(sorted.len());
        for (hash, name, node) in sorted {
            let name = self.strings.intern(name.as_bytes())?;
            records.push(Property { hash: U32::new(hash), name, node: U32::new(node) });
        }
        append(&mut self.contents.schema_properties, records)
    }

    fn automaton(&mut self, pattern: &Pattern) -> Result<u32, ConditionsError> {
        self.automata.append(self.contents, &pattern.automaton.serialized).ok_or(ConditionsError::Automata)
    }

    /// Where in the blobs a table is; equal ones are written once.
    fn table(&mut self, table: &[u8]) -> Result<u32, Overflow> {
        if let Some(known) = self.tables.get(table) {
            return Ok(*known);
        }
        let at = number(self.contents.blobs.len())?.get();
        self.contents.blobs.extend_from_slice(table);
        self.tables.insert(table.to_owned(), at);
        Ok(at)
    }

    /// The number of a literal.
    fn literal(&mut self, value: &Json) -> Result<u32, Overflow> {
        let at = number(self.contents.schema_literals.len())?.get();
        let text = match value {
            Json::Number(text) => Some((LiteralKind::Number, text)),
            Json::String(text) => Some((LiteralKind::String, text)),
            _ => None,
        };
        if let Some((kind, text)) = text {
            self.push_text(kind, text)?;
            return Ok(at);
        }
        let (kind, count) = match value {
            Json::Bool(false) => (LiteralKind::False, 0),
            Json::Bool(true) => (LiteralKind::True, 0),
            Json::List(items) => (LiteralKind::List, items.len()),
            Json::Map(members) => (LiteralKind::Map, members.len()),
            Json::Null | Json::Number(_) | Json::String(_) => (LiteralKind::Null, 0),
        };
        self.push_literal(kind, [number(count)?, U32::ZERO], 0);
        match value {
            Json::List(items) => {
                for item in items {
                    self.literal(item)?;
                }
            }
            Json::Map(members) => {
                for (key, value) in members {
                    self.push_text(LiteralKind::Key, key)?;
                    self.literal(value)?;
                }
            }
            _ => return Ok(at),
        }
        let end = number(self.contents.schema_literals.len())?;
        if let Some(record) = self.contents.schema_literals.get_mut(at as usize) {
            record.b = end;
        }
        Ok(at)
    }

    fn push_text(&mut self, kind: LiteralKind, text: &str) -> Result<(), Overflow> {
        let Text { offset, bytes } = self.strings.intern(text.as_bytes())?;
        self.push_literal(kind, [offset, bytes], property_hash(text.as_bytes()));
        Ok(())
    }

    fn push_literal(&mut self, kind: LiteralKind, [a, b]: [U32; 2], hash: u32) {
        let record = schema::Literal { kind: kind as u8, reserved: [0; 3], a, b, hash: U32::new(hash) };
        self.contents.schema_literals.push(record);
    }
}

/// The integer that a number is written as.
fn int(text: &str) -> Option<i64> {
    text.parse().ok().filter(|limit: &i64| limit.to_string() == text)
}

fn record(op: CheckOp, operands: [u32; 3]) -> schema::Check {
    let [a, b, c] = operands.map(U32::new);
    schema::Check { a, b, c, ..schema::Check::new(op) }
}
