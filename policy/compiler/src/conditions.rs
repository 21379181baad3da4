//! The conditions of a policy: each distinct text compiled once, each distinct pattern one automaton.
//!
//! In: texts of `when`. Out: programs with numbers, and their sections of the bundle.

use std::collections::HashMap;

use portcullis_bundle::bytecode::{self, Op};
use portcullis_bundle::layout::{NONE, Range, Text};
use portcullis_bundle::{Contents, limits};
use zerocopy::little_endian::U32;

use crate::automata;
use crate::cel::{self, CelError, Data, Instruction, Program};
use crate::emit::{Overflow, Strings};

/// The programs of a policy, by number.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    programs: Vec<Program>,
    numbers: HashMap<String, u32>,
}

/// Why programs do not fit a bundle.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConditionsError {
    #[error("regular expressions take more than {limit} bytes, the limit", limit = limits::AUTOMATA_BYTES)]
    Automata,
    #[error(transparent)]
    TooLarge(#[from] Overflow),
}

impl Conditions {
    /// Conditions that no text stands for.
    #[cfg(test)]
    pub(crate) fn of(programs: Vec<Program>) -> Self {
        Self { programs, numbers: HashMap::new() }
    }

    /// The number of the program of `text`.
    pub(crate) fn compile(&mut self, text: &str) -> Result<u32, CelError> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        let number = self.programs.len() as u32;
        self.programs.push(cel::compile(text)?);
        self.numbers.insert(text.to_owned(), number);
        Ok(number)
    }

    /// Writes the programs; their numbers are their places.
    pub(crate) fn write(&self, strings: &mut Strings, contents: &mut Contents) -> Result<(), ConditionsError> {
        let mut writer = Writer { strings, contents, automata: HashMap::new() };
        self.programs.iter().try_for_each(|program| writer.program(program))
    }
}

struct Writer<'w, 'p> {
    strings: &'w mut Strings,
    contents: &'w mut Contents,
    /// Numbers of automata.
    automata: HashMap<&'p [u8], u32>,
}

impl<'p> Writer<'_, 'p> {
    fn program(&mut self, program: &'p Program) -> Result<(), ConditionsError> {
        let start = number(self.contents.instructions.len())?;
        for instruction in &program.instructions {
            let record = self.instruction(instruction, start.get())?;
            self.contents.instructions.push(record);
        }
        let instructions = Range { start, count: number(program.instructions.len())? };
        self.contents.programs.push(bytecode::Program { instructions });
        Ok(())
    }

    fn instruction(&mut self, from: &'p Instruction, start: u32) -> Result<bytecode::Instruction, ConditionsError> {
        let mut to = bytecode::Instruction::new(from.op);
        to.x = from.x;
        let mut operands = from.operands.iter().map(|operand| U32::new(operand.map_or(NONE, |at| at + start)));
        if matches!(from.op, Op::List | Op::Map) {
            to.a = number(self.contents.operands.len())?;
            to.b = number(from.operands.len())?;
            self.contents.operands.extend(operands);
            return Ok(to);
        }
        for place in [&mut to.a, &mut to.b, &mut to.c] {
            *place = operands.next().unwrap_or(*place);
        }
        match &from.data {
            Data::None => {}
            Data::Number(number) => (to.a, to.b) = (U32::new(*number as u32), U32::new((number >> u32::BITS) as u32)),
            Data::Text(text) => {
                let Text { offset, bytes } = self.strings.intern(text.as_bytes())?;
                // The text of `Select` and `Has` stands behind an operand.
                if from.operands.is_empty() { (to.a, to.b) = (offset, bytes) } else { (to.b, to.c) = (offset, bytes) }
            }
            Data::Bytes(bytes) => {
                (to.a, to.b) = (number(self.contents.blobs.len())?, number(bytes.len())?);
                self.contents.blobs.extend_from_slice(bytes);
            }
            Data::Automaton(automaton) => to.b = U32::new(self.automaton(automaton)?),
        }
        Ok(to)
    }

    fn automaton(&mut self, serialized: &'p [u8]) -> Result<u32, ConditionsError> {
        if let Some(number) = self.automata.get(serialized) {
            return Ok(*number);
        }
        let number = automata::append(self.contents, serialized).ok_or(ConditionsError::Automata)?;
        self.automata.insert(serialized, number);
        Ok(number)
    }
}

fn number(number: usize) -> Result<U32, Overflow> {
    u32::try_from(number).map(U32::new).map_err(|_| Overflow)
}
