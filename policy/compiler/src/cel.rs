//! The text of a condition (CEL) -> a program, or what is wrong with it and where.
//!
//! text -> `lexer` -> `parser` (syntax tree, as deep as `CONDITION_DEPTH`) -> `check` (types; every node that holds
//! becomes an instruction) -> `Program`. What CEL has and this does not is an error that names it, never ignored.
//!
//! The parser is our own: that of the `cel` crate overflows a stack of 2 MiB on 32 nested lists when built for tests,
//! and its second one does not tell positions. The differential test holds this one against that crate.

mod check;
mod environment;
mod functions;
mod lexer;
mod parser;
mod types;

use core::fmt;

use portcullis_bundle::bytecode::Op;
use portcullis_bundle::limits::CONDITION_BYTES;

/// A condition, ready to be written into a bundle.
#[derive(Debug)]
pub(crate) struct Program {
    /// Operands before the instruction that uses them; the last one is the result.
    pub(crate) instructions: Vec<Instruction>,
}

/// As in the bundle, but operands count from the start of the program and data stands beside them.
#[derive(Debug)]
pub(crate) struct Instruction {
    pub(crate) op: Op,
    pub(crate) x: u8,
    pub(crate) operands: Vec<Option<u32>>,
    pub(crate) data: Data,
}

/// What an instruction holds beside its operands.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    None,
    Number(u64),
    Text(String),
    Bytes(Vec<u8>),
    /// A serialized automaton.
    Automaton(Vec<u8>),
}

/// What is wrong with a condition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CelError {
    /// Bytes of the text before the place.
    pub(crate) offset: usize,
    pub(crate) message: String,
}

impl CelError {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }
}

impl fmt::Display for CelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Compiles a condition: an expression whose value is a bool, or may be one.
pub(crate) fn compile(text: &str) -> Result<Program, CelError> {
    if text.len() > CONDITION_BYTES {
        return Err(CelError::new(0, format!("condition is {} bytes, the limit is {CONDITION_BYTES}", text.len())));
    }
    check::check(&parser::parse(text)?)
}

#[cfg(test)]
mod tests;
