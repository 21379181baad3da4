//! One schema of the tree -> one node: each keyword read, those that belong together as one check.
//!
//! In: a boolean or a mapping. Out: the number of a node, always; what is wrong with it is a diagnostic at its place.

use std::collections::HashMap;
use std::rc::Rc;

use portcullis_bundle::schema::{CheckOp, Format, JsonType, node_flags};

use super::annotations;
use super::literal::{Json, boolean, string};
use super::model::{Automaton, Check, Object, Pattern, SchemaNode};
use super::number;
use super::references::Pending;
use super::uri;
use crate::automata::{self, AutomatonError};
use crate::names::did_you_mean;
use crate::reader::Reader;
use crate::tree::{Entries, Key, Node, Value};

/// The only dialect (JSON Schema Core section 8.1.1).
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Keywords with a meaning here; annotations beside them are in `annotations`.
const KEYWORDS: [&str; 50] = [
    "$schema",
    "$id",
    "$anchor",
    "$ref",
    "$defs",
    "type",
    "enum",
    "const",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "items",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "required",
    "dependentRequired",
    "dependentSchemas",
    "minProperties",
    "maxProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
    "x-code",
    "x-message",
    "x-form",
    "x-trim",
    "x-lowercase",
    "x-uppercase",
    "description",
];

/// Keywords of JSON Schema that are not in the vocabulary, and what to do about them.
const UNSUPPORTED: [(&str, &str); 9] = [
    ("$dynamicRef", "use `$ref`"),
    ("$dynamicAnchor", "use `$anchor`"),
    ("$recursiveRef", "use `$ref`"),
    ("$vocabulary", "leave it out"),
    ("contentSchema", "leave it out; what is in a text is not looked at"),
    ("definitions", "write `$defs`"),
    ("dependencies", "write `dependentRequired` or `dependentSchemas`"),
    ("additionalItems", "write `items`, and `prefixItems` for the first ones"),
    ("id", "write `$id`"),
];

pub(super) struct Reading<'r, 'd, 'n> {
    reader: &'r mut Reader<'d>,
    nodes: Vec<SchemaNode>,
    pending: Pending<'n>,
    patterns: HashMap<&'n str, Rc<Automaton>>,
}

/// A node in the making.
struct Draft<'b> {
    number: u32,
    base: &'b str,
    node: SchemaNode,
    reference: Option<Check>,
    object: Object,
    first: Vec<u32>,
    rest: Option<u32>,
    contains: Option<u32>,
    least: Option<u32>,
    most: Option<u32>,
    condition: Option<u32>,
    then: Option<u32>,
    otherwise: Option<u32>,
    /// They look at what the others have marked.
    last: Vec<Check>,
}

impl<'r, 'd, 'n> Reading<'r, 'd, 'n> {
    pub(super) fn new(reader: &'r mut Reader<'d>) -> Self {
        Self { reader, nodes: Vec::new(), pending: Pending::default(), patterns: HashMap::new() }
    }

    pub(super) fn finish(self) -> (Vec<SchemaNode>, Pending<'n>) {
        (self.nodes, self.pending)
    }

    /// A schema of `schemas`: its node, and whether it is a form.
    pub(super) fn named(&mut self, key: Key<'n>, node: Node<'n>) -> (u32, bool) {
        // Schemas may refer to each other by their names.
        let base = format!("portcullis:/schemas/{}", key.text);
        self.pending.resource(&base, node);
        let is_form = match node.value() {
            Value::Map(mut entries) => entries.find(|(key, _)| key.text == "x-form").map(|(_, node)| node),
            _ => None,
        };
        let is_form = is_form.and_then(|node| self.reader.flag(node)).unwrap_or(false);
        (self.schema(node, &base, true), is_form)
    }

    fn schema(&mut self, node: Node<'n>, base: &str, is_root: bool) -> u32 {
        let number = self.nodes.len() as u32;
        self.nodes.push(SchemaNode::any(node.at()));
        self.pending.place(node, number);
        match node.value() {
            Value::Scalar { text, plain: true } if boolean(text).is_some() => {
                if boolean(text) == Some(false)
                    && let Some(node) = self.nodes.last_mut()
                {
                    node.flags |= node_flags::NEVER;
                }
            }
            Value::Map(entries) => {
                let id = entries.clone().find(|(key, _)| key.text == "$id");
                let own = id.and_then(|(_, id)| self.identifier(id, node, base));
                let mut draft = Draft::new(number, own.as_deref().unwrap_or(base), SchemaNode::any(node.at()));
                for (key, node) in entries {
                    if key.text == "x-form" && !is_root {
                        self.reader.error(key.at, "`x-form` belongs to the outermost schema");
                    }
                    self.keyword(&mut draft, key, node);
                }
                let finished = draft.finish();
                if let Some(place) = self.nodes.get_mut(number as usize) {
                    *place = finished;
                }
            }
            _ => self.reader.expected(node, "a schema: `true`, `false` or a mapping"),
        }
        number
    }

