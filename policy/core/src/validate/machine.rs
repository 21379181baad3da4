//! Schema and document -> whether the one satisfies the other, and where not.
//!
//! In: a node of a policy, a place on a tape. Out: the verdict; in a report also every violation. A branch that may
//! fail without consequence (`anyOf`, `if`, `not` ...) is asked for its verdict only. Bounded by steps and by frames.
//! Never allocates once its buffers have grown.

use core::cmp::Ordering;

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{NONE, Range, Text};
use portcullis_bundle::limits::VALIDATION_STEPS;
use portcullis_bundle::schema::{Check, CheckOp, Format, JsonType, LiteralKind, PATTERN_TABLE, node_flags};
use regex_automata::Input;
use regex_automata::dfa::Automaton as _;
use zerocopy::little_endian::U32;

use super::equal::Literals;
use super::format;
use super::found::{Found, Violations};
use super::keyword::Keyword;
use super::number::Number;
use super::tape::{Item, Span, Tape};
use crate::sort::sort;

/// Nodes inside each other that one validation enters.
pub(super) const FRAMES: u32 = 384;
/// Bytes of a text that are looked at in one step.
const STEP_BYTES: usize = 16;

/// Buffers of the machine.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// What was looked at, of the values that are open: see `Mode::marks`.
    pub(super) marks: Vec<u32>,
    /// Hash, number and place of the items of a list.
    pub(super) hashes: Vec<(u64, u32, u32)>,
    pub(super) violations: Violations,
}

pub(super) struct Machine<'a> {
    pub(super) policy: &'a Policy,
    tape: Tape<'a>,
    pub(super) buffers: &'a mut Buffers,
    steps: u32,
    frames: u32,
}

/// Why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The document takes more steps, or more frames, than there are.
    Cost,
    /// The policy cannot be read; `check` of the bundle has ruled that out.
    Policy,
}

pub(super) type Checked = Result<bool, Stop>;

/// What is asked beside the verdict.
#[derive(Clone, Copy)]
pub(super) struct Mode {
    /// Every violation; otherwise the first one ends it.
    pub(super) reports: bool,
    /// Marks for a check of what nothing looked at: keys of an object, numbers of items, or `ALL`.
    pub(super) marks: bool,
    /// The innermost node for this value that has notes, or `NONE`.
    pub(super) noted: u32,
}

impl Mode {
    /// Every violation of a document.
    pub(super) const REPORT: Self = Self { reports: true, marks: false, noted: NONE };
    pub(super) const VERDICT: Self = Self { reports: false, marks: false, noted: NONE };
}

/// Every part of the value was looked at.
pub(super) const ALL: u32 = u32::MAX;

/// A value, and the node that it is checked against.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) at: u32,
    pub(super) node: u32,
    pub(super) check: u32,
    pub(super) mode: Mode,
}

impl Place {
    /// The violation of a keyword here.
    pub(super) fn found(&self, keyword: Keyword) -> Found {
        Found {
            at: self.at,
            keyword,
            node: self.node,
            noted: self.mode.noted,
            check: self.check,
            property: NONE,
            actual: 0,
            second: 0,
        }
    }

    /// The mode for parts of the value.
    pub(super) fn parts(&self) -> Mode {
        Mode { marks: false, noted: NONE, ..self.mode }
    }

    fn verdict(&self) -> Mode {
        Mode { reports: false, ..self.mode }
    }
}

impl<'a> Machine<'a> {
    pub(super) fn new(policy: &'a Policy, tape: Tape<'a>, buffers: &'a mut Buffers) -> Self {
        buffers.marks.clear();
        buffers.violations.clear();
        Self { policy, tape, buffers, steps: VALIDATION_STEPS, frames: FRAMES }
    }

