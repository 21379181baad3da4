//! Schemas as checked: keywords that belong together are one check, references are numbers of nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use portcullis_bundle::schema::{ANY_TYPE, CheckOp, Format, NoteKind};

use super::literal::Json;
use crate::automata::Table;
use crate::tree::Position;

#[derive(Debug, Default)]
pub(crate) struct Schemas {
    /// Of all schemas, also when one of them is wrong.
    pub(crate) names: BTreeSet<String>,
    pub(crate) named: BTreeMap<String, Named>,
    /// What applies to the same value comes before its user.
    pub(crate) nodes: Vec<SchemaNode>,
}

#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) root: u32,
    pub(crate) is_form: bool,
    /// Of a form: types of fields that are no texts, and of their items.
    pub(crate) fields: BTreeMap<String, (u8, u8)>,
}

/// One schema.
#[derive(Debug)]
pub(crate) struct SchemaNode {
    pub(crate) at: Position,
    /// Bit per `JsonType`.
    pub(crate) types: u8,
    /// See `node_flags`.
    pub(crate) flags: u8,
    pub(crate) checks: Vec<Check>,
    pub(crate) notes: Vec<Note>,
}

#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) kind: NoteKind,
    pub(crate) key: String,
    pub(crate) text: String,
}

/// Nodes are meant by their number.
#[derive(Debug)]
pub(crate) enum Check {
    Reference(u32),
    /// `AllOf`, `AnyOf` or `OneOf`.
    Several(CheckOp, Vec<u32>),
    Not(u32),
    If {
        condition: u32,
        then: Option<u32>,
        otherwise: Option<u32>,
    },
    Const(Json),
    Enum(Vec<Json>),
    /// `Minimum` and the like; the text is a JSON number.
    Limit(CheckOp, String),
    /// Digits times ten to the power of the exponent.
    MultipleOf(u64, i32),
    /// `MinLength` and the like.
    Count(CheckOp, u32),
    Pattern(Pattern),
    Format(Format),
    UniqueItems,
    Items {
        first: Vec<u32>,
        rest: Option<u32>,
    },
    Contains {
        node: u32,
        least: u32,
        most: Option<u32>,
    },
    Object(Object),
    DependentRequired(String, Vec<String>),
    DependentSchemas(String, u32),
    /// `UnevaluatedItems` or `UnevaluatedProperties`.
    Unevaluated(CheckOp, u32),
}

/// What is asked of the members of an object.
#[derive(Debug, Default)]
pub(crate) struct Object {
    pub(crate) properties: Vec<(String, u32)>,
    pub(crate) patterns: Vec<(Pattern, u32)>,
    pub(crate) additional: Option<u32>,
    pub(crate) names: Option<u32>,
    pub(crate) required: Vec<String>,
}

/// What decides whether a text has a pattern.
#[derive(Debug)]
pub(crate) struct Automaton {
    pub(crate) serialized: Rc<[u8]>,
    /// The same, when it is small.
    pub(crate) table: Option<Table>,
}

#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    pub(crate) automaton: Rc<Automaton>,
}

/// How a check leads to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// To the same value, in any case.
    Same,
    /// To the same value, under a condition, or for its verdict.
    SameSometimes,
    /// To a part of the value, in any case.
    Part,
    /// To a part of the value, under a condition, or for its verdict.
    PartSometimes,
}

impl Edge {
    pub(super) fn is_same_value(self) -> bool {
        matches!(self, Self::Same | Self::SameSometimes)
    }
}

// === impl SchemaNode ===

impl SchemaNode {
    /// What everything satisfies.
    pub(super) fn any(at: Position) -> Self {
        Self { at, types: ANY_TYPE, flags: 0, checks: Vec::new(), notes: Vec::new() }
    }

    /// Shows each node that a check leads to, to look at or to replace.
    pub(super) fn visit(&mut self, mut see: impl FnMut(Edge, &mut u32)) {
        self.checks.iter_mut().for_each(|check| check.visit(&mut see));
    }

    pub(super) fn edges(&mut self) -> Vec<(Edge, u32)> {
        let mut edges = Vec::new();
        self.visit(|edge, node| edges.push((edge, *node)));
        edges
    }
}

// === impl Check ===

impl Check {
    fn visit(&mut self, see: &mut impl FnMut(Edge, &mut u32)) {
        match self {
            Self::Reference(node) => see(Edge::Same, node),
            Self::Several(op, nodes) => {
                let edge = if *op == CheckOp::AllOf { Edge::Same } else { Edge::SameSometimes };
                nodes.iter_mut().for_each(|node| see(edge, node));
            }
            Self::Not(node) | Self::DependentSchemas(_, node) => see(Edge::SameSometimes, node),
            Self::If { condition, then, otherwise } => {
                let nodes = [Some(condition), then.as_mut(), otherwise.as_mut()];
                nodes.into_iter().flatten().for_each(|node| see(Edge::SameSometimes, node));
            }
            Self::Items { first, rest } => first.iter_mut().chain(rest).for_each(|node| see(Edge::Part, node)),
            Self::Contains { node, .. } | Self::Unevaluated(_, node) => see(Edge::PartSometimes, node),
            Self::Object(object) => {
                let properties = object.properties.iter_mut().map(|(_, node)| node);
                let patterns = object.patterns.iter_mut().map(|(_, node)| node);
                properties.chain(patterns).chain(&mut object.additional).for_each(|node| see(Edge::Part, node));
                object.names.iter_mut().for_each(|node| see(Edge::PartSometimes, node));
            }
            Self::Const(_) | Self::Enum(_) | Self::Limit(..) | Self::MultipleOf(..) | Self::Count(..) => {}
            Self::Pattern(_) | Self::Format(_) | Self::UniqueItems | Self::DependentRequired(..) => {}
        }
    }
}

// === impl Object ===

impl Object {
    pub(super) fn is_empty(&self) -> bool {
        let Self { properties, patterns, additional, names, required } = self;
        properties.is_empty() && patterns.is_empty() && additional.is_none() && names.is_none() && required.is_empty()
    }
}
