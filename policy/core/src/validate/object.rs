//! What a schema asks of an object: one pass over its members.

use portcullis_bundle::layout::{NONE, Range};
use portcullis_bundle::schema::{Check, CheckOp, Object, Property, node_flags};

use super::found::Found;
use super::keyword::Keyword;
use super::machine::{ALL, Checked, Machine, Mode, Place, Stop};
use super::tape::{Item, Member, Span};

/// Properties of a schema that are searched one by one.
const FEW: usize = 12;

impl<'a> Machine<'a> {
    /// A check of the object at `place`, which has `count` members.
    #[inline]
    pub(super) fn object(
        &mut self,
        op: CheckOp,
        check: &'a Check,
        place: &Place,
        count: u32,
        first_mark: usize,
    ) -> Checked {
        self.deeper(|machine| match op {
            CheckOp::Properties => machine.properties(check, place),
            _ => machine.other_object(op, check, place, count, first_mark),
        })
    }

    #[inline(never)]
    fn other_object(&mut self, op: CheckOp, check: &'a Check, place: &Place, count: u32, first_mark: usize) -> Checked {
        let (holds, keyword) = match op {
            CheckOp::MinProperties => (count >= check.a.get(), Keyword::MinProperties),
            CheckOp::MaxProperties => (count <= check.a.get(), Keyword::MaxProperties),
            CheckOp::Required => return self.required(check, place),
            CheckOp::DependentRequired => return self.dependent_required(check, place),
            CheckOp::DependentSchemas => {
                let property = self.policy.property(check.a.get()).ok_or(Stop::Policy)?;
                return match self.has(property, place.at)? {
                    true => self.node(property.node.get(), place.at, place.mode),
                    false => Ok(true),
                };
            }
            CheckOp::UnevaluatedProperties => return self.unevaluated_properties(check, place, first_mark),
            _ => return Ok(true),
        };
        Ok(holds || self.report(place.mode, || Found { actual: count, ..place.found(keyword) }))
    }

