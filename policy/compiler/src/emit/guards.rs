//! What rules ask beside the path, once for all rules that ask the same.

use std::collections::{BTreeMap, HashMap};

use portcullis_bundle::layout::{Class, Entry, Guard, HostKind, NONE, Terms};
use portcullis_bundle::{Contents, layout};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromZeros, Immutable, IntoBytes};

use super::names::Names;
use super::{Overflow, Strings, append};
use crate::model::{Host, On, Rule, Target};

#[derive(Default)]
pub(super) struct Guards<'m> {
    guards: Shared<Guard, { size_of::<Guard>() }>,
    terms: Shared<Terms, { size_of::<Terms>() }>,
    hosts: BTreeMap<&'m [Host], u32>,
    topics: BTreeMap<&'m str, u32>,
}

/// Records of which equal ones are written once.
struct Shared<T, const BYTES: usize> {
    numbers: HashMap<[u8; BYTES], u32>,
    records: Vec<T>,
}

impl<T, const BYTES: usize> Default for Shared<T, BYTES> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), records: Vec::new() }
    }
}

impl<T: IntoBytes + Immutable, const BYTES: usize> Shared<T, BYTES> {
    fn number(&mut self, record: T) -> Result<u32, Overflow> {
        let mut key = [0; BYTES];
        key.copy_from_slice(record.as_bytes());
        let next = self.records.len();
        let number = *self.numbers.entry(key).or_insert(next as u32);
        if number as usize == next {
            if next >= Entry::MAX_GUARDS {
                return Err(Overflow);
            }
            self.records.push(record);
        }
        Ok(number)
    }
}

impl<'m> Guards<'m> {
    pub(super) fn of_rule(&mut self, names: &mut Names<'m>, rule: &'m Rule) -> Result<u32, Overflow> {
        let who = names.who(&rule.who);
        let (methods, hosts) = match &rule.on {
            On::Http(target) => (names.methods(target), self.hosts(target)),
            On::Resource(_) => (u64::MAX, 0),
        };
        let topic = match rule.topic.as_deref() {
            Some(topic) => self.topic(topic),
            None => 0,
        };
        let terms = Terms {
            hosts: U32::new(hosts),
            who: U32::new(who.number),
            when: U32::new(rule.condition.map_or(0, |program| program + 1)),
            topic: U32::new(topic),
            min_level: U16::new(rule.min_level),
            reserved: [0; 2],
        };
        self.number(rule.class, methods, (who.mask, who.flags), terms)
    }

    pub(super) fn of_target(&mut self, names: &Names<'m>, class: Class, target: &'m Target) -> Result<u32, Overflow> {
        let hosts = U32::new(self.hosts(target));
        let terms = Terms { hosts, who: U32::new(NONE), ..Terms::new_zeroed() };
        self.number(class, names.methods(target), (0, 0), terms)
    }

    fn number(&mut self, class: Class, methods: u64, (mask, flags): (u64, u8), terms: Terms) -> Result<u32, Overflow> {
        let asks = terms.asks();
        let terms = U32::new(self.terms.number(terms)?);
        let (methods, mask) = (U64::new(methods), U64::new(mask));
        self.guards.number(Guard { methods, mask, terms, class: class as u8, flags, asks, reserved: 0 })
    }

    /// 0 is any host.
    pub(super) fn hosts(&mut self, target: &'m Target) -> u32 {
        if target.hosts.is_empty() {
            return 0;
        }
        let next = self.hosts.len() as u32 + 1;
        *self.hosts.entry(target.hosts.as_slice()).or_insert(next)
    }

    fn topic(&mut self, topic: &'m str) -> u32 {
        let next = self.topics.len() as u32 + 1;
        *self.topics.entry(topic).or_insert(next)
    }

    pub(super) fn write(self, strings: &mut Strings, contents: &mut Contents) -> Result<(), Overflow> {
        contents.guards = self.guards.records;
        contents.terms = self.terms.records;
        let mut topics: Vec<(&str, u32)> = self.topics.into_iter().collect();
        topics.sort_by_key(|(_, number)| *number);
        for (topic, _) in topics {
            contents.topics.push(strings.intern(topic.as_bytes())?);
        }
        let mut lists: Vec<(&[Host], u32)> = self.hosts.into_iter().collect();
        lists.sort_by_key(|(_, number)| *number);
        for (list, _) in lists {
            let mut hosts = Vec::with_capacity(list.len());
            for host in list {
                let (kind, text) = match host {
                    Host::Exact(text) => (HostKind::Exact, text),
                    Host::Suffix(text) => (HostKind::Suffix, text),
                };
                let text = strings.intern(text.as_bytes())?;
                hosts.push(layout::Host { kind: kind as u8, reserved: [0; 3], text });
            }
            let list = append(&mut contents.hosts, hosts)?;
            contents.host_lists.push(list);
        }
        Ok(())
    }
}
