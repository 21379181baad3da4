//! Well-typed expressions from a stream of choices, so that a shorter stream with smaller numbers is a simpler one.
//!
//! Leaves come first in every list of choices: an empty stream ends every branch. Restrictions are where the reference
//! interpreter (crate `cel` 0.15) does not do what the language definition says; each names the deviation, and the
//! point is covered by `conformance.toml`. Conversions take `dyn`: a literal that can never be converted does not compile.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    Ints,
    Strings,
    /// `map(string, int)`
    Counts,
}

pub(super) const TYPES: [Type; 11] = [
    Type::Bool,
    Type::Int,
    Type::Uint,
    Type::Double,
    Type::String,
    Type::Bytes,
    Type::Timestamp,
    Type::Duration,
    Type::Ints,
    Type::Strings,
    Type::Counts,
];

const INTS: &[&str] = &[
    "1",
    "0",
    "-1",
    "2",
    "7",
    "-3",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "subject.level",
    "context.n",
];
const UINTS: &[&str] = &["1u", "0u", "2u", "9u", "18446744073709551615u"];
const DOUBLES: &[&str] = &["1.0", "0.0", "-1.5", "0.1", "1e300", "-2.0", "9007199254740993.0", "context.d"];
const STRINGS: &[&str] =
    &["''", "'a'", "'ab'", "'é😀'", "'12'", "'\\n\"'", "subject.id", "request.path", "context.s", "r'\\d'"];
const BYTES: &[&str] = &["b''", "b'a'", "b'\\xff'", "b'ab'"];
// All in UTC: the reference reads parts of a timestamp in the zone of its text, the language definition in UTC.
const TIMESTAMPS: &[&str] = &[
    "now",
    "timestamp('2024-02-29T23:59:59.5Z')",
    "timestamp('1969-07-20T20:17:40Z')",
    "timestamp('9999-12-31T23:59:59Z')",
];
const DURATIONS: &[&str] = &["duration('1s')", "duration('-90m')", "duration('1h1.5s')", "duration('0s')"];
const COUNTS: &[&str] = &["{'a': 1}", "{}", "context.counts", "{'a': 1, 'ab': 2}"];
/// Facts that are not there, or are of another type than the expression needs.
const MISSING: &[&str] = &["context.missing", "context.s", "context.n", "context.list[9]"];

pub(super) struct Generator<'c> {
    choices: core::slice::Iter<'c, u8>,
    /// Variables of the loops around.
    variables: Vec<(String, Type)>,
}

impl<'c> Generator<'c> {
    pub(super) fn new(choices: &'c [u8]) -> Self {
        Self { choices: choices.iter(), variables: Vec::new() }
    }

    /// A number below `count`.
    pub(super) fn pick(&mut self, count: usize) -> usize {
        self.choices.next().map_or(0, |choice| usize::from(*choice) % count)
    }

    fn one_of(&mut self, texts: &[&str]) -> String {
        texts[self.pick(texts.len())].to_owned()
    }

    /// An expression of the type, with at most `depth` operators inside each other.
    pub(super) fn expr(&mut self, of: Type, depth: usize) -> String {
        let variables: Vec<String> =
            self.variables.iter().filter(|(_, type_)| *type_ == of).map(|(name, _)| name.clone()).collect();
        if !variables.is_empty() && self.pick(3) == 1 {
            return variables[self.pick(variables.len())].clone();
        }
        if depth == 0 || self.choices.len() == 0 {
            return self.leaf(of);
        }
        if self.pick(12) == 11 {
            return format!(
                "({} ? {} : {})",
                self.expr(Type::Bool, depth - 1),
                self.expr(of, depth - 1),
                self.expr(of, depth - 1)
            );
        }
        match of {
            Type::Bool => self.bool(depth - 1),
            Type::Int => self.int(depth - 1),
            Type::Uint => self.uint(depth - 1),
            Type::Double => self.double(depth - 1),
            Type::String => self.string(depth - 1),
            Type::Bytes => self.bytes(depth - 1),
            Type::Timestamp => self.timestamp(depth - 1),
            Type::Duration => self.duration(depth - 1),
            Type::Ints | Type::Strings => self.list(of, depth - 1),
            Type::Counts => self.one_of(COUNTS),
        }
    }

