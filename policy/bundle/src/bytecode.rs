//! Conditions as they lie in a bundle: each program is a run of instructions, operands before the instruction that
//! uses them, the last one the result.
//!
//! An instruction is one node of the expression. `a`, `b` and `c` are what `Op` says: an operand (index of an earlier
//! instruction of the same program), or a number. `check` has seen that operands lie before their user and how deep
//! they nest, so an evaluation by recursion ends and stays shallow.

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::layout::{NONE, Range, Text, byte_enum, records};
use crate::limits::CONDITION_DEPTH;
use crate::policy::Policy;
use crate::records::{Records, slice};

records! {
    /// One condition; its instructions, the last one is the result.
    pub struct Program {
        pub instructions: Range,
    }

    pub struct Instruction {
        /// `Op`.
        pub op: u8,
        /// A small number beside the operands: `Fact`, `Kind`, `TimePart`, or the slot of a variable.
        pub x: u8,
        pub reserved: [u8; 2],
        pub a: U32,
        pub b: U32,
        pub c: U32,
    }
}

byte_enum! {
    /// What an instruction does. `number` is 64 bits, `a` the lower half; `text` is `a` offset and `b` length.
    pub enum Op {
        Null = 0,
        /// `a` is 0 or 1.
        Bool = 1,
        Int = 2,
        Uint = 3,
        /// IEEE 754 bits.
        Double = 4,
        /// A text in the strings section.
        String = 5,
        /// A run of bytes in the blobs section.
        Bytes = 6,
        /// `x` is a `Kind`.
        Type = 7,
        /// `x` is a `Fact`; an absent one is an error.
        Fact = 8,
        HasFact = 9,
        /// The variable in slot `x`.
        Variable = 10,
        /// `b` operands, listed from `a` on in the operands section.
        List = 11,
        /// As `List`: key, value, key, value.
        Map = 12,
        /// Key `b`, `c` (a text in the strings section) of operand `a`.
        Select = 13,
        Has = 14,
        /// Element `b` of `a`.
        Index = 15,
        /// Whether `a` is in `b`.
        In = 16,
        And = 17,
        Or = 18,
        Not = 19,
        /// `b` when `a`, else `c`.
        Conditional = 20,
        Equal = 21,
        NotEqual = 22,
        Less = 23,
        LessOrEqual = 24,
        Greater = 25,
        GreaterOrEqual = 26,
        Add = 27,
        Subtract = 28,
        Multiply = 29,
        Divide = 30,
        Modulo = 31,
        Negate = 32,
        Size = 33,
        StartsWith = 34,
        EndsWith = 35,
        Contains = 36,
        /// Whether automaton `b` finds a match in `a`.
        Matches = 37,
        /// Over the elements of `a`, each in slot `x`, the predicate `b`.
        All = 38,
        Exists = 39,
        ExistsOne = 40,
        /// The `c` of each element of `a`, in slot `x`, for which `b` holds; `b` may be `NONE`.
        Collect = 41,
        /// `a` as a value of `Kind` `x`.
        Convert = 42,
        TypeOf = 43,
        /// `TimePart` `x` of `a`, in the time zone `b`; `b` may be `NONE`.
        TimePart = 44,
        Ip = 45,
        IsIp = 46,
        IpFamily = 47,
        Cidr = 48,
        IsCidr = 49,
        PrefixLength = 50,
        /// Whether the network `a` holds the address, or text of an address, `b`.
        ContainsIp = 51,
        /// Whether the network `a` holds the network, or text of a network, `b`.
        ContainsCidr = 52,
    }
}

byte_enum! {
    /// Types of values.
    pub enum Kind {
        Null = 0,
        Bool = 1,
        Int = 2,
        Uint = 3,
        Double = 4,
        String = 5,
        Bytes = 6,
        List = 7,
        Map = 8,
        Timestamp = 9,
        Duration = 10,
        Type = 11,
        Ip = 12,
        Cidr = 13,
    }
}

byte_enum! {
    /// What a condition can ask of a request.
    pub enum Fact {
        Action = 0,
        Now = 1,
        Context = 2,
        SubjectId = 3,
        SubjectType = 4,
        SubjectState = 5,
        SubjectRoles = 6,
        SubjectPermissionGroups = 7,
        SubjectLevel = 8,
        SubjectOtp = 9,
        SubjectIssuedAt = 10,
        SubjectProperties = 11,
        ResourceType = 12,
        ResourceId = 13,
        ResourceProperties = 14,
        RequestMethod = 15,
        RequestHost = 16,
        RequestPath = 17,
        RequestSourceIp = 18,
        RequestCountry = 19,
        RequestContinent = 20,
        RequestCredential = 21,
    }
}

byte_enum! {
    /// What can be read off a timestamp, and the last four off a duration.
    pub enum TimePart {
        FullYear = 0,
        /// From 0.
        Month = 1,
        /// From 1.
        Date = 2,
        /// From 0.
        DayOfMonth = 3,
        /// 0 is Sunday.
        DayOfWeek = 4,
        /// From 0.
        DayOfYear = 5,
        Hours = 6,
        Minutes = 7,
        Seconds = 8,
        Milliseconds = 9,
    }
}