    fn has(&mut self, property: &Property, at: u32) -> Checked {
        let name = self.policy.str(property.name).ok_or(Stop::Policy)?;
        for member in self.tape().map(at) {
            self.charge(1)?;
            if member.hash == property.hash.get() && self.tape().str(member.name) == name {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn names(&self, range: Range) -> Result<impl Iterator<Item = (&'a Property, u32)> + use<'a>, Stop> {
        let names = self.policy.properties(range).ok_or(Stop::Policy)?;
        Ok(names.iter().zip(range.start.get()..))
    }

    fn required(&mut self, check: &Check, place: &Place) -> Checked {
        let mut holds = true;
        for (property, number) in self.names(Range { start: check.a, count: check.b })? {
            if !self.has(property, place.at)? {
                holds = self.report(place.mode, || Found { property: number, ..place.found(Keyword::Required) });
            }
        }
        Ok(holds)
    }

    fn dependent_required(&mut self, check: &Check, place: &Place) -> Checked {
        let property = self.policy.property(check.a.get()).ok_or(Stop::Policy)?;
        if !self.has(property, place.at)? {
            return Ok(true);
        }
        let mut holds = true;
        for (property, number) in self.names(Range { start: check.b, count: check.c })? {
            if !self.has(property, place.at)? {
                let found = Found { property: number, ..place.found(Keyword::DependentRequired) };
                holds = self.report(place.mode, || found);
            }
        }
        Ok(holds)
    }

    #[inline(never)]
    fn properties(&mut self, check: &Check, place: &Place) -> Checked {
        let object = self.policy.object(check.a.get()).ok_or(Stop::Policy)?;
        let properties = self.policy.properties(object.properties).ok_or(Stop::Policy)?;
        let is_plain = object.patterns.is_empty() && object.names.get() == NONE && !place.mode.marks;
        let (seen, mut holds) = match is_plain {
            true => self.members(object, properties, place)?,
            false => self.members_and_names(object, properties, place)?,
        };
        let mut missing = if holds || place.mode.reports { object.required.get() & !seen } else { 0 };
        while missing != 0 {
            let property = object.properties.start.get().saturating_add(missing.trailing_zeros());
            holds = self.report(place.mode, || Found { property, ..place.found(Keyword::Required) });
            missing &= missing.wrapping_sub(1);
        }
        Ok(holds)
    }

    /// Which of the properties there are, and whether every member is as it should be; without patterns, a schema of
    /// names and marks.
    fn members(&mut self, object: &Object, properties: &'a [Property], place: &Place) -> Result<(u64, bool), Stop> {
        let (mut seen, mut holds) = (0_u64, true);
        let parts = place.parts();
        let mut key = place.at.saturating_add(1);
        let end = self.tape().after(place.at);
        while key < end && (holds || place.mode.reports) {
            self.charge(1)?;
            let Some(Item::Key { hash, name }) = self.tape().item(key) else { return Err(Stop::Policy) };
            let value = key.saturating_add(1);
            if let Some((number, property)) = self.find_property(properties, hash, name) {
                seen |= 1_u64.checked_shl(number).unwrap_or(0);
                holds &= self.node(property.node.get(), value, parts)?;
            } else if object.additional.get() != NONE {
                holds &= self.part(object.additional.get(), value, place, Keyword::AdditionalProperties)?;
            }
            key = self.tape().after(value);
        }
        Ok((seen, holds))
    }

    /// As `members`, with everything.
    #[inline(never)]
    fn members_and_names(
        &mut self,
        object: &Object,
        properties: &'a [Property],
        place: &Place,
    ) -> Result<(u64, bool), Stop> {
        let patterns = self.policy.schema_list(object.patterns).ok_or(Stop::Policy)?;
        let (mut seen, mut holds) = (0_u64, true);
        let parts = place.parts();
        for member in self.tape().map(place.at) {
            self.charge(1)?;
            let mut is_known = false;
            if let Some((number, property)) = self.find_property(properties, member.hash, member.name) {
                is_known = true;
                seen |= 1_u64.checked_shl(number).unwrap_or(0);
                holds &= self.node(property.node.get(), member.value, parts)?;
            }
            for pair in patterns.chunks_exact(2) {
                let &[automaton, node] = pair else { return Err(Stop::Policy) };
                if self.is_match(automaton.get(), self.tape().bytes(member.name))? {
                    is_known = true;
                    holds &= self.node(node.get(), member.value, parts)?;
                }
            }
            if !is_known && object.additional.get() != NONE {
                is_known = true;
                let keyword = Keyword::AdditionalProperties;
                holds &= self.part(object.additional.get(), member.value, place, keyword)?;
            }
            if is_known {
                self.mark(place.mode, member.key);
            }
            if object.names.get() != NONE {
                holds &= self.name(object.names.get(), member, place)?;
            }
            if !holds && !place.mode.reports {
                break;
            }
        }
        Ok((seen, holds))
    }

    /// The property of that name, and its number.
    #[inline(always)]
    fn find_property(&self, properties: &'a [Property], hash: u32, name: Span) -> Option<(u32, &'a Property)> {
        let first = match properties.len() <= FEW {
            true => properties.iter().position(|property| property.hash.get() == hash)?,
            false => properties.partition_point(|property| property.hash.get() < hash),
        };
        let name = self.tape().bytes(name);
        let mut number = first as u32;
        for property in properties.get(first..)? {
            if property.hash.get() != hash {
                break;
            }
            if self.policy.text(property.name).is_some_and(|text| is_same(text, name)) {
                return Some((number, property));
            }
            number = number.wrapping_add(1);
        }
        None
    }

    /// Whether the part at `at` satisfies a node; one that nothing satisfies is a violation of `keyword`.
    pub(super) fn part(&mut self, node: u32, at: u32, place: &Place, keyword: Keyword) -> Checked {
        let is_never = self.policy.schema_node(node).ok_or(Stop::Policy)?.flags & node_flags::NEVER != 0;
        match is_never {
            true => Ok(self.report(place.mode, || Found { at, ..place.found(keyword) })),
            false => self.node(node, at, place.parts()),
        }
    }

    fn name(&mut self, node: u32, member: Member, place: &Place) -> Checked {
        let holds = self.node(node, member.key, Mode::VERDICT)?;
        let found = || Found { at: member.value, ..place.found(Keyword::PropertyNames) };
        Ok(holds || self.report(place.mode, found))
    }

    fn unevaluated_properties(&mut self, check: &Check, place: &Place, first_mark: usize) -> Checked {
        let Some(mut marks) = self.own_marks(first_mark)? else { return Ok(true) };
        let mut holds = true;
        for member in self.tape().map(place.at) {
            self.charge(1)?;
            if !self.is_marked(&mut marks, member.key) {
                holds &= self.part(check.a.get(), member.value, place, Keyword::UnevaluatedProperties)?;
            }
        }
        self.mark(place.mode, ALL);
        Ok(holds)
    }
}

/// Whether two names are equal. Most are short, and then a call would take longer than this.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let words = |name: &[u8]| Some((u64::from_le_bytes(*name.first_chunk()?), u64::from_le_bytes(*name.last_chunk()?)));
    let halves =
        |name: &[u8]| Some((u32::from_le_bytes(*name.first_chunk()?), u32::from_le_bytes(*name.last_chunk()?)));
    one.len() == other.len()
        && match one.len() {
            0..4 => one.iter().eq(other),
            4..8 => halves(one) == halves(other),
            8..=16 => words(one) == words(other),
            _ => one == other,
        }
}
