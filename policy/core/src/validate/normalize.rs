//! The texts of a tape as a schema wants them: trimmed, in lower or upper case, before anything is checked.
//!
//! In: the nodes that always apply (`properties`, `items`, `allOf`, `$ref` ...); the compiler refuses normalization
//! elsewhere. Out: the same tape with other texts. Bounded by steps and by frames.

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{NONE, Range};
use portcullis_bundle::limits::VALIDATION_STEPS;
use portcullis_bundle::schema::{Check, CheckOp, SchemaNode, node_flags};
use regex_automata::Input;
use regex_automata::dfa::Automaton as _;

use super::case::{lowercase, uppercase};
use super::machine::{FRAMES, Stop};
use super::tape::{Buffer, Item, Tape};

pub(super) fn normalize(policy: &Policy, root: u32, text: &str, buffer: &mut Buffer) -> Result<(), Stop> {
    Normalizer { policy, text, buffer, steps: VALIDATION_STEPS, frames: FRAMES }.node(root, Tape::ROOT)
}

struct Normalizer<'a> {
    policy: &'a Policy,
    text: &'a str,
    buffer: &'a mut Buffer,
    steps: u32,
    frames: u32,
}

impl<'a> Normalizer<'a> {
    fn node(&mut self, number: u32, at: u32) -> Result<(), Stop> {
        let node = self.policy.schema_node(number).ok_or(Stop::Policy)?;
        self.steps = self.steps.checked_sub(1).ok_or(Stop::Cost)?;
        if node.flags & node_flags::NORMALIZES == 0 {
            return Ok(());
        }
        self.frames = self.frames.checked_sub(1).ok_or(Stop::Cost)?;
        self.string(node, at)?;
        for check in self.policy.checks(node.checks).ok_or(Stop::Policy)? {
            self.check(check, at)?;
        }
        self.frames = self.frames.saturating_add(1);
        Ok(())
    }

    fn string(&mut self, node: &SchemaNode, at: u32) -> Result<(), Stop> {
        let tape = self.buffer.tape(self.text);
        let Some(Item::String(span)) = tape.item(at) else { return Ok(()) };
        let text = tape.str(span);
        self.steps = self.steps.checked_sub((text.len() / 4) as u32).ok_or(Stop::Cost)?;
        let is = |flag: u8| node.flags & flag != 0;
        let trimmed = if is(node_flags::TRIM) { text.trim() } else { text };
        let changed = match (is(node_flags::LOWERCASE), is(node_flags::UPPERCASE)) {
            (true, _) => lowercase(trimmed),
            (_, true) => uppercase(trimmed),
            _ => trimmed.to_owned(),
        };
        if changed != text {
            let start = self.buffer.decoded.len();
            self.buffer.decoded.push_str(&changed);
            let span = self.buffer.decoded_from(start);
            self.buffer.set(at, Item::String(span));
        }
        Ok(())
    }

    fn check(&mut self, check: &Check, at: u32) -> Result<(), Stop> {
        match CheckOp::from_byte(check.op).ok_or(Stop::Policy)? {
            CheckOp::Reference => self.node(check.a.get(), at),
            CheckOp::AllOf => {
                let nodes = self.policy.schema_list(Range { start: check.a, count: check.b }).ok_or(Stop::Policy)?;
                nodes.iter().try_for_each(|node| self.node(node.get(), at))
            }
            CheckOp::Items => self.items(check, at),
            CheckOp::Properties => self.members(check, at),
            _ => Ok(()),
        }
    }

    fn items(&mut self, check: &Check, at: u32) -> Result<(), Stop> {
        let Some(Item::List { end, .. }) = self.buffer.tape(self.text).item(at) else { return Ok(()) };
        let first = self.policy.schema_list(Range { start: check.a, count: check.b }).ok_or(Stop::Policy)?;
        let mut nodes = first.iter().map(|node| node.get());
        let mut item = at.saturating_add(1);
        while item < end {
            match nodes.next().unwrap_or(check.c.get()) {
                NONE => break,
                node => self.node(node, item)?,
            }
            item = self.buffer.tape(self.text).after(item);
        }
        Ok(())
    }

    fn members(&mut self, check: &Check, at: u32) -> Result<(), Stop> {
        let object = self.policy.object(check.a.get()).ok_or(Stop::Policy)?;
        let properties = self.policy.properties(object.properties).ok_or(Stop::Policy)?;
        let patterns = self.policy.schema_list(object.patterns).ok_or(Stop::Policy)?;
        let Some(Item::Map { end, .. }) = self.buffer.tape(self.text).item(at) else { return Ok(()) };
        let mut key = at.saturating_add(1);
        while key < end {
            let value = key.saturating_add(1);
            let Some(Item::Key { hash, name }) = self.buffer.tape(self.text).item(key) else {
                return Err(Stop::Policy);
            };
            let mut is_known = false;
            for property in properties {
                self.steps = self.steps.checked_sub(1).ok_or(Stop::Cost)?;
                let name = self.buffer.tape(self.text).str(name);
                if property.hash.get() == hash && self.policy.text(property.name) == Some(name.as_bytes()) {
                    is_known = true;
                    self.node(property.node.get(), value)?;
                }
            }
            for pair in patterns.chunks_exact(2) {
                let &[automaton, node] = pair else { return Err(Stop::Policy) };
                let automaton = self.policy.automaton(automaton.get()).ok_or(Stop::Policy)?;
                let name = self.buffer.tape(self.text).str(name);
                let found = automaton.try_search_fwd(&Input::new(name).earliest(true)).map_err(|_| Stop::Policy)?;
                if found.is_some() {
                    is_known = true;
                    self.node(node.get(), value)?;
                }
            }
            if !is_known && object.additional.get() != NONE {
                self.node(object.additional.get(), value)?;
            }
            key = self.buffer.tape(self.text).after(value);
        }
        Ok(())
    }
}