    /// The absolute form of `$id`.
    fn identifier(&mut self, id: Node<'n>, node: Node<'n>, base: &str) -> Option<String> {
        let text = string(self.reader, id, "an identifier")?;
        let (identifier, fragment) = uri::resolve(base, text);
        if fragment.is_some_and(|fragment| !fragment.is_empty()) {
            self.reader.error_with_help(id.at(), "`$id` has a fragment", Some("write `$anchor`".to_owned()));
        }
        if !self.pending.resource(&identifier, node) {
            self.reader.error(id.at(), format!("`$id` `{identifier}` is here for the second time"));
        }
        Some(identifier)
    }

    fn keyword(&mut self, draft: &mut Draft<'_>, key: Key<'n>, node: Node<'n>) {
        match key.text {
            "$schema" => self.dialect(node),
            "$id" | "x-form" => {}
            "$anchor" => self.anchor(draft, node),
            "$ref" => {
                if let Some(text) = string(self.reader, node, "a reference") {
                    draft.reference = Some(Check::Reference(0));
                    self.pending.reference(node.at(), draft.base, text, (draft.number, 0));
                }
            }
            "$defs" => drop(self.schemas_by_name(draft, node)),
            "type" => draft.node.types = self.types(node),
            "const" => draft.push(Json::read(self.reader, node).map(Check::Const)),
            "enum" => draft.push(self.values(node).map(Check::Enum)),
            "multipleOf" => {
                let divisor = number::divisor(self.reader, node);
                draft.push(divisor.map(|(digits, exponent)| Check::MultipleOf(digits, exponent)));
            }
            "minimum" => draft.push(self.limit(CheckOp::Minimum, node)),
            "maximum" => draft.push(self.limit(CheckOp::Maximum, node)),
            "exclusiveMinimum" => draft.push(self.limit(CheckOp::ExclusiveMinimum, node)),
            "exclusiveMaximum" => draft.push(self.limit(CheckOp::ExclusiveMaximum, node)),
            "minLength" => draft.push(self.count(CheckOp::MinLength, node)),
            "maxLength" => draft.push(self.count(CheckOp::MaxLength, node)),
            "minItems" => draft.push(self.count(CheckOp::MinItems, node)),
            "maxItems" => draft.push(self.count(CheckOp::MaxItems, node)),
            "minProperties" => draft.push(self.count(CheckOp::MinProperties, node)),
            "maxProperties" => draft.push(self.count(CheckOp::MaxProperties, node)),
            "minContains" => draft.least = number::count(self.reader, node),
            "maxContains" => draft.most = number::count(self.reader, node),
            "uniqueItems" => {
                let is_unique = self.reader.flag(node) == Some(true);
                draft.push(is_unique.then_some(Check::UniqueItems));
            }
            "pattern" => {
                let pattern = self.pattern(node);
                draft.push(pattern.map(Check::Pattern));
            }
            "format" => draft.push(self.format(node)),
            "prefixItems" => draft.first = self.list(draft, node),
            "items" => draft.rest = Some(self.schema(node, draft.base, false)),
            "contains" => draft.contains = Some(self.schema(node, draft.base, false)),
            "properties" => draft.object.properties = self.schemas_by_name(draft, node),
            "patternProperties" => draft.object.patterns = self.schemas_by_pattern(draft, node),
            "additionalProperties" => draft.object.additional = Some(self.schema(node, draft.base, false)),
            "propertyNames" => draft.object.names = Some(self.schema(node, draft.base, false)),
            "required" => draft.object.required = self.names(node),
            "dependentRequired" => self.dependent_required(draft, node),
            "dependentSchemas" => {
                for (name, node) in self.schemas_by_name(draft, node) {
                    draft.push(Some(Check::DependentSchemas(name, node)));
                }
            }
            "allOf" => self.several(draft, CheckOp::AllOf, node),
            "anyOf" => self.several(draft, CheckOp::AnyOf, node),
            "oneOf" => self.several(draft, CheckOp::OneOf, node),
            "not" => {
                let node = self.schema(node, draft.base, false);
                draft.push(Some(Check::Not(node)));
            }
            "if" => draft.condition = Some(self.schema(node, draft.base, false)),
            "then" => draft.then = Some(self.schema(node, draft.base, false)),
            "else" => draft.otherwise = Some(self.schema(node, draft.base, false)),
            "unevaluatedItems" => self.unevaluated(draft, CheckOp::UnevaluatedItems, node),
            "unevaluatedProperties" => self.unevaluated(draft, CheckOp::UnevaluatedProperties, node),
            _ if annotations::read(self.reader, &mut draft.node, key, node) => {}
            name if name.starts_with("x-") => {}
            _ => self.unknown(key),
        }
    }

