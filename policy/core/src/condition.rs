//! A condition's program and the facts of a request -> true, false, or failed.
//!
//! In: a program of an opened policy, the facts, buffers that are used again. Out: `Outcome`, always. Bounded: at most
//! `CONDITION_STEPS` steps and two times 64 KiB of computed texts and values, past which the condition has failed.
//! Never: a side effect, a panic, an allocation once the buffers have grown. What CEL calls an error is `Fault::Error`
//! and ends the expression unless `&&`, `||` and the quantifiers absorb it (CEL, "Logical Operators").

mod address;
mod arithmetic;
mod calendar;
mod collections;
mod compare;
mod convert;
mod facts;
mod machine;
mod strings;
mod time;
mod value;

use portcullis_bundle::Policy;
use portcullis_bundle::bytecode::Kind;
use portcullis_bundle::limits::{CONDITION_DEPTH, CONDITION_STEPS};

pub(crate) use facts::{Facts, Tapes};
use machine::Machine;
use value::{Memory, Value};

use crate::http::Normalized;
use crate::path::PathBuffer;
use crate::request::Request;

/// What a condition says about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    True,
    False,
    /// It cannot be evaluated: a missing fact, a wrong type, a limit. Never helps the caller.
    Failed,
}

/// Buffers that one evaluation after the other reuses.
#[derive(Debug)]
pub(crate) struct Scratch {
    memory: Memory,
    variables: [Value; CONDITION_DEPTH],
}

impl Default for Scratch {
    fn default() -> Self {
        Self { memory: Memory::default(), variables: [Value::Null; CONDITION_DEPTH] }
    }
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// An error of the language, which the logical operators may absorb.
    Error,
    /// A limit was passed: nothing absorbs it.
    Exhausted,
}

/// The outcome of `program` for a request. A program that the policy does not have has failed.
pub(crate) fn evaluate(policy: &Policy, program: u32, facts: &Facts<'_>, scratch: &mut Scratch) -> Outcome {
    let range = policy.program(program).map(|program| program.instructions);
    let result = range.and_then(|range| range.start.get().checked_add(range.count.get())?.checked_sub(1));
    let Some(result) = result else { return Outcome::Failed };
    scratch.memory.clear();
    match Machine::new(policy, facts, scratch, CONDITION_STEPS).eval(result) {
        Ok(Value::Bool(true)) => Outcome::True,
        Ok(Value::Bool(false)) => Outcome::False,
        Ok(_) | Err(Fault::Error | Fault::Exhausted) => Outcome::Failed,
    }
}

/// Whether a condition can make a value of `kind` of `text`; a compiler refuses a literal of which it cannot.
pub fn reads_as(text: &str, kind: Kind) -> bool {
    matches!(kind, Kind::String | Kind::Bytes) || convert::parse(text, kind).is_some()
}

/// Whether a condition can read parts of a timestamp in the time zone `zone`.
pub fn is_time_zone(zone: &str) -> bool {
    time::offset(zone).is_some()
}

/// What condition `program` of the policy says about a request, whichever rule it belongs to; `None` when the request
/// is malformed. Allocates: for explanations and tests, not for the path of a request.
pub fn condition_outcome(policy: &Policy, program: u32, request: &Request<'_>) -> Option<Outcome> {
    let (mut buffer, mut tapes) = (PathBuffer::default(), Tapes::default());
    let normalized = Normalized::new(policy.records(), request, &mut buffer)?;
    let facts = normalized.facts(request, &mut tapes)?;
    Some(evaluate(policy, program, &facts, &mut Scratch::default()))
}