    fn leaf(&mut self, of: Type) -> String {
        match of {
            Type::Bool => match self.pick(8) {
                0 => "true".to_owned(),
                1 => "false".to_owned(),
                2 => "subject.otp".to_owned(),
                3 => "context.flag".to_owned(),
                4 => "has(context.flag)".to_owned(),
                5 => "has(context.missing)".to_owned(),
                _ => self.one_of(MISSING),
            },
            Type::Int => self.one_of(INTS),
            Type::Uint => self.one_of(UINTS),
            Type::Double => self.one_of(DOUBLES),
            Type::String => self.one_of(STRINGS),
            Type::Bytes => self.one_of(BYTES),
            Type::Timestamp => self.one_of(TIMESTAMPS),
            Type::Duration => self.one_of(DURATIONS),
            Type::Ints => self.one_of(&["[]", "[1, 2, 3]", "[0]", "context.list"]),
            Type::Strings => self.one_of(&["[]", "subject.roles", "['a', 'ab', '']"]),
            Type::Counts => self.one_of(COUNTS),
        }
    }

    /// Two expressions with an operator between them.
    fn binary(&mut self, of: Type, operators: &[&str], depth: usize) -> String {
        let operator = self.one_of(operators);
        format!("({} {operator} {})", self.expr(of, depth), self.expr(of, depth))
    }

    fn bool(&mut self, depth: usize) -> String {
        match self.pick(13) {
            0 | 1 => self.binary(Type::Bool, &["&&", "||"], depth),
            // In brackets: two signs in a row cancel each other in the reference, also before what is no bool.
            2 => format!("!({})", self.expr(Type::Bool, depth)),
            3 => {
                let of = TYPES[self.pick(TYPES.len())];
                self.binary(of, &["==", "!="], depth)
            }
            4 => {
                let ordered =
                    [Type::Int, Type::Uint, Type::Double, Type::String, Type::Bytes, Type::Timestamp, Type::Duration];
                let of = ordered[self.pick(ordered.len())];
                self.binary(of, &["<", "<=", ">", ">="], depth)
            }
            5 => {
                let numbers = [Type::Int, Type::Uint, Type::Double];
                let (one, other) = (numbers[self.pick(3)], numbers[self.pick(3)]);
                let operator = self.one_of(&["==", "!=", "<", ">="]);
                // Doubles are literals here: a NaN has no order, which the reference calls an error across types.
                let mut number = |of| if of == Type::Double { self.leaf(of) } else { self.expr(of, depth) };
                format!("(dyn({}) {operator} {})", number(one), number(other))
            }
            6 => {
                let function = self.one_of(&["startsWith", "endsWith", "contains"]);
                format!("{}.{function}({})", self.expr(Type::String, depth), self.expr(Type::String, depth))
            }
            7 => {
                let pattern = self.one_of(&["a", "^a.$", "^[a-z]*$", "[0-9]+", "(?i)A|É", "b?$"]);
                format!("{}.matches('{pattern}')", self.expr(Type::String, depth))
            }
            8 => format!("({} in {})", self.expr(Type::Int, depth), self.expr(Type::Ints, depth)),
            9 => format!("({} in {})", self.expr(Type::String, depth), self.expr(Type::Strings, depth)),
            10 => format!("({} in {})", self.expr(Type::String, depth), self.expr(Type::Counts, depth)),
            11 => self.quantifier(Type::Ints, Type::Int, depth),
            _ => self.quantifier(Type::Strings, Type::String, depth),
        }
    }

    fn quantifier(&mut self, list: Type, element: Type, depth: usize) -> String {
        let function = self.one_of(&["all", "exists", "exists_one"]);
        let list = self.expr(list, depth);
        let (variable, predicate) = self.body(element, Type::Bool, depth);
        format!("{list}.{function}({variable}, {predicate})")
    }

    /// A fresh variable, and an expression in which it is known.
    fn body(&mut self, variable: Type, of: Type, depth: usize) -> (String, String) {
        let name = format!("v{}", self.variables.len());
        self.variables.push((name.clone(), variable));
        let body = self.expr(of, depth);
        self.variables.pop();
        (name, body)
    }

