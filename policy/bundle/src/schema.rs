//! Schemas as they lie in a bundle: nodes that list checks, and what the checks compare with.
//!
//! A node is one schema of JSON Schema. What applies to the same value (`allOf`, `$ref` and the like) lies before its
//! user and nests at most `SCHEMA_HEIGHT` deep; what applies to a part of the value may lie anywhere, also further up,
//! for a document ends. So a validation by recursion ends and stays shallow; `check` has seen to that.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::label::Key;
use crate::layout::{NONE, Range, Text, byte_enum, records};
use crate::limits::{SCHEMA_HEIGHT, VALIDATIONS};
use crate::pattern::PatternTable;
use crate::policy::Policy;
use crate::records::{Records, slice};

records! {
    /// A schema by its name; sorted by name, no duplicates.
    pub struct Schema {
        pub name: Text,
        /// Its node.
        pub root: U32,
        /// See `schema_flags`.
        pub flags: U32,
        /// Of a form: fields that are not texts, by hash of their names. `node` of each is its types, and those of its
        /// items from `ITEMS_SHIFT` on.
        pub fields: Range,
    }

    pub struct SchemaNode {
        pub checks: Range,
        pub notes: Range,
        /// Bit per `JsonType`.
        pub types: u8,
        /// See `node_flags`.
        pub flags: u8,
        pub reserved: [u8; 2],
    }

    /// `a`, `b` and `c` are what `CheckOp` says.
    pub struct Check {
        /// `CheckOp`.
        pub op: u8,
        /// `Format`, `INT_LIMIT` or `PATTERN_TABLE`.
        pub x: u8,
        /// Rows and columns of a `PatternTable`.
        pub sizes: [u8; 2],
        pub a: U32,
        pub b: U32,
        pub c: U32,
    }

    /// What is asked of the members of an object.
    pub struct Object {
        /// Sorted by hash, then by name.
        pub properties: Range,
        /// In the lists: automaton, node, automaton, node.
        pub patterns: Range,
        /// Node for other members, or `NONE`.
        pub additional: U32,
        /// Node for the names, or `NONE`.
        pub names: U32,
        /// Bit n: the n-th property must be there.
        pub required: U64,
    }

    /// A name, and what it leads to.
    pub struct Property {
        /// `property_hash` of the name.
        pub hash: U32,
        pub name: Text,
        /// `NONE` where only the name counts.
        pub node: U32,
    }

    /// A JSON value; what a list or map holds follows it, in a map key, value, key, value.
    pub struct Literal {
        /// `LiteralKind`.
        pub kind: u8,
        pub reserved: [u8; 3],
        /// Of a list or map: number of items or members. Else see `text`.
        pub a: U32,
        /// Of a list or map: the literal behind all that it holds.
        pub b: U32,
        /// Of a key or string: `property_hash`.
        pub hash: U32,
    }

    /// What an author says beside a schema.
    pub struct Note {
        /// `NoteKind`.
        pub kind: u8,
        pub reserved: [u8; 3],
        /// Of a code: the keyword it is for, or nothing. Of a message: its language.
        pub key: Text,
        pub text: Text,
    }

    /// Request bodies that must satisfy a schema.
    pub struct Validation {
        /// As in `Guard`.
        pub methods: U64,
        /// As in `Terms`.
        pub hosts: U32,
        pub schema: U32,
        /// `PathKind`.
        pub kind: u8,
        pub reserved: [u8; 3],
        pub path: Text,
        /// Of a regular expression.
        pub automaton: U32,
        /// In lower case; empty is any.
        pub content_types: Range,
    }
}

/// Bits of `Schema::flags`.
pub mod schema_flags {
    /// A document is a form or a query string.
    pub const FORM: u32 = 1;
    pub const ALL: u32 = FORM;
}