    fn unknown(&mut self, key: Key<'_>) {
        let name = key.text;
        if let Some((_, help)) = UNSUPPORTED.iter().find(|(unsupported, _)| *unsupported == name) {
            let message = format!("the keyword `{name}` is not supported");
            return self.reader.error_with_help(key.at, message, Some((*help).to_owned()));
        }
        let help = did_you_mean(name, KEYWORDS.into_iter());
        let help = help.unwrap_or_else(|| "annotations of your own start with `x-`".to_owned());
        self.reader.error_with_help(key.at, format!("`{name}` is not a keyword of a schema"), Some(help));
    }

    // === what keywords hold ===

    fn dialect(&mut self, node: Node<'n>) {
        if let Some(text) = string(self.reader, node, "a dialect")
            && text.strip_suffix('#').unwrap_or(text) != DIALECT
        {
            self.reader.error(node.at(), format!("`{text}` is not supported, the dialect is `{DIALECT}`"));
        }
    }

    fn anchor(&mut self, draft: &Draft<'_>, node: Node<'n>) {
        let Some(name) = string(self.reader, node, "an anchor") else { return };
        let is_start = |first: char| first.is_ascii_alphabetic() || first == '_';
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if !name.starts_with(is_start) || !name.bytes().all(is_part) {
            self.reader
                .error(node.at(), format!("`{name}` is not an anchor: a letter or `_`, then also digits, `-` and `.`"));
        } else if !self.pending.anchor(draft.base, name, draft.number) {
            self.reader.error(node.at(), format!("anchor `{name}` is here for the second time"));
        }
    }

    fn types(&mut self, node: Node<'n>) -> u8 {
        let nodes = match node.value() {
            Value::List(items) => items.collect(),
            _ => vec![node],
        };
        let mut types = 0;
        for node in &nodes {
            let text = match node.value() {
                Value::Scalar { text, .. } => text,
                _ => "",
            };
            match JsonType::ALL.into_iter().find(|kind| kind.name() == text) {
                Some(kind) if types & kind as u8 != 0 => {
                    self.reader.error(node.at(), format!("type `{text}` is here for the second time"));
                }
                Some(kind) => types |= kind as u8,
                None => {
                    let help = match node.value() {
                        Value::Null => Some("put `null` into quotes".to_owned()),
                        _ => did_you_mean(text, JsonType::ALL.into_iter().map(JsonType::name)),
                    };
                    self.reader.error_with_help(node.at(), format!("`{text}` is not a type"), help);
                }
            }
        }
        if nodes.is_empty() {
            self.reader.error(node.at(), "`type` is empty: nothing would satisfy it");
        }
        types
    }

    fn values(&mut self, node: Node<'n>) -> Option<Vec<Json>> {
        let Value::List(items) = node.value() else {
            self.reader.expected(node, "a list of values");
            return None;
        };
        items.map(|item| Json::read(self.reader, item)).collect()
    }

    fn limit(&mut self, op: CheckOp, node: Node<'n>) -> Option<Check> {
        number::read(self.reader, node).map(|text| Check::Limit(op, text.to_owned()))
    }

    fn count(&mut self, op: CheckOp, node: Node<'n>) -> Option<Check> {
        number::count(self.reader, node).map(|count| Check::Count(op, count))
    }

