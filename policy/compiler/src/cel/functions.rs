//! The functions and operators of conditions, with the types they take and give.

use portcullis_bundle::bytecode::{Kind, Op, TimePart};

use Kind::{Bool, Bytes, Cidr, Double, Duration, Int, Ip, List, Map, String, Timestamp, Type, Uint};

/// What a call becomes.
#[derive(Clone, Copy)]
pub(super) enum Code {
    Op(Op),
    Convert(Kind),
    TimePart(TimePart),
}

pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) style: Style,
    /// What each operand may be; of a method the value before the point is the first.
    pub(super) parameters: &'static [&'static [Kind]],
    pub(super) result: Kind,
    pub(super) code: Code,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `f(x)`
    Global,
    /// `x.f()`
    Method,
    Both,
}

const ANYTHING: &[Kind] =
    &[Kind::Null, Bool, Int, Uint, Double, String, Bytes, List, Map, Timestamp, Duration, Type, Ip, Cidr];
const STRING: &[Kind] = &[String];

const fn global(name: &'static str, parameters: &'static [&'static [Kind]], result: Kind, code: Code) -> Function {
    Function { name, style: Style::Global, parameters, result, code }
}

const fn method(name: &'static str, parameters: &'static [&'static [Kind]], result: Kind, code: Code) -> Function {
    Function { name, style: Style::Method, parameters, result, code }
}

const fn both(name: &'static str, parameters: &'static [&'static [Kind]], result: Kind, code: Code) -> Function {
    Function { name, style: Style::Both, parameters, result, code }
}

const fn convert(name: &'static str, parameters: &'static [&'static [Kind]], to: Kind) -> Function {
    global(name, parameters, to, Code::Convert(to))
}

const CALENDAR: &[&[Kind]] = &[&[Timestamp]];
const CALENDAR_IN_ZONE: &[&[Kind]] = &[&[Timestamp], STRING];
const CLOCK: &[&[Kind]] = &[&[Timestamp, Duration]];

const fn calendar(name: &'static str, part: TimePart) -> [Function; 2] {
    [method(name, CALENDAR, Int, Code::TimePart(part)), method(name, CALENDAR_IN_ZONE, Int, Code::TimePart(part))]
}

const fn clock(name: &'static str, part: TimePart) -> [Function; 2] {
    [method(name, CLOCK, Int, Code::TimePart(part)), method(name, CALENDAR_IN_ZONE, Int, Code::TimePart(part))]
}

const PLAIN: &[Function] = &[
    both("size", &[&[String, Bytes, List, Map]], Int, Code::Op(Op::Size)),
    method("startsWith", &[STRING, STRING], Bool, Code::Op(Op::StartsWith)),
    method("endsWith", &[STRING, STRING], Bool, Code::Op(Op::EndsWith)),
    method("contains", &[STRING, STRING], Bool, Code::Op(Op::Contains)),
    both("matches", &[STRING, STRING], Bool, Code::Op(Op::Matches)),
    global("type", &[ANYTHING], Type, Code::Op(Op::TypeOf)),
    convert("bool", &[&[Bool, String]], Bool),
    convert("bytes", &[&[Bytes, String]], Bytes),
    convert("double", &[&[Double, Int, Uint, String]], Double),
    convert("duration", &[&[Duration, String]], Duration),
    convert("int", &[&[Int, Uint, Double, String, Timestamp]], Int),
    convert("string", &[&[String, Bool, Int, Uint, Double, Bytes, Timestamp, Duration, Ip]], String),
    convert("timestamp", &[&[Timestamp, String, Int]], Timestamp),
    convert("uint", &[&[Uint, Int, Double, String]], Uint),
    global("ip", &[&[Ip, String]], Ip, Code::Op(Op::Ip)),
    global("isIP", &[STRING], Bool, Code::Op(Op::IsIp)),
    method("family", &[&[Ip]], Int, Code::Op(Op::IpFamily)),
    global("cidr", &[&[Cidr, String]], Cidr, Code::Op(Op::Cidr)),
    global("isCIDR", &[STRING], Bool, Code::Op(Op::IsCidr)),
    method("prefixLength", &[&[Cidr]], Int, Code::Op(Op::PrefixLength)),
    method("containsIP", &[&[Cidr], &[Ip, String]], Bool, Code::Op(Op::ContainsIp)),
    method("containsCIDR", &[&[Cidr], &[Cidr, String]], Bool, Code::Op(Op::ContainsCidr)),
];

const TIMES: &[[Function; 2]] = &[
    calendar("getFullYear", TimePart::FullYear),
    calendar("getMonth", TimePart::Month),
    calendar("getDate", TimePart::Date),
    calendar("getDayOfMonth", TimePart::DayOfMonth),
    calendar("getDayOfWeek", TimePart::DayOfWeek),
    calendar("getDayOfYear", TimePart::DayOfYear),
    clock("getHours", TimePart::Hours),
    clock("getMinutes", TimePart::Minutes),
    clock("getSeconds", TimePart::Seconds),
    clock("getMilliseconds", TimePart::Milliseconds),
];

/// Calls that are not functions (they bind a variable, ask for presence, or change nothing but the type), and how they
/// are written.
pub(super) const MACROS: &[(&str, &str)] = &[
    ("all", "x.all(e, ..)"),
    ("exists", "x.exists(e, ..)"),
    ("exists_one", "x.exists_one(e, ..)"),
    ("filter", "x.filter(e, ..)"),
    ("map", "x.map(e, ..)"),
    ("has", "has(x.key)"),
    ("dyn", "dyn(x)"),
];

pub(super) fn functions() -> impl Iterator<Item = &'static Function> {
    PLAIN.iter().chain(TIMES.iter().flatten())
}

/// What an operator takes and gives.
type Signature = (Op, &'static [Kind], Kind);

/// Operators whose operands have a type each; those on any type are with `check`.
const OPERATORS: &[Signature] = &[
    (Op::Not, &[Bool], Bool),
    (Op::And, &[Bool, Bool], Bool),
    (Op::Or, &[Bool, Bool], Bool),
    (Op::Negate, &[Int], Int),
    (Op::Negate, &[Double], Double),
    (Op::Add, &[Int, Int], Int),
    (Op::Add, &[Uint, Uint], Uint),
    (Op::Add, &[Double, Double], Double),
    (Op::Add, &[String, String], String),
    (Op::Add, &[Bytes, Bytes], Bytes),
    (Op::Add, &[List, List], List),
    (Op::Add, &[Timestamp, Duration], Timestamp),
    (Op::Add, &[Duration, Timestamp], Timestamp),
    (Op::Add, &[Duration, Duration], Duration),
    (Op::Subtract, &[Int, Int], Int),
    (Op::Subtract, &[Uint, Uint], Uint),
    (Op::Subtract, &[Double, Double], Double),
    (Op::Subtract, &[Timestamp, Timestamp], Duration),
    (Op::Subtract, &[Timestamp, Duration], Timestamp),
    (Op::Subtract, &[Duration, Duration], Duration),
    (Op::Multiply, &[Int, Int], Int),
    (Op::Multiply, &[Uint, Uint], Uint),
    (Op::Multiply, &[Double, Double], Double),
    (Op::Divide, &[Int, Int], Int),
    (Op::Divide, &[Uint, Uint], Uint),
    (Op::Divide, &[Double, Double], Double),
    (Op::Modulo, &[Int, Int], Int),
    (Op::Modulo, &[Uint, Uint], Uint),
];

/// The signatures of `op`; of an order comparison those of every pair of types that has an order.
pub(super) fn signatures(op: Op) -> impl Iterator<Item = ([Kind; 2], Kind)> {
    let orders = matches!(op, Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual);
    let numbers = [Int, Uint, Double].into_iter().flat_map(|one| [Int, Uint, Double].map(|other| ([one, other], Bool)));
    let others = [Bool, String, Bytes, Timestamp, Duration].map(|kind| ([kind, kind], Bool));
    let listed = OPERATORS.iter().filter(move |(known, ..)| *known == op).filter_map(|(_, operands, result)| {
        let first = *operands.first()?;
        Some(([first, operands.get(1).copied().unwrap_or(first)], *result))
    });
    listed.chain(numbers.chain(others).filter(move |_| orders))
}

/// How an operator is written.
pub(super) fn sign(op: Op) -> &'static str {
    match op {
        Op::Not => "!",
        Op::And => "&&",
        Op::Or => "||",
        Op::Equal => "==",
        Op::NotEqual => "!=",
        Op::Less => "<",
        Op::LessOrEqual => "<=",
        Op::Greater => ">",
        Op::GreaterOrEqual => ">=",
        Op::Add => "+",
        Op::Subtract | Op::Negate => "-",
        Op::Multiply => "*",
        Op::Divide => "/",
        Op::Modulo => "%",
        Op::In => "in",
        Op::Index => "[]",
        _ => "?:",
    }
}