/// Bits of `SchemaNode::flags`.
pub mod node_flags {
    /// `false`.
    pub const NEVER: u8 = 1;
    /// Some check asks what other checks looked at.
    pub const UNEVALUATED: u8 = 1 << 1;
    pub const TRIM: u8 = 1 << 2;
    pub const LOWERCASE: u8 = 1 << 3;
    pub const UPPERCASE: u8 = 1 << 4;
    /// This node, or one that it leads to, changes texts.
    pub const NORMALIZES: u8 = 1 << 5;
    pub const ALL: u8 = NEVER | UNEVALUATED | TRIM | LOWERCASE | UPPERCASE | NORMALIZES;
}

/// Where in `Property::node` of a form's field the types of its items start.
pub const ITEMS_SHIFT: u32 = 8;
/// The `x` of a limit that is an integer of 64 bits.
pub const INT_LIMIT: u8 = 1;
/// The `x` of a pattern that is a `PatternTable`.
pub const PATTERN_TABLE: u8 = 1;
/// Every bit of `SchemaNode::types`.
pub const ANY_TYPE: u8 = 0x7F;

byte_enum! {
    /// Types of JSON values, as bits: those of `SchemaNode::types`.
    pub enum JsonType {
        Null = 0x01,
        Boolean = 0x02,
        /// A number without fraction, however it is written.
        Integer = 0x04,
        Number = 0x08,
        String = 0x10,
        Array = 0x20,
        Object = 0x40,
    }
}

byte_enum! {
    /// What a check asks. A text is `offset, bytes`, a list `start, count` in the lists, names the same in the properties.
    pub enum CheckOp {
        /// Node `a`.
        Reference = 0,
        /// Each node of the list `a, b`.
        AllOf = 1,
        AnyOf = 2,
        OneOf = 3,
        /// Not node `a`.
        Not = 4,
        /// When node `a` holds, node `b`, else node `c`; both may be `NONE`.
        If = 5,
        /// The literal `a`.
        Const = 6,
        /// One of the literals listed in `a, b`.
        Enum = 7,
        /// The number that the text `a, b` is; with `INT_LIMIT` 64 bits with a sign, `a` the lower half.
        Minimum = 8,
        Maximum = 9,
        ExclusiveMinimum = 10,
        ExclusiveMaximum = 11,
        /// 64 bits, `a` the lower half, times ten to the power of `c`.
        MultipleOf = 12,
        /// Characters.
        MinLength = 13,
        MaxLength = 14,
        /// Automaton `a`, whose pattern is the text `b, c`; with `PATTERN_TABLE` the table at `a` in the blobs.
        Pattern = 15,
        /// `x`.
        Format = 16,
        MinItems = 17,
        MaxItems = 18,
        UniqueItems = 19,
        /// The nodes of the list `a, b` for the first items, node `c` for the others, or `NONE`.
        Items = 20,
        /// At least `b` and at most `c` items satisfy node `a`; `c` may be `NONE`.
        Contains = 21,
        MinProperties = 22,
        MaxProperties = 23,
        /// The names `a, b`.
        Required = 24,
        /// The object `a`.
        Properties = 25,
        /// When the property `a` is there, the names `b, c` are.
        DependentRequired = 26,
        /// When the property `a` is there, its node.
        DependentSchemas = 27,
        UnevaluatedItems = 28,
        UnevaluatedProperties = 29,
    }
}

byte_enum! {
    pub enum Format {
        Email = 0,
        Uuid = 1,
        Date = 2,
        Time = 3,
        DateTime = 4,
        Duration = 5,
        Ipv4 = 6,
        Ipv6 = 7,
        Hostname = 8,
        Uri = 9,
        UriReference = 10,
        JsonPointer = 11,
        Regex = 12,
    }
}

byte_enum! {
    pub enum LiteralKind {
        Null = 0,
        False = 1,
        True = 2,
        Number = 3,
        String = 4,
        Key = 5,
        List = 6,
        Map = 7,
    }
}

byte_enum! {
    pub enum NoteKind {
        Code = 0,
        Message = 1,
    }
}

byte_enum! {
    /// How the path of a validation is meant.
    pub enum PathKind {
        Any = 0,
        Exact = 1,
        Under = 2,
        Prefix = 3,
        Template = 4,
        Regex = 5,
    }
}