    #[inline]
    pub(super) fn tape(&self) -> Tape<'a> {
        self.tape
    }

    #[inline]
    pub(super) fn charge(&mut self, steps: u32) -> Result<(), Stop> {
        self.steps = self.steps.checked_sub(steps).ok_or(Stop::Cost)?;
        Ok(())
    }

    #[inline]
    pub(super) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Stop> {
        self.charge((bytes / STEP_BYTES) as u32)
    }

    /// Notes a violation; the answer is `false`.
    #[inline]
    pub(super) fn report(&mut self, mode: Mode, found: impl FnOnce() -> Found) -> bool {
        if mode.reports {
            self.add(found());
        }
        false
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, found: Found) {
        self.buffers.violations.add(found);
    }

    #[inline]
    pub(super) fn mark(&mut self, mode: Mode, part: u32) {
        if mode.marks {
            self.buffers.marks.push(part);
        }
    }

    /// Whether the value at `at` satisfies the node.
    pub(super) fn node(&mut self, number: u32, at: u32, mode: Mode) -> Checked {
        let node = self.policy.schema_node(number).ok_or(Stop::Policy)?;
        let item = self.tape.item(at).ok_or(Stop::Policy)?;
        self.charge(1)?;
        if self.frames == 0 {
            return Err(Stop::Cost);
        }
        let noted = if node.notes.is_empty() { mode.noted } else { number };
        let marks = mode.marks || node.flags & node_flags::UNEVALUATED != 0;
        let first_mark = if marks { self.buffers.marks.len() } else { 0 };
        let mode_here = Mode { marks, noted, ..mode };
        let mut place = Place { at, node: number, check: NONE, mode: mode_here };
        let mut holds = node.types & types_of(item) != 0 || self.is_integer(node.types, item);
        if node.flags & node_flags::NEVER != 0 {
            return Ok(self.report(mode, || place.found(Keyword::False)));
        }
        if !holds {
            self.report(mode, || place.found(Keyword::Type));
        }
        place.check = node.checks.start.get();
        for check in self.policy.checks(node.checks).ok_or(Stop::Policy)? {
            if !holds && !mode.reports {
                break;
            }
            self.charge(1)?;
            let op = CheckOp::from_byte(check.op).ok_or(Stop::Policy)?;
            holds &= match item {
                _ if op <= CheckOp::Enum => self.any_value(op, check, item, &place)?,
                Item::Int(value) => self.int(op, check, &place, value)?,
                Item::Number(span) => self.number(op, check, &place, Number::Text(self.tape.str(span)))?,
                Item::String(span) | Item::Key { name: span, .. } => self.text(op, check, &place, span)?,
                Item::List { count, .. } => self.array(op, check, &place, count, first_mark)?,
                Item::Map { count, .. } => self.object(op, check, &place, count, first_mark)?,
                Item::Null | Item::Bool(_) => true,
            };
            place.check = place.check.wrapping_add(1);
        }
        if marks && (!mode.marks || !(holds || mode.reports)) {
            self.buffers.marks.truncate(first_mark);
        }
        Ok(holds)
    }

    /// Enters what `ask` asks of nodes, one frame deeper.
    #[inline]
    pub(super) fn deeper(&mut self, ask: impl FnOnce(&mut Self) -> Checked) -> Checked {
        self.frames = self.frames.saturating_sub(1);
        let answer = ask(self);
        self.frames = self.frames.saturating_add(1);
        answer
    }

    /// Whether `types` has integers and `item` is one, though it is not written as one.
    fn is_integer(&self, types: u8, item: Item) -> bool {
        match item {
            Item::Number(span) if types & JsonType::Integer as u8 != 0 => {
                Number::Text(self.tape.str(span)).is_integer()
            }
            _ => false,
        }
    }

    /// A check of any value.
    #[inline]
    fn any_value(&mut self, op: CheckOp, check: &'a Check, item: Item, place: &Place) -> Checked {
        match op {
            CheckOp::Const => {
                let holds = self.is_equal(place.at, &Literals(self.policy), check.a.get())?;
                Ok(holds || self.report(place.mode, || place.found(Keyword::Const)))
            }
            CheckOp::Enum => self.is_listed(check, item, place),
            _ => self.deeper(|machine| machine.branches(op, check, place)),
        }
    }

    // === what applies to the same value ===

    #[inline(never)]
    fn branches(&mut self, op: CheckOp, check: &'a Check, place: &Place) -> Checked {
        let Place { at, mode, .. } = *place;
        match op {
            CheckOp::AllOf => {
                let mut holds = true;
                for node in self.list(check)? {
                    holds &= self.node(node.get(), at, mode)?;
                    if !holds && !mode.reports {
                        break;
                    }
                }
                Ok(holds)
            }
            CheckOp::AnyOf => {
                let mut holds = false;
                for node in self.list(check)? {
                    holds |= self.node(node.get(), at, place.verdict())?;
                    if holds && !mode.marks {
                        break;
                    }
                }
                Ok(holds || self.report(mode, || place.found(Keyword::AnyOf)))
            }
            CheckOp::OneOf => {
                let mut count = 0_u32;
                for node in self.list(check)? {
                    count = count.saturating_add(u32::from(self.node(node.get(), at, place.verdict())?));
                }
                Ok(count == 1 || self.report(mode, || Found { actual: count, ..place.found(Keyword::OneOf) }))
            }
            CheckOp::Not => {
                let holds = self.node(check.a.get(), at, Mode::VERDICT)?;
                Ok(!holds || self.report(mode, || place.found(Keyword::Not)))
            }
            CheckOp::If => {
                let holds = self.node(check.a.get(), at, place.verdict())?;
                match if holds { check.b.get() } else { check.c.get() } {
                    NONE => Ok(true),
                    node => self.node(node, at, mode),
                }
            }
            _ => self.node(check.a.get(), at, mode),
        }
    }

    fn list(&self, check: &Check) -> Result<&'a [U32], Stop> {
        self.policy.schema_list(Range { start: check.a, count: check.b }).ok_or(Stop::Policy)
    }

    #[inline(never)]
    fn is_listed(&mut self, check: &Check, item: Item, place: &Place) -> Checked {
        let text = match item {
            Item::String(span) => Some(self.tape.bytes(span)),
            _ => None,
        };
        for literal in self.list(check)? {
            if let Some(text) = text {
                // Most lists are of texts, and most documents have texts where a list is.
                self.charge(1)?;
                let literal = self.policy.literal(literal.get()).ok_or(Stop::Policy)?;
                let is_text = literal.kind == LiteralKind::String as u8;
                if is_text && literal.b.get() as usize == text.len() && self.policy.text(literal.text()) == Some(text) {
                    return Ok(true);
                }
            } else if self.is_equal(place.at, &Literals(self.policy), literal.get())? {
                return Ok(true);
            }
        }
        Ok(self.report(place.mode, || place.found(Keyword::Enum)))
    }

    // === numbers and texts ===

    #[inline]
    fn int(&mut self, op: CheckOp, check: &Check, place: &Place, value: i64) -> Checked {
        match (check.int_limit(), op) {
            (Some(limit), CheckOp::Minimum) if value >= limit => Ok(true),
            (Some(limit), CheckOp::Maximum) if value <= limit => Ok(true),
            _ => self.number(op, check, place, Number::Int(value)),
        }
    }

    #[inline(never)]
    fn number(&mut self, op: CheckOp, check: &Check, place: &Place, number: Number<'_>) -> Checked {
        let (holds, keyword) = match op {
            CheckOp::Minimum => (self.compare(check, number)?.is_ge(), Keyword::Minimum),
            CheckOp::Maximum => (self.compare(check, number)?.is_le(), Keyword::Maximum),
            CheckOp::ExclusiveMinimum => (self.compare(check, number)?.is_gt(), Keyword::ExclusiveMinimum),
            CheckOp::ExclusiveMaximum => (self.compare(check, number)?.is_lt(), Keyword::ExclusiveMaximum),
            CheckOp::MultipleOf => {
                let digits = u64::from(check.a.get()) | u64::from(check.b.get()) << u32::BITS;
                (number.is_multiple_of(digits, i64::from(check.c.get() as i32)), Keyword::MultipleOf)
            }
            _ => return Ok(true),
        };
        Ok(holds || self.report(place.mode, || place.found(keyword)))
    }

    /// The number and the limit of the check.
    #[inline]
    fn compare(&self, check: &Check, number: Number<'_>) -> Result<Ordering, Stop> {
        match check.int_limit() {
            Some(limit) => Ok(number.compare_int(limit)),
            None => {
                let limit = self.policy.str(Text { offset: check.a, bytes: check.b }).ok_or(Stop::Policy)?;
                Ok(number.compare(&Number::Text(limit)))
            }
        }
    }

    fn text(&mut self, op: CheckOp, check: &Check, place: &Place, text: Span) -> Checked {
        let limit = check.a.get();
        let (holds, keyword) = match op {
            // A character is one to four bytes.
            CheckOp::MaxLength if text.bytes <= limit => return Ok(true),
            CheckOp::MinLength if text.bytes / 4 >= limit => return Ok(true),
            CheckOp::MinLength | CheckOp::MaxLength => {
                let text = self.tape.str(text);
                self.charge_bytes(text.len())?;
                let actual = text.chars().count() as u32;
                let (holds, keyword) = match op {
                    CheckOp::MinLength => (actual >= limit, Keyword::MinLength),
                    _ => (actual <= limit, Keyword::MaxLength),
                };
                return Ok(holds || self.report(place.mode, || Found { actual, ..place.found(keyword) }));
            }
            CheckOp::Pattern => (self.has_pattern(check, self.tape.bytes(text))?, Keyword::Pattern),
            CheckOp::Format => {
                let text = self.tape.str(text);
                self.charge_bytes(text.len())?;
                (format::is_format(Format::from_byte(check.x).ok_or(Stop::Policy)?, text), Keyword::Format)
            }
            _ => return Ok(true),
        };
        Ok(holds || self.report(place.mode, || place.found(keyword)))
    }

    fn has_pattern(&mut self, check: &Check, text: &[u8]) -> Checked {
        if check.x != PATTERN_TABLE {
            return self.is_match(check.a.get(), text);
        }
        self.charge_bytes(text.len())?;
        self.policy.pattern_table(check).and_then(|table| table.finds(text)).ok_or(Stop::Policy)
    }

    /// Whether an automaton finds a match in `text`.
    pub(super) fn is_match(&mut self, automaton: u32, text: &[u8]) -> Checked {
        self.charge_bytes(text.len())?;
        let automaton = self.policy.automaton(automaton).ok_or(Stop::Policy)?;
        let found = automaton.try_search_fwd(&Input::new(text).earliest(true)).map_err(|_| Stop::Policy)?;
        Ok(found.is_some())
    }

    /// Sorts the marks from `first` on, which are those of this value; `None` when they say that all was looked at.
    #[inline(never)]
    pub(super) fn own_marks(&mut self, first: usize) -> Result<Option<Marks>, Stop> {
        let marks = self.buffers.marks.get_mut(first..).unwrap_or_default();
        if marks.contains(&ALL) {
            return Ok(None);
        }
        sort(marks);
        let (end, count) = (first.saturating_add(marks.len()), marks.len());
        self.charge(count as u32)?;
        Ok(Some(Marks { next: first, end }))
    }

    /// Whether there is a mark for `part`; asked in ascending order.
    pub(super) fn is_marked(&self, marks: &mut Marks, part: u32) -> bool {
        let own = self.buffers.marks.get(marks.next..marks.end).unwrap_or_default();
        let smaller = own.iter().take_while(|&&mark| mark < part).count();
        marks.next = marks.next.saturating_add(smaller);
        own.get(smaller) == Some(&part)
    }
}

/// What `item` is, as `SchemaNode::types` has it. Whether a number with a fraction is an integer is not looked at.
#[inline]
fn types_of(item: Item) -> u8 {
    match item {
        Item::Null => JsonType::Null as u8,
        Item::Bool(_) => JsonType::Boolean as u8,
        Item::Int(_) => JsonType::Integer as u8 | JsonType::Number as u8,
        Item::Number(_) => JsonType::Number as u8,
        Item::String(_) | Item::Key { .. } => JsonType::String as u8,
        Item::List { .. } => JsonType::Array as u8,
        Item::Map { .. } => JsonType::Object as u8,
    }
}

/// Marks that are still to be read.
pub(super) struct Marks {
    next: usize,
    end: usize,
}
