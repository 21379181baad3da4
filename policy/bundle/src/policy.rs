//! An opened bundle: typed, bounded reads of the bytes, nothing copied.
//!
//! Every reader returns an option because an index may come from anywhere; for an index that was read from the
//! same policy it is never `None`, `check` has seen to that.

use core::fmt;

use self_cell::self_cell;
use zerocopy::little_endian::U32;

use crate::automata::{self, Automaton};
use crate::layout::{
    Address, Category, CategoryKind, Entry, Guard, Header, Host, Network, Pattern, PatternSet, Place, Range,
    Restriction, RouteHost, RouteMethod, RoutePath, Rule, Text, Who, flags, seeds,
};
use crate::open::OpenError;
use crate::reason::Reason;
use crate::records::{Records, slice};
use crate::signature::KeyId;

/// One tenant's policy, ready to decide.
pub struct Policy {
    bundle: Bundle,
    header: Header,
    automata: Vec<Automaton>,
}

self_cell!(
    /// Bytes, and where what lies in them.
    struct Bundle {
        owner: Vec<u8>,
        #[covariant]
        dependent: Records,
    }
);

/// What `portcullis inspect` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    pub size_bytes: usize,
    pub rules: usize,
    pub path_nodes: usize,
    pub path_entries: usize,
    pub guards: usize,
    pub routes: usize,
    pub principals: usize,
    pub host_lists: usize,
    pub levels: usize,
    pub restrictions: usize,
    pub revocations: usize,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("tenant", &self.tenant()).field("revision", &self.revision()).finish()
    }
}

impl Policy {
    pub(crate) fn new(bytes: Vec<u8>, header: Header) -> Result<Self, OpenError> {
        let roots = header.roots.map(U32::get);
        let bundle = Bundle::try_new(bytes, |bytes| Records::locate(bytes, &header.sections, roots))?;
        let automata = automata::read(bundle.borrow_dependent())?;
        Ok(Self { bundle, header, automata })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    #[inline]
    pub fn records(&self) -> &Records<'_> {
        self.bundle.borrow_dependent()
    }

    pub fn automaton(&self, automaton: u32) -> Option<&Automaton> {
        self.automata.get(automaton as usize)
    }

    pub fn bytes(&self) -> &[u8] {
        self.bundle.borrow_owner()
    }

    // === what the header says ===

    pub fn tenant(&self) -> &str {
        let tenant = self.header.tenant.get(..usize::from(self.header.tenant_length)).unwrap_or_default();
        core::str::from_utf8(tenant).unwrap_or_default()
    }

    /// Counts administrative writes of the tenant, from 1.
    #[inline]
    pub fn revision(&self) -> u64 {
        self.header.revision.get()
    }

    /// Unix seconds.
    pub fn created(&self) -> u64 {
        self.header.created.get()
    }

    /// Unix seconds; `None` is never.
    pub fn expires(&self) -> Option<u64> {
        let expires = self.header.expires.get();
        (expires != 0).then_some(expires)
    }

    /// SHA-256.
    pub fn digest(&self) -> [u8; 32] {
        self.header.digest
    }

    /// Which key signed; `None` when unsigned.
    pub fn signer(&self) -> Option<KeyId> {
        let key = KeyId(self.header.key_id);
        (key != KeyId::UNSIGNED).then_some(key)
    }

    pub fn summary(&self) -> Summary {
        Summary {
            size_bytes: self.bytes().len(),
            rules: self.records().rules.len(),
            path_nodes: self.records().nodes().count(),
            path_entries: self.records().entries.len(),
            guards: self.records().guards.len(),
            routes: self.records().route_paths.len(),
            principals: self.principals() as usize,
            host_lists: self.records().host_lists.len(),
            levels: self.records().levels.len(),
            restrictions: self.records().restrictions.len(),
            revocations: self.records().revocations.len(),
        }
    }

    #[inline]
    pub fn principals(&self) -> u32 {
        self.header.principals.get()
    }

    pub fn api_key_requires_otp(&self) -> bool {
        self.has_flag(flags::API_KEY_REQUIRES_OTP)
    }

    /// See `layout::flags`.
    #[inline]
    pub fn has_flag(&self, flag: u32) -> bool {
        self.header.flags.get() & flag != 0
    }

    /// Whether subjects in `state` may be allowed anything.
    #[inline]
    pub fn accepts_state(&self, state: &str) -> bool {
        match state {
            "active" => self.has_flag(flags::ACCEPTS_ACTIVE),
            state => self.records().find(seeds::STATE, state.as_bytes()).is_some(),
        }
    }

    #[inline]
    pub fn has_conditions(&self) -> bool {
        !self.records().programs.is_empty()
    }

    /// Facts that decisions may ask for; see `layout::facts`.
    pub fn facts(&self) -> u32 {
        self.header.facts.get()
    }

    /// HTTP status of a deny for `reason`.
    #[inline]
    pub fn status(&self, reason: Reason) -> u16 {
        self.header.statuses.get(reason as usize).map_or(reason.default_status(), |status| status.get())
    }