impl JsonType {
    pub const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::String, Self::Array, Self::Object];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

impl Format {
    pub const ALL: [(&'static str, Self); 13] = [
        ("email", Self::Email),
        ("uuid", Self::Uuid),
        ("date", Self::Date),
        ("time", Self::Time),
        ("date-time", Self::DateTime),
        ("duration", Self::Duration),
        ("ipv4", Self::Ipv4),
        ("ipv6", Self::Ipv6),
        ("hostname", Self::Hostname),
        ("uri", Self::Uri),
        ("uri-reference", Self::UriReference),
        ("json-pointer", Self::JsonPointer),
        ("regex", Self::Regex),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}

/// What properties are sorted by.
#[inline]
pub fn property_hash(name: &[u8]) -> u32 {
    hash_of(Key::new(name))
}

/// As `property_hash`, of a name that is a key already.
#[inline]
pub fn hash_of(name: Key) -> u32 {
    name.hash(0) as u32
}

impl Check {
    /// The check `op` with nothing else.
    pub fn new(op: CheckOp) -> Self {
        let none = U32::new(NONE);
        Self { op: op as u8, x: 0, sizes: [0; 2], a: none, b: none, c: none }
    }

    /// The limit of a number, if it is one with `INT_LIMIT`.
    #[inline]
    pub fn int_limit(&self) -> Option<i64> {
        let limit = u64::from(self.a.get()) | u64::from(self.b.get()) << u32::BITS;
        (self.x == INT_LIMIT).then_some(limit as i64)
    }
}

impl Literal {
    /// Of a number, string or key.
    pub fn text(&self) -> Text {
        Text { offset: self.a, bytes: self.b }
    }
}

// === check ===

/// Whether schemas and validations are what the records promise.
pub(crate) fn check(policy: &Policy) -> Option<()> {
    nodes(policy)?;
    literals(policy)?;
    schemas(policy)?;
    validations(policy)
}

fn ensure(condition: bool) -> Option<()> {
    condition.then_some(())
}

fn nodes(policy: &Policy) -> Option<()> {
    let Records { schema_nodes, schema_notes, .. } = policy.records();
    let mut heights: Vec<u8> = Vec::with_capacity(schema_nodes.len());
    for node in *schema_nodes {
        ensure(node.types & !ANY_TYPE == 0 && node.flags & !node_flags::ALL == 0)?;
        let mut height = 0;
        for check in policy.checks(node.checks)? {
            height = height.max(Frame { policy, heights: &heights }.height_of(check)?);
        }
        for note in slice(schema_notes, node.notes)? {
            NoteKind::from_byte(note.kind)?;
            policy.str(note.key)?;
            policy.str(note.text)?;
        }
        let height = height.checked_add(1)?;
        heights.push(u8::try_from(height).ok().filter(|_| height <= SCHEMA_HEIGHT)?);
    }
    Some(())
}

/// The nodes that were checked so far.
struct Frame<'a> {
    policy: &'a Policy,
    heights: &'a [u8],
}

impl Frame<'_> {
    /// How deep the nodes nest that `check` asks of the same value; `None` when it is malformed.
    fn height_of(&self, check: &Check) -> Option<usize> {
        let Check { op, x, a, b, c, .. } = *check;
        Some(match CheckOp::from_byte(op)? {
            CheckOp::Reference | CheckOp::Not => self.node(a)?,
            CheckOp::AllOf | CheckOp::AnyOf | CheckOp::OneOf => {
                let nodes = self.policy.schema_list(range(a, b))?;
                nodes.iter().try_fold(0, |highest, &node| Some(self.node(node)?.max(highest)))?
            }
            CheckOp::If => self.node(a)?.max(self.node_or_none(b)?).max(self.node_or_none(c)?),
            CheckOp::Const => self.policy.literal(a.get()).map(|_| 0)?,
            CheckOp::Enum => {
                let literals = self.policy.schema_list(range(a, b))?;
                literals.iter().try_for_each(|at| self.policy.literal(at.get()).map(|_| ()))?;
                0
            }
            CheckOp::Minimum | CheckOp::Maximum | CheckOp::ExclusiveMinimum | CheckOp::ExclusiveMaximum => match x {
                INT_LIMIT => 0,
                _ => self.policy.str(Text { offset: a, bytes: b }).map(|_| 0)?,
            },
            CheckOp::MultipleOf => ensure(a.get() != 0 || b.get() != 0).map(|()| 0)?,
            CheckOp::MinLength | CheckOp::MaxLength | CheckOp::MinItems | CheckOp::MaxItems => 0,
            CheckOp::MinProperties | CheckOp::MaxProperties | CheckOp::UniqueItems => 0,
            CheckOp::Pattern => {
                match x {
                    PATTERN_TABLE => self.policy.pattern_table(check)?.check()?,
                    _ => self.policy.automaton(a.get()).map(|_| ())?,
                }
                self.policy.str(Text { offset: b, bytes: c }).map(|_| 0)?
            }
            CheckOp::Format => Format::from_byte(x).map(|_| 0)?,
            CheckOp::Items => {
                let first = self.policy.schema_list(range(a, b))?;
                first.iter().copied().chain([c]).try_for_each(|node| self.part_or_none(node))?;
                0
            }
            CheckOp::Contains => self.part(a).map(|()| 0)?,
            CheckOp::Required => self.names(range(a, b)).map(|()| 0)?,
            CheckOp::Properties => self.object(a.get()).map(|()| 0)?,
            CheckOp::DependentRequired => {
                self.policy.property(a.get()).and_then(|property| self.policy.str(property.name))?;
                self.names(range(b, c)).map(|()| 0)?
            }
            CheckOp::DependentSchemas => {
                let property = self.policy.property(a.get())?;
                self.policy.str(property.name)?;
                self.node(property.node)?
            }
            CheckOp::UnevaluatedItems | CheckOp::UnevaluatedProperties => self.part(a).map(|()| 0)?,
        })
    }

