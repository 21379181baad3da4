//! What a condition can name: the facts of a request with their types, and types themselves.

use portcullis_bundle::bytecode::{Fact, Kind};

use super::types::Type;

/// The type of a fact.
#[derive(Clone, Copy)]
pub(super) enum Declared {
    Plain(Kind),
    /// `list(string)`
    Strings,
    /// `map(string, dyn)`
    Object,
}

use Declared::{Object, Plain, Strings};

/// Facts by name.
type Facts = &'static [(&'static str, Fact, Declared)];

/// Facts that stand alone.
const FACTS: Facts = &[
    ("action", Fact::Action, Plain(Kind::String)),
    ("context", Fact::Context, Object),
    ("now", Fact::Now, Plain(Kind::Timestamp)),
];

/// Facts that are fields.
const RECORDS: &[(&str, Facts)] = &[
    (
        "subject",
        &[
            ("id", Fact::SubjectId, Plain(Kind::String)),
            ("type", Fact::SubjectType, Plain(Kind::String)),
            ("state", Fact::SubjectState, Plain(Kind::String)),
            ("roles", Fact::SubjectRoles, Strings),
            ("permission_groups", Fact::SubjectPermissionGroups, Strings),
            ("level", Fact::SubjectLevel, Plain(Kind::Int)),
            ("otp", Fact::SubjectOtp, Plain(Kind::Bool)),
            ("issued_at", Fact::SubjectIssuedAt, Plain(Kind::Timestamp)),
            ("properties", Fact::SubjectProperties, Object),
        ],
    ),
    (
        "resource",
        &[
            ("type", Fact::ResourceType, Plain(Kind::String)),
            ("id", Fact::ResourceId, Plain(Kind::String)),
            ("properties", Fact::ResourceProperties, Object),
        ],
    ),
    (
        "request",
        &[
            ("method", Fact::RequestMethod, Plain(Kind::String)),
            ("host", Fact::RequestHost, Plain(Kind::String)),
            ("path", Fact::RequestPath, Plain(Kind::String)),
            ("source_ip", Fact::RequestSourceIp, Plain(Kind::String)),
            ("country", Fact::RequestCountry, Plain(Kind::String)),
            ("continent", Fact::RequestContinent, Plain(Kind::String)),
            ("credential", Fact::RequestCredential, Plain(Kind::String)),
        ],
    ),
];

/// Types that are values, for comparison with `type(x)`.
const TYPES: &[(&str, Kind)] = &[
    ("bool", Kind::Bool),
    ("bytes", Kind::Bytes),
    ("double", Kind::Double),
    ("int", Kind::Int),
    ("list", Kind::List),
    ("map", Kind::Map),
    ("null_type", Kind::Null),
    ("string", Kind::String),
    ("type", Kind::Type),
    ("uint", Kind::Uint),
    ("google.protobuf.Duration", Kind::Duration),
    ("google.protobuf.Timestamp", Kind::Timestamp),
];

impl Declared {
    pub(super) fn to_type(self) -> Type {
        let string = || Box::new(Type::Plain(Kind::String));
        match self {
            Plain(kind) => Type::Plain(kind),
            Strings => Type::List(string()),
            Object => Type::Map(string(), Box::new(Type::Dyn)),
        }
    }
}

/// The fact of that name.
pub(super) fn fact(name: &str) -> Option<(Fact, Declared)> {
    FACTS.iter().find(|(known, ..)| *known == name).map(|(_, fact, declared)| (*fact, *declared))
}

/// The fields of a record.
pub(super) fn record(name: &str) -> Option<Facts> {
    RECORDS.iter().find(|(known, _)| *known == name).map(|(_, fields)| *fields)
}

/// The type of that name.
pub(super) fn type_named(name: &str) -> Option<Kind> {
    TYPES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// Everything that can start an expression.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let facts = FACTS.iter().map(|(name, ..)| *name);
    facts.chain(RECORDS.iter().map(|(name, _)| *name)).chain(TYPES.iter().map(|(name, _)| *name))
}
