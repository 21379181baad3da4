//! A decision as flat bytes, and how a host reads it.

use portcullis_bundle::Reason;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{ABSENT, Texts, WIRE_VERSION, Writer};
use crate::decision::{Decision, Effect, RuleId};

/// A request is no decision, whatever its bytes are.
const VERSION: u8 = 0x80 | WIRE_VERSION;

/// What comes before the lengths.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct DecisionHead {
    /// `VERSION`.
    version: u8,
    /// 1 is allow.
    allow: u8,
    /// Place in `Reason::ALL`.
    reason: u8,
    /// 1 when there is the obligation `denied`.
    denied: u8,
    status: U16,
    reserved: [u8; 2],
    revision: U64,
    rules: U32,
    audits: U32,
    errors: U32,
}

/// The bytes of a decision, read where they lie.
#[derive(Clone, Copy)]
pub struct EncodedDecision<'a> {
    head: &'a DecisionHead,
    texts: Texts<'a>,
    pub effect: Effect,
    pub reason: Reason,
}

/// In a length: no text follows, the other bits are the position of a rule without an id.
const POSITION: u32 = 1 << 31;

/// Appends the bytes of `decision`.
pub fn encode_decision(decision: &Decision<'_>, bytes: &mut Vec<u8>) {
    let Decision { effect, status, reason, rules, restriction, obligations, errors, revision } = decision;
    let topics = obligations.audits.topics().count();
    let (rule_count, audit_count, error_count) = (rules.len(), topics, errors.len());
    let head = DecisionHead {
        version: VERSION,
        allow: u8::from(*effect == Effect::Allow),
        reason: *reason as u8,
        denied: u8::from(obligations.denied),
        status: U16::new(*status),
        reserved: [0; 2],
        revision: U64::new(*revision),
        rules: U32::new(rule_count as u32),
        audits: U32::new(audit_count as u32),
        errors: U32::new(error_count as u32),
    };
    let lengths = rule_count.saturating_add(audit_count).saturating_add(error_count).saturating_add(1);
    let mut writer = Writer::new(bytes, head.as_bytes(), lengths);
    match restriction {
        Some(restriction) => writer.write(restriction),
        None => writer.number(ABSENT),
    }
    rules.ids().for_each(|id| write_id(&mut writer, id));
    obligations.audits.topics().for_each(|topic| writer.write(topic));
    errors.ids().for_each(|id| write_id(&mut writer, id));
}

fn write_id(writer: &mut Writer<'_>, id: RuleId<'_>) {
    match id {
        RuleId::Given(id) => writer.write(id),
        RuleId::Rule(rule) => writer.number(POSITION | rule),
        RuleId::Route { .. } => writer.write(&id.to_string()),
    }
}

impl<'a> EncodedDecision<'a> {
    /// The decision in `bytes`; `None` when they are not one.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = DecisionHead::ref_from_prefix(bytes).ok()?;
        if head.version != VERSION {
            return None;
        }
        let counts = [head.rules, head.audits, head.errors];
        let count = counts.iter().try_fold(1_usize, |all, count| all.checked_add(count.get() as usize))?;
        let (lengths, text) = <[U32]>::ref_from_prefix_with_elems(rest, count).ok()?;
        let texts = Texts { lengths, text: core::str::from_utf8(text).ok()? };
        let effect = if head.allow == 1 { Effect::Allow } else { Effect::Deny };
        Some(Self { head, texts, effect, reason: *Reason::ALL.get(usize::from(head.reason))? })
    }

    pub fn status(&self) -> u16 {
        self.head.status.get()
    }

    pub fn revision(&self) -> u64 {
        self.head.revision.get()
    }

    pub fn has_denied(&self) -> bool {
        self.head.denied == 1
    }

    /// Restriction, rules, topics of audits and errors; `None` when the bytes are malformed.
    #[expect(clippy::type_complexity, reason = "four lists, taken apart at once")]
    pub fn texts(&self) -> Option<(Option<&'a str>, Vec<RuleId<'a>>, Vec<&'a str>, Vec<RuleId<'a>>)> {
        let mut texts = self.texts;
        let restriction = texts.next()?;
        let rules = (0..self.head.rules.get()).map(|_| id(&mut texts)).collect::<Option<_>>()?;
        let audits = (0..self.head.audits.get()).map(|_| texts.required()).collect::<Option<_>>()?;
        let errors = (0..self.head.errors.get()).map(|_| id(&mut texts)).collect::<Option<_>>()?;
        Some((restriction, rules, audits, errors))
    }
}

fn id<'a>(texts: &mut Texts<'a>) -> Option<RuleId<'a>> {
    let (length, rest) = texts.lengths.split_first()?;
    if length.get() & POSITION != 0 {
        texts.lengths = rest;
        return Some(RuleId::Rule(length.get() & !POSITION));
    }
    texts.required().map(RuleId::Given)
}