    /// A node for the same value.
    fn node(&self, node: U32) -> Option<usize> {
        self.heights.get(node.get() as usize).map(|&height| usize::from(height))
    }

    fn node_or_none(&self, node: U32) -> Option<usize> {
        if node.get() == NONE { Some(0) } else { self.node(node) }
    }

    /// A node for a part of the value.
    fn part(&self, node: U32) -> Option<()> {
        self.policy.schema_node(node.get()).map(|_| ())
    }

    fn part_or_none(&self, node: U32) -> Option<()> {
        if node.get() == NONE { Some(()) } else { self.part(node) }
    }

    fn names(&self, names: Range) -> Option<()> {
        self.policy.properties(names)?.iter().try_for_each(|property| {
            let name = self.policy.str(property.name)?;
            ensure(property.hash.get() == property_hash(name.as_bytes()))
        })
    }

    fn object(&self, object: u32) -> Option<()> {
        let object = self.policy.object(object)?;
        self.names(object.properties)?;
        let properties = self.policy.properties(object.properties)?;
        properties.iter().try_for_each(|property| self.part(property.node))?;
        ensure(properties.is_sorted_by(|one, other| {
            let key = |property: &Property| (property.hash.get(), self.policy.text(property.name));
            key(one) < key(other)
        }))?;
        let patterns = self.policy.schema_list(object.patterns)?;
        ensure(patterns.len().is_multiple_of(2))?;
        for pair in patterns.chunks_exact(2) {
            let &[automaton, node] = pair else { return None };
            self.policy.automaton(automaton.get())?;
            self.part(node)?;
        }
        let required = u64::BITS.checked_sub(object.required.get().leading_zeros())?;
        ensure(required as usize <= properties.len())?;
        self.part_or_none(object.additional)?;
        self.part_or_none(object.names)
    }
}

fn range(start: U32, count: U32) -> Range {
    Range { start, count }
}