    // === records ===

    /// Regular expressions for paths, by automaton.
    #[inline]
    pub fn pattern_sets(&self) -> &[PatternSet] {
        self.records().pattern_sets
    }

    /// The entries of regular expression `pattern`.
    pub fn pattern_entries(&self, pattern: u32) -> Option<&[Entry]> {
        let Pattern { entries } = self.records().patterns.get(pattern as usize)?;
        slice(self.records().entries, *entries)
    }

    #[inline]
    pub fn text(&self, text: Text) -> Option<&[u8]> {
        slice(self.records().strings, Range { start: text.offset, count: text.bytes })
    }

    pub fn str(&self, text: Text) -> Option<&str> {
        core::str::from_utf8(self.text(text)?).ok()
    }

    #[inline]
    pub fn rule(&self, rule: u32) -> Option<&Rule> {
        self.records().rules.get(rule as usize)
    }

    #[inline]
    pub fn rules(&self) -> &[Rule] {
        self.records().rules
    }

    /// The id of a rule; empty when it is called by its position.
    pub fn rule_id(&self, rule: u32) -> Option<&str> {
        // No section when no rule has an id; else one for each rule.
        match self.records().rule_ids {
            [] => self.rule(rule).map(|_| ""),
            ids => self.str(*ids.get(rule as usize)?),
        }
    }

    pub fn rule_topic(&self, rule: u32) -> Option<&str> {
        let terms = self.records().terms(self.guard(self.rule(rule)?.guard.get())?)?;
        self.str(*self.records().topics.get(terms.topic.get().checked_sub(1)? as usize)?)
    }

    #[inline]
    pub fn guard(&self, guard: u32) -> Option<&Guard> {
        self.records().guards.get(guard as usize)
    }

    pub fn who(&self, who: u32) -> Option<&Who> {
        self.records().who.get(who as usize)
    }

    pub fn members(&self, range: Range) -> Option<&[U32]> {
        slice(self.records().members, range)
    }

    /// The host patterns of list `hosts - 1`.
    pub fn hosts(&self, hosts: u32) -> Option<&[Host]> {
        let list = self.records().host_lists.get(hosts.checked_sub(1)? as usize)?;
        slice(self.records().hosts, *list)
    }

    pub fn category(&self, category: CategoryKind) -> Option<&Category> {
        self.records().categories.get(category as usize)
    }

    #[inline]
    pub fn has_restrictions(&self) -> bool {
        !self.records().restrictions.is_empty()
    }

    pub fn restriction(&self, restriction: u32) -> Option<&Restriction> {
        self.records().restrictions.get(restriction as usize)
    }

    pub fn addresses(&self, range: Range) -> Option<&[Address]> {
        slice(self.records().addresses, range)
    }

    pub fn networks(&self, range: Range) -> Option<&[Network]> {
        slice(self.records().networks, range)
    }

    pub fn places(&self, range: Range) -> Option<&[Place]> {
        slice(self.records().places, range)
    }

    // === routes ===

    #[inline]
    pub fn has_routes(&self) -> bool {
        !self.records().route_paths.is_empty()
    }

    /// The paths of routes for every host.
    pub fn any_host_routes(&self) -> Option<&[RoutePath]> {
        self.route_paths(*self.records().route_hosts.first()?)
    }

    /// The paths of routes for `host` itself, a name in lower case.
    pub fn host_routes(&self, host: &[u8]) -> Option<&[RoutePath]> {
        match self.records().find(seeds::ROUTE_HOST, host) {
            None => Some(&[]),
            Some(cell) => self.route_paths(*self.records().route_hosts.get(cell.id.get() as usize)?),
        }
    }

    fn route_paths(&self, host: RouteHost) -> Option<&[RoutePath]> {
        slice(self.records().route_paths, host.paths)
    }

    pub fn route_methods(&self, range: Range) -> Option<&[RouteMethod]> {
        slice(self.records().route_methods, range)
    }

    // === subjects ===

    /// Labels that a subject needs, in order: its level is the number of leading ones that it has.
    pub fn levels(&self) -> impl Iterator<Item = (&str, &str)> {
        let levels = self.records().levels.iter();
        levels.filter_map(|level| Some((self.str(level.key)?, self.str(level.value)?)))
    }

    #[inline]
    /// Whether it asks for the bodies of some requests to satisfy a schema.
    pub fn has_validations(&self) -> bool {
        !self.records().validations.is_empty()
    }

    pub fn has_revocations(&self) -> bool {
        !self.records().revocations.is_empty()
    }

    /// Tokens of `subject` issued before this are void; unix seconds.
    pub fn revoked_before(&self, subject: &[u8]) -> Option<u64> {
        let revocations = self.records().revocations;
        let at = revocations
            .binary_search_by(|revocation| self.text(revocation.subject).unwrap_or_default().cmp(subject))
            .ok()?;
        Some(revocations.get(at)?.not_before.get())
    }
}