    fn format(&mut self, node: Node<'n>) -> Option<Check> {
        let text = string(self.reader, node, "a format")?;
        let found = Format::ALL.into_iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let help = did_you_mean(text, Format::ALL.into_iter().map(|(name, _)| name));
            self.reader.error_with_help(node.at(), format!("format `{text}` is not supported"), help);
        }
        found.map(|(_, format)| Check::Format(format))
    }

    fn pattern(&mut self, node: Node<'n>) -> Option<Pattern> {
        let text = string(self.reader, node, "a regular expression")?;
        let failed = match self.automaton(text) {
            Ok(pattern) => return Some(pattern),
            Err(failed) => failed,
        };
        let (at, behind) = match &failed {
            AutomatonError::Syntax { offset, .. } => node.place(text, *offset),
            AutomatonError::TooLarge => (node.at(), String::new()),
        };
        self.reader.error(at, format!("{failed}{behind}"));
        None
    }

    fn automaton(&mut self, text: &'n str) -> Result<Pattern, AutomatonError> {
        let automaton = match self.patterns.get(text) {
            Some(known) => Rc::clone(known),
            None => {
                let (serialized, table) = automata::build_one(text)?;
                let built = Rc::new(Automaton { serialized: serialized.into(), table });
                Rc::clone(self.patterns.entry(text).or_insert(built))
            }
        };
        Ok(Pattern { text: text.to_owned(), automaton })
    }

    fn names(&mut self, node: Node<'n>) -> Vec<String> {
        let Value::List(items) = node.value() else {
            self.reader.expected(node, "a list of names");
            return Vec::new();
        };
        let mut names: Vec<String> = Vec::new();
        for item in items {
            let Some(name) = string(self.reader, item, "a name") else { continue };
            if names.iter().any(|known| known == name) {
                self.reader.error(item.at(), format!("`{name}` is here for the second time"));
            }
            names.push(name.to_owned());
        }
        names
    }

    fn entries(&mut self, node: Node<'n>, what: &str) -> impl Iterator<Item = (Key<'n>, Node<'n>)> + use<'n> {
        match node.value() {
            Value::Map(entries) => entries,
            _ => {
                self.reader.expected(node, what);
                Entries::default()
            }
        }
    }

    fn dependent_required(&mut self, draft: &mut Draft<'_>, node: Node<'n>) {
        for (key, node) in self.entries(node, "names by name") {
            let names = self.names(node);
            draft.push(Some(Check::DependentRequired(key.text.to_owned(), names)));
        }
    }

    // === schemas inside ===

    fn schemas_by_name(&mut self, draft: &Draft<'_>, node: Node<'n>) -> Vec<(String, u32)> {
        let entries = self.entries(node, "schemas by name");
        entries.map(|(key, node)| (key.text.to_owned(), self.schema(node, draft.base, false))).collect()
    }

    fn schemas_by_pattern(&mut self, draft: &Draft<'_>, node: Node<'n>) -> Vec<(Pattern, u32)> {
        let mut patterns = Vec::new();
        for (key, node) in self.entries(node, "schemas by pattern") {
            let number = self.schema(node, draft.base, false);
            let pattern = self.automaton(key.text);
            patterns.extend(self.reader.ok(key.at, pattern).map(|pattern| (pattern, number)));
        }
        patterns
    }

    fn list(&mut self, draft: &Draft<'_>, node: Node<'n>) -> Vec<u32> {
        match node.value() {
            Value::List(items) if items.len() > 0 => items.map(|item| self.schema(item, draft.base, false)).collect(),
            _ => {
                self.reader.expected(node, "a list of schemas that is not empty");
                Vec::new()
            }
        }
    }

    fn several(&mut self, draft: &mut Draft<'_>, op: CheckOp, node: Node<'n>) {
        let nodes = self.list(draft, node);
        draft.push((!nodes.is_empty()).then_some(Check::Several(op, nodes)));
    }

    fn unevaluated(&mut self, draft: &mut Draft<'_>, op: CheckOp, node: Node<'n>) {
        let number = self.schema(node, draft.base, false);
        draft.node.flags |= node_flags::UNEVALUATED;
        draft.last.push(Check::Unevaluated(op, number));
    }
}

// === impl Draft ===

impl<'b> Draft<'b> {
    fn new(number: u32, base: &'b str, node: SchemaNode) -> Self {
        Self {
            number,
            base,
            node,
            reference: None,
            object: Object::default(),
            first: Vec::new(),
            rest: None,
            contains: None,
            least: None,
            most: None,
            condition: None,
            then: None,
            otherwise: None,
            last: Vec::new(),
        }
    }

    fn push(&mut self, check: Option<Check>) {
        self.node.checks.extend(check);
    }

    fn finish(self) -> SchemaNode {
        let Self {
            mut node, reference, object, first, rest, contains, least, most, condition, then, otherwise, ..
        } = self;
        let own = std::mem::take(&mut node.checks);
        // INVARIANT: a reference is the first check, where `Pending` fills it in.
        node.checks.extend(reference);
        if !object.is_empty() {
            node.checks.push(Check::Object(object));
        }
        if !first.is_empty() || rest.is_some() {
            node.checks.push(Check::Items { first, rest });
        }
        if let Some(contains) = contains {
            node.checks.push(Check::Contains { node: contains, least: least.unwrap_or(1), most });
        }
        node.checks.extend(own);
        if let Some(condition) = condition {
            node.checks.push(Check::If { condition, then, otherwise });
        }
        node.checks.extend(self.last);
        node
    }
}
