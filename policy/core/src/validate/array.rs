//! What a schema asks of an array.

use portcullis_bundle::layout::{NONE, Range};
use portcullis_bundle::schema::{Check, CheckOp};

use super::found::Found;
use super::keyword::Keyword;
use super::machine::{ALL, Checked, Machine, Mode, Place, Stop};

impl<'a> Machine<'a> {
    /// A check of the array at `place`, which has `count` items.
    #[inline]
    pub(super) fn array(
        &mut self,
        op: CheckOp,
        check: &'a Check,
        place: &Place,
        count: u32,
        first_mark: usize,
    ) -> Checked {
        self.deeper(|machine| match op {
            CheckOp::Items => machine.items(check, place),
            _ => machine.other_array(op, check, place, count, first_mark),
        })
    }

    #[inline(never)]
    fn other_array(&mut self, op: CheckOp, check: &'a Check, place: &Place, count: u32, first_mark: usize) -> Checked {
        let (holds, keyword) = match op {
            CheckOp::MinItems => (count >= check.a.get(), Keyword::MinItems),
            CheckOp::MaxItems => (count <= check.a.get(), Keyword::MaxItems),
            CheckOp::UniqueItems => return self.unique(place, count),
            CheckOp::Contains => return self.contains(check, place),
            CheckOp::UnevaluatedItems => return self.unevaluated_items(check, place, first_mark),
            _ => return Ok(true),
        };
        Ok(holds || self.report(place.mode, || Found { actual: count, ..place.found(keyword) }))
    }

    fn unique(&mut self, place: &Place, count: u32) -> Checked {
        let pair = if count > 1 { self.equal_items(place.at, count)? } else { None };
        Ok(match pair {
            None => true,
            Some((second, first)) => {
                self.report(place.mode, || Found { actual: first, second, ..place.found(Keyword::UniqueItems) })
            }
        })
    }

    #[inline(never)]
    fn items(&mut self, check: &Check, place: &Place) -> Checked {
        let first = self.policy.schema_list(Range { start: check.a, count: check.b }).ok_or(Stop::Policy)?;
        let mut holds = true;
        let mut nodes = first.iter().map(|node| node.get());
        for (item, number) in self.tape().list(place.at).zip(0..) {
            self.charge(1)?;
            holds &= match nodes.next() {
                Some(node) => {
                    self.mark(place.mode, number);
                    self.node(node, item, place.parts())?
                }
                None if check.c.get() == NONE => break,
                None => self.part(check.c.get(), item, place, Keyword::Items)?,
            };
            if !holds && !place.mode.reports {
                return Ok(false);
            }
        }
        if check.c.get() != NONE {
            self.mark(place.mode, ALL);
        }
        Ok(holds)
    }

    fn contains(&mut self, check: &Check, place: &Place) -> Checked {
        let (least, most) = (check.b.get(), check.c.get());
        let mut count = 0_u32;
        for (item, number) in self.tape().list(place.at).zip(0..) {
            self.charge(1)?;
            if self.node(check.a.get(), item, Mode::VERDICT)? {
                count = count.saturating_add(1);
                self.mark(place.mode, number);
                if count >= least && most == NONE && !place.mode.marks {
                    return Ok(true);
                }
            }
        }
        let keyword = match (count < least, least) {
            (true, 1) => Keyword::Contains,
            (true, _) => Keyword::MinContains,
            (false, _) => Keyword::MaxContains,
        };
        let holds = count >= least && (most == NONE || count <= most);
        Ok(holds || self.report(place.mode, || Found { actual: count, ..place.found(keyword) }))
    }

    fn unevaluated_items(&mut self, check: &Check, place: &Place, first_mark: usize) -> Checked {
        let Some(mut marks) = self.own_marks(first_mark)? else { return Ok(true) };
        let mut holds = true;
        for (item, number) in self.tape().list(place.at).zip(0..) {
            self.charge(1)?;
            if !self.is_marked(&mut marks, number) {
                holds &= self.part(check.a.get(), item, place, Keyword::UnevaluatedItems)?;
            }
        }
        self.mark(place.mode, ALL);
        Ok(holds)
    }
}
