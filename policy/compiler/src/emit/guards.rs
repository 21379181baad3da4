//! What rules ask beside the path, once for all rules that ask the same.

use std::collections::{BTreeMap, HashMap};

use portcullis_bundle::layout::{Class, Entry, Guard, HostKind, NONE};
use portcullis_bundle::{Contents, layout};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

use super::names::Names;
use super::{Overflow, Strings, append};
use crate::model::{Host, On, Rule, Target};

#[derive(Default)]
pub(super) struct Guards<'m> {
    numbers: HashMap<[u8; size_of::<Guard>()], u32>,
    records: Vec<Guard>,
    hosts: BTreeMap<&'m [Host], u32>,
    topics: BTreeMap<&'m str, u32>,
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
        self.number(Guard {
            methods: U64::new(methods),
            mask: U64::new(who.mask),
            hosts: U32::new(hosts),
            who: U32::new(who.number),
            when: U32::new(rule.condition.map_or(0, |program| program + 1)),
            topic: U32::new(topic),
            min_level: U16::new(rule.min_level),
            class: rule.class as u8,
            flags: who.flags,
        })
    }

    pub(super) fn of_target(&mut self, names: &Names<'m>, class: Class, target: &'m Target) -> Result<u32, Overflow> {
        let hosts = self.hosts(target);
        self.number(Guard {
            methods: U64::new(names.methods(target)),
            mask: U64::ZERO,
            hosts: U32::new(hosts),
            who: U32::new(NONE),
            when: U32::ZERO,
            topic: U32::ZERO,
            min_level: U16::ZERO,
            class: class as u8,
            flags: 0,
        })
    }

    fn number(&mut self, guard: Guard) -> Result<u32, Overflow> {
        let mut key = [0; size_of::<Guard>()];
        key.copy_from_slice(guard.as_bytes());
        let next = self.records.len();
        let number = *self.numbers.entry(key).or_insert(next as u32);
        if number as usize == next {
            if next >= Entry::MAX_GUARDS {
                return Err(Overflow);
            }
            self.records.push(guard);
        }
        Ok(number)
    }

    /// 0 is any host.
    fn hosts(&mut self, target: &'m Target) -> u32 {
        if target.hosts.is_empty() {
            return 0;
        }
        let next = self.hosts.len() as u32 + 1;
        *self.hosts.entry(&target.hosts).or_insert(next)
    }

    fn topic(&mut self, topic: &'m str) -> u32 {
        let next = self.topics.len() as u32 + 1;
        *self.topics.entry(topic).or_insert(next)
    }

    pub(super) fn write(self, strings: &mut Strings, contents: &mut Contents) -> Result<(), Overflow> {
        contents.guards = self.records;
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
