//! Types of expressions, as far as they are known before a request is.

use core::fmt;

use portcullis_bundle::bytecode::Kind;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Known only when evaluated.
    Dyn,
    /// Anything but list and map.
    Plain(Kind),
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
}

impl Type {
    pub(super) const BOOL: Self = Self::Plain(Kind::Bool);

    /// `None` is `Dyn`.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Dyn => None,
            Self::Plain(kind) => Some(*kind),
            Self::List(_) => Some(Kind::List),
            Self::Map(..) => Some(Kind::Map),
        }
    }

    /// The type of a value of `kind` about which nothing else is known.
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::List => Self::List(Box::new(Self::Dyn)),
            Kind::Map => Self::Map(Box::new(Self::Dyn), Box::new(Self::Dyn)),
            kind => Self::Plain(kind),
        }
    }

    /// Whether a value of `kind` is possible.
    pub(super) fn may_be(&self, kind: Kind) -> bool {
        self.kind().is_none_or(|own| own == kind)
    }

    /// Whether some value may be of both types.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dyn, _) | (_, Self::Dyn) => true,
            (Self::List(one), Self::List(other)) => one.agrees(other),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key.agrees(other_key) && value.agrees(other_value)
            }
            _ => self == other,
        }
    }

    /// The type of a value that is of one or the other.
    pub(super) fn join(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::List(one), Self::List(other)) => Self::List(Box::new(one.join(*other))),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                Self::Map(Box::new(key.join(*other_key)), Box::new(value.join(*other_value)))
            }
            _ => Self::Dyn,
        }
    }

    /// Of elements; `Dyn` when there are none.
    pub(super) fn join_all(types: impl IntoIterator<Item = Self>) -> Self {
        types.into_iter().reduce(Self::join).unwrap_or(Self::Dyn)
    }
}

/// Names of types as CEL has them.
pub(super) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "bool",
        Kind::Int => "int",
        Kind::Uint => "uint",
        Kind::Double => "double",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::List => "list",
        Kind::Map => "map",
        Kind::Timestamp => "timestamp",
        Kind::Duration => "duration",
        Kind::Type => "type",
        Kind::Ip => "ip",
        Kind::Cidr => "cidr",
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn => f.write_str("dyn"),
            Self::Plain(kind) => f.write_str(name(*kind)),
            Self::List(element) => write!(f, "list({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
        }
    }
}