/// What a literal holds ends behind it.
fn literals(policy: &Policy) -> Option<()> {
    let literals = policy.records().schema_literals;
    for (literal, at) in literals.iter().zip(0_usize..) {
        match LiteralKind::from_byte(literal.kind)? {
            LiteralKind::Null | LiteralKind::False | LiteralKind::True => {}
            LiteralKind::Number | LiteralKind::String | LiteralKind::Key => drop(policy.str(literal.text())?),
            LiteralKind::List | LiteralKind::Map => {
                let end = literal.b.get() as usize;
                ensure(end > at && end <= literals.len())?;
            }
        }
    }
    Some(())
}

fn schemas(policy: &Policy) -> Option<()> {
    let Records { schemas, .. } = policy.records();
    for schema in *schemas {
        policy.str(schema.name)?;
        policy.schema_node(schema.root.get())?;
        ensure(schema.flags.get() & !schema_flags::ALL == 0)?;
        for field in policy.properties(schema.fields)? {
            policy.str(field.name)?;
        }
        ensure(policy.properties(schema.fields)?.is_sorted_by_key(|field| field.hash.get()))?;
    }
    ensure(schemas.is_sorted_by(|one, other| policy.text(one.name) < policy.text(other.name)))
}

fn validations(policy: &Policy) -> Option<()> {
    let Records { validations, schemas, host_lists, content_types, .. } = policy.records();
    ensure(validations.len() <= VALIDATIONS)?;
    content_types.iter().try_for_each(|&text| policy.str(text).map(|_| ()))?;
    for validation in *validations {
        ensure((validation.schema.get() as usize) < schemas.len())?;
        ensure(validation.hosts.get() as usize <= host_lists.len())?;
        slice(content_types, validation.content_types)?;
        match PathKind::from_byte(validation.kind)? {
            PathKind::Any => {}
            PathKind::Regex => drop(policy.automaton(validation.automaton.get())?),
            PathKind::Exact | PathKind::Under | PathKind::Prefix | PathKind::Template => {
                policy.str(validation.path)?;
            }
        }
    }
    Some(())
}

// === impl Policy ===

impl Policy {
    /// Number of the schema `name`.
    pub fn schema_number(&self, name: &str) -> Option<u32> {
        let schemas = self.records().schemas;
        let name_of = |schema: &Schema| self.text(schema.name).unwrap_or_default();
        let at = schemas.binary_search_by(|schema| name_of(schema).cmp(name.as_bytes())).ok()?;
        u32::try_from(at).ok()
    }

    pub fn schema(&self, schema: u32) -> Option<&Schema> {
        self.records().schemas.get(schema as usize)
    }

    #[inline]
    pub fn schema_node(&self, node: u32) -> Option<&SchemaNode> {
        self.records().schema_nodes.get(node as usize)
    }

    #[inline]
    pub fn checks(&self, range: Range) -> Option<&[Check]> {
        slice(self.records().schema_checks, range)
    }

    /// The table of a pattern with `PATTERN_TABLE`.
    #[inline]
    pub fn pattern_table(&self, check: &Check) -> Option<PatternTable<'_>> {
        let count = U32::new(PatternTable::bytes(check.sizes));
        PatternTable::new(slice(self.records().blobs, Range { start: check.a, count })?, check.sizes)
    }

    #[inline]
    pub fn schema_list(&self, range: Range) -> Option<&[U32]> {
        slice(self.records().schema_lists, range)
    }

    #[inline]
    pub fn object(&self, object: u32) -> Option<&Object> {
        self.records().schema_objects.get(object as usize)
    }

    pub fn property(&self, property: u32) -> Option<&Property> {
        self.records().schema_properties.get(property as usize)
    }

    #[inline]
    pub fn properties(&self, range: Range) -> Option<&[Property]> {
        slice(self.records().schema_properties, range)
    }

    #[inline]
    pub fn literal(&self, literal: u32) -> Option<&Literal> {
        self.records().schema_literals.get(literal as usize)
    }

    pub fn notes(&self, range: Range) -> Option<&[Note]> {
        slice(self.records().schema_notes, range)
    }

    pub fn content_types(&self, range: Range) -> Option<&[Text]> {
        slice(self.records().content_types, range)
    }
}
