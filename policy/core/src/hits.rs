//! Everything of a policy that applies to one request, before the stages choose.
//!
//! In: a normalized request and who is asking. Out: the targets without a rule that match, and the rules whose target,
//! `who` and level hold, by effect; those with a condition wait for it, because a stage may not be reached.

use portcullis_bundle::layout::{Class, Entry, Guard, asks};
use portcullis_bundle::{Policy, Records};

use crate::host;
use crate::http::Normalized;
use crate::patterns::Matched;
use crate::principals::Principals;
use crate::route::{self, Branches};

#[derive(Debug, Default)]
pub(crate) struct Hits {
    pub(crate) blocked: bool,
    pub(crate) public: bool,
    pub(crate) login: bool,
    pub(crate) denies: Candidates,
    pub(crate) allows: Candidates,
    pub(crate) audits: Candidates,
    /// Allow rules that would be candidates if the subject had reached their level.
    pub(crate) too_low: Candidates,
    branches: Branches,
}

/// Rules of one effect.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Those that apply.
    pub(crate) rules: Vec<u32>,
    /// Rule and program of those that apply if their condition holds.
    pub(crate) conditional: Vec<(u32, u32)>,
}

impl Candidates {
    fn clear(&mut self) {
        self.rules.clear();
        self.conditional.clear();
    }
}

/// What guards compare a request with.
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a Normalized<'a>,
    /// Regular expressions that match the path.
    pub(crate) matched: &'a Matched,
    pub(crate) principals: &'a Principals<'a>,
    pub(crate) level: u32,
}

impl Hits {
    pub(crate) fn collect(&mut self, policy: &Policy, records: &Records<'_>, asked: &Asked<'_>) -> Option<()> {
        (self.blocked, self.public, self.login) = (false, false, false);
        for candidates in [&mut self.denies, &mut self.allows, &mut self.audits, &mut self.too_low] {
            candidates.clear();
        }
        let mut branches = core::mem::take(&mut self.branches);
        let mut readable = Some(());
        let visited = asked.visit(policy, records, &mut branches, |entry| {
            if self.add(policy, records, asked, entry).is_none() {
                readable = None;
            }
        });
        self.branches = branches;
        visited.and(readable)
    }

    #[inline]
    fn add(&mut self, policy: &Policy, records: &Records<'_>, asked: &Asked<'_>, entry: &Entry) -> Option<()> {
        let guard = records.guard(entry.guard())?;
        if !asked.is_method(guard) || !asked.is_host(policy, guard)? {
            return Some(());
        }
        let candidates = match Class::from_byte(guard.class)? {
            Class::Blocked => {
                self.blocked = true;
                return Some(());
            }
            Class::Public => {
                self.public = true;
                return Some(());
            }
            Class::Login => {
                self.login = true;
                return Some(());
            }
            Class::Allow if !asked.has_level(records, guard)? => &mut self.too_low,
            Class::Deny | Class::Audit if !asked.has_level(records, guard)? => return Some(()),
            Class::Deny => &mut self.denies,
            Class::Allow => &mut self.allows,
            Class::Audit => &mut self.audits,
        };
        if asked.is_who(policy, guard)? {
            match condition(records, guard)? {
                None => candidates.rules.push(entry.rule.get()),
                Some(program) => candidates.conditional.push((entry.rule.get(), program)),
            }
        }
        Some(())
    }
}

impl Asked<'_> {
    /// Calls `visit` for each entry whose path, or whose action and resource, match.
    pub(crate) fn visit<'p>(
        &self,
        policy: &'p Policy,
        records: &Records<'p>,
        branches: &mut Branches,
        mut visit: impl FnMut(&'p Entry),
    ) -> Option<()> {
        match self.request {
            Normalized::Http(http) => {
                for &pattern in self.matched.numbers() {
                    policy.pattern_entries(pattern)?.iter().for_each(&mut visit);
                }
                route::matching_path(records, http.path, branches, visit)
            }
            Normalized::Resource { action, kind, id } => {
                let names = [action.as_bytes(), kind.as_bytes()];
                route::matching_resource(records, names, id.map(str::as_bytes), branches, visit)
            }
        }
    }

    #[inline]
    pub(crate) fn is_method(&self, guard: &Guard) -> bool {
        self.request.http().is_none_or(|http| guard.methods.get() & http.method != 0)
    }

    #[inline]
    pub(crate) fn is_host(&self, policy: &Policy, guard: &Guard) -> Option<bool> {
        match self.request.http() {
            Some(http) if guard.asks & asks::HOSTS != 0 => {
                host::matches(policy, policy.records().terms(guard)?.hosts.get(), http.host)
            }
            _ => Some(true),
        }
    }

    #[inline]
    pub(crate) fn is_who(&self, policy: &Policy, guard: &Guard) -> Option<bool> {
        let who = || Some(policy.records().terms(guard)?.who.get());
        self.principals.are(policy, who, guard.mask.get(), guard.flags)
    }

    #[inline]
    pub(crate) fn has_level(&self, records: &Records<'_>, guard: &Guard) -> Option<bool> {
        Some(guard.asks & asks::LEVEL == 0 || self.level >= u32::from(records.terms(guard)?.min_level.get()))
    }
}

/// The program that decides whether rules with this guard apply; the outer option is for bytes that cannot be read.
#[expect(clippy::option_option, reason = "no condition and not readable are different answers")]
#[inline]
pub(crate) fn condition(records: &Records<'_>, guard: &Guard) -> Option<Option<u32>> {
    if guard.asks & asks::WHEN == 0 {
        return Some(None);
    }
    Some(records.terms(guard)?.when.get().checked_sub(1))
}