    fn int(&mut self, depth: usize) -> String {
        match self.pick(10) {
            0..=2 => self.binary(Type::Int, &["+", "-", "*", "/", "%"], depth),
            3 => format!("-({})", self.expr(Type::Int, depth)),
            4 => format!("size({})", self.expr(Type::String, depth)),
            5 => format!("{}.size()", self.expr(Type::Ints, depth)),
            6 => {
                let from = [Type::Uint, Type::Double, Type::String, Type::Timestamp][self.pick(4)];
                format!("int(dyn({}))", self.expr(from, depth))
            }
            7 => format!("{}[{}]", self.expr(Type::Ints, depth), self.expr(Type::Int, depth)),
            8 => format!("{}[{}]", self.expr(Type::Counts, depth), self.expr(Type::String, depth)),
            _ => {
                let part = self.one_of(&[
                    "getFullYear",
                    "getMonth",
                    "getDate",
                    "getDayOfMonth",
                    "getDayOfWeek",
                    "getDayOfYear",
                    "getHours",
                    "getMinutes",
                    "getSeconds",
                    "getMilliseconds",
                ]);
                format!("{}.{part}()", self.expr(Type::Timestamp, depth))
            }
        }
    }

    fn uint(&mut self, depth: usize) -> String {
        match self.pick(4) {
            0..=2 => self.binary(Type::Uint, &["+", "-", "*", "/", "%"], depth),
            _ => {
                let from = [Type::Int, Type::Double, Type::String][self.pick(3)];
                format!("uint(dyn({}))", self.expr(from, depth))
            }
        }
    }

    fn double(&mut self, depth: usize) -> String {
        match self.pick(4) {
            0..=1 => self.binary(Type::Double, &["+", "-", "*", "/"], depth),
            2 => format!("-({})", self.expr(Type::Double, depth)),
            _ => {
                let from = [Type::Int, Type::Uint, Type::String][self.pick(3)];
                format!("double(dyn({}))", self.expr(from, depth))
            }
        }
    }

    fn string(&mut self, depth: usize) -> String {
        match self.pick(4) {
            0 => self.binary(Type::String, &["+"], depth),
            1 | 2 => {
                let from = [Type::Int, Type::Uint, Type::Bool, Type::Bytes][self.pick(4)];
                format!("string({})", self.expr(from, depth))
            }
            _ => format!("{}[{}]", self.expr(Type::Strings, depth), self.expr(Type::Int, depth)),
        }
    }

    fn bytes(&mut self, depth: usize) -> String {
        match self.pick(2) {
            0 => self.binary(Type::Bytes, &["+"], depth),
            _ => format!("bytes({})", self.expr(Type::String, depth)),
        }
    }

    fn timestamp(&mut self, depth: usize) -> String {
        match self.pick(3) {
            0 => format!("({} + {})", self.expr(Type::Timestamp, depth), self.expr(Type::Duration, depth)),
            1 => format!("({} - {})", self.expr(Type::Timestamp, depth), self.expr(Type::Duration, depth)),
            _ => format!("timestamp({})", self.expr(Type::Int, depth)),
        }
    }

    fn duration(&mut self, depth: usize) -> String {
        match self.pick(2) {
            0 => self.binary(Type::Duration, &["+", "-"], depth),
            _ => self.binary(Type::Timestamp, &["-"], depth),
        }
    }

    fn list(&mut self, of: Type, depth: usize) -> String {
        let element = if of == Type::Ints { Type::Int } else { Type::String };
        match self.pick(5) {
            0 => self.binary(of, &["+"], depth),
            1 => format!("[{}, {}]", self.expr(element, depth), self.expr(element, depth)),
            2 => {
                let list = self.expr(of, depth);
                let (variable, body) = self.body(element, Type::Bool, depth);
                format!("{list}.filter({variable}, {body})")
            }
            3 => {
                let list = self.expr(Type::Ints, depth);
                let (variable, body) = self.body(Type::Int, element, depth);
                format!("{list}.map({variable}, {body})")
            }
            _ => {
                let list = self.expr(Type::Strings, depth);
                let (variable, filter) = self.body(Type::String, Type::Bool, depth);
                let (_, body) = self.body(Type::String, element, depth);
                format!("{list}.map({variable}, {filter}, {body})")
            }
        }
    }
}