impl Instruction {
    /// The instruction `op` with nothing else.
    pub fn new(op: Op) -> Self {
        let none = U32::new(NONE);
        Self { op: op as u8, x: 0, reserved: [0; 2], a: none, b: none, c: none }
    }

    /// 64 bits of `Int`, `Uint` and `Double`.
    pub fn number(&self) -> u64 {
        u64::from(self.a.get()) | u64::from(self.b.get()) << u32::BITS
    }
}

/// Whether every program is what the head of this file promises.
pub(crate) fn check(policy: &Policy) -> Option<()> {
    let Records { programs, instructions, .. } = policy.records();
    let mut depths: Vec<u8> = Vec::new();
    for program in *programs {
        let start = program.instructions.start.get();
        depths.clear();
        for instruction in slice(instructions, program.instructions)? {
            let depth = Frame { policy, start, depths: &depths }.depth_of(instruction)?;
            depths.push(u8::try_from(depth).ok().filter(|_| depth <= CONDITION_DEPTH)?);
        }
        depths.last()?;
    }
    Some(())
}

/// The instructions of a program that were checked so far.
struct Frame<'a> {
    policy: &'a Policy,
    start: u32,
    depths: &'a [u8],
}

impl Frame<'_> {
    /// How deep the operands of `instruction` nest, itself included; `None` when it is malformed.
    fn depth_of(&self, instruction: &Instruction) -> Option<usize> {
        let Instruction { op, x, a, b, c, .. } = *instruction;
        let slot = || usize::from(x) < CONDITION_DEPTH;
        let below = match Op::from_byte(op)? {
            Op::Null | Op::Bool | Op::Int | Op::Uint | Op::Double => 0,
            Op::String => self.policy.condition_text(Text { offset: a, bytes: b }).map(|_| 0)?,
            Op::Bytes => self.policy.blob(Text { offset: a, bytes: b }).map(|_| 0)?,
            Op::Type => Kind::from_byte(x).map(|_| 0)?,
            Op::Fact | Op::HasFact => Fact::from_byte(x).map(|_| 0)?,
            Op::Variable => slot().then_some(0)?,
            Op::List => self.list(a, b)?,
            Op::Map => self.list(a, b).filter(|_| b.get().is_multiple_of(2))?,
            Op::Select | Op::Has => {
                self.policy.condition_text(Text { offset: b, bytes: c })?;
                self.operand(a)?
            }
            Op::Not | Op::Negate | Op::Size | Op::TypeOf => self.operand(a)?,
            Op::Ip | Op::IsIp | Op::IpFamily | Op::Cidr | Op::IsCidr | Op::PrefixLength => self.operand(a)?,
            Op::Convert => Kind::from_byte(x).and(self.operand(a))?,
            Op::Matches => self.policy.automaton(b.get()).and(self.operand(a))?,
            Op::TimePart => TimePart::from_byte(x).and(self.operand(a))?.max(self.operand_or_none(b)?),
            Op::Conditional => self.operand(a)?.max(self.operand(b)?).max(self.operand(c)?),
            Op::All | Op::Exists | Op::ExistsOne => slot().then_some(self.operand(a)?.max(self.operand(b)?))?,
            Op::Collect => {
                let bodies = self.operand_or_none(b)?.max(self.operand(c)?);
                slot().then_some(self.operand(a)?.max(bodies))?
            }
            Op::Index | Op::In | Op::And | Op::Or => self.operand(a)?.max(self.operand(b)?),
            Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                self.operand(a)?.max(self.operand(b)?)
            }
            Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Modulo => self.operand(a)?.max(self.operand(b)?),
            Op::StartsWith | Op::EndsWith | Op::Contains | Op::ContainsIp | Op::ContainsCidr => {
                self.operand(a)?.max(self.operand(b)?)
            }
        };
        below.checked_add(1)
    }

    fn operand(&self, index: U32) -> Option<usize> {
        let at = index.get().checked_sub(self.start)? as usize;
        self.depths.get(at).map(|&depth| usize::from(depth))
    }

    fn operand_or_none(&self, index: U32) -> Option<usize> {
        if index.get() == NONE { Some(0) } else { self.operand(index) }
    }

    fn list(&self, start: U32, count: U32) -> Option<usize> {
        let operands = self.policy.operands(Range { start, count })?;
        operands.iter().try_fold(0, |deepest, &operand| Some(self.operand(operand)?.max(deepest)))
    }
}

// === impl Policy ===

impl Policy {
    pub fn program(&self, program: u32) -> Option<&Program> {
        self.records().programs.get(program as usize)
    }

    #[inline]
    pub fn instruction(&self, instruction: u32) -> Option<&Instruction> {
        self.records().instructions.get(instruction as usize)
    }

    pub fn operands(&self, range: Range) -> Option<&[U32]> {
        slice(self.records().operands, range)
    }

    /// Bytes of the blobs section: literals that are not text, and serialized automata.
    pub fn blob(&self, blob: Text) -> Option<&[u8]> {
        slice(self.records().blobs, Range { start: blob.offset, count: blob.bytes })
    }

    fn condition_text(&self, text: Text) -> Option<&str> {
        core::str::from_utf8(self.text(text)?).ok()
    }
}
