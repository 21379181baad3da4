//! Why a decision came out as it did: each stage with its outcome, and what came close to allowing.
//!
//! In: what `decide` gets. Out: the decision and its explanation. Scans every rule and allocates: for people, not
//! for the path of a request.

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{Class, Guard};

use crate::Reason;
use crate::condition::{self, Outcome, Tapes};
use crate::decide::{Scratch, decide};
use crate::decision::{Decision, Effect, RuleId};
use crate::governing::governing;
use crate::hits::{self, Asked};
use crate::http::Normalized;
use crate::path::PathBuffer;
use crate::patterns::Matched;
use crate::principals::Principals;
use crate::request::Request;
use crate::route::Branches;
use crate::sort::sort;

/// The order of evaluation; numbers as in the table of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Normalization,
    Restrictions,
    Blocked,
    Public,
    SubjectState,
    ApiKeyOtp,
    Revocation,
    DenyRules,
    AllowRules,
    Route,
    Authentication,
    RoutePermission,
    Level,
    Fallback,
}

impl Stage {
    pub const ALL: [Self; 14] = [
        Self::Normalization,
        Self::Restrictions,
        Self::Blocked,
        Self::Public,
        Self::SubjectState,
        Self::ApiKeyOtp,
        Self::Revocation,
        Self::DenyRules,
        Self::AllowRules,
        Self::Route,
        Self::Authentication,
        Self::RoutePermission,
        Self::Level,
        Self::Fallback,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Normalization => "normalization",
            Self::Restrictions => "restrictions",
            Self::Blocked => "blocked",
            Self::Public => "public",
            Self::SubjectState => "subject_state",
            Self::ApiKeyOtp => "api_key_otp",
            Self::Revocation => "revocation",
            Self::DenyRules => "deny_rules",
            Self::AllowRules => "allow_rules",
            Self::Route => "route",
            Self::Authentication => "authentication",
            Self::RoutePermission => "route_permission",
            Self::Level => "level",
            Self::Fallback => "fallback",
        }
    }

    /// The stage that made a decision; `None` when there was no policy to ask.
    pub const fn of(reason: Reason, effect: Effect) -> Option<Self> {
        Some(match (reason, effect) {
            (Reason::PolicyUnavailable, _) => return None,
            (Reason::MalformedRequest, _) => Self::Normalization,
            (Reason::RestrictedMaintenance | Reason::RestrictedBlacklist | Reason::RestrictedLogin, _) => {
                Self::Restrictions
            }
            (Reason::Blocked, _) => Self::Blocked,
            (Reason::Public, _) => Self::Public,
            (Reason::SubjectInactive, _) => Self::SubjectState,
            (Reason::OtpRequired, _) => Self::ApiKeyOtp,
            (Reason::TokenRevoked, _) => Self::Revocation,
            (Reason::Rule, Effect::Deny) => Self::DenyRules,
            (Reason::Rule, Effect::Allow) => Self::AllowRules,
            (Reason::Route, _) => Self::Route,
            (Reason::Unauthenticated, _) => Self::Authentication,
            (Reason::MissingPermission, _) => Self::RoutePermission,
            (Reason::LevelTooLow, _) => Self::Level,
            (Reason::NoMatch, _) => Self::Fallback,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageOutcome {
    /// This stage made the decision.
    Decided,
    /// Nothing in this stage applied.
    Passed,
    /// An earlier stage had decided.
    NotReached,
}

impl StageOutcome {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Passed => "passed",
            Self::NotReached => "not_reached",
        }
    }
}

/// What about a rule did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    Host,
    Path,
    Method,
    /// Action, type or id of something that is not HTTP.
    Resource,
    Who,
    Level,
    When,
}

impl Check {
    pub const ALL: [Self; 7] =
        [Self::Host, Self::Path, Self::Method, Self::Resource, Self::Who, Self::Level, Self::When];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Path => "path",
            Self::Method => "method",
            Self::Resource => "resource",
            Self::Who => "who",
            Self::Level => "level",
            Self::When => "when",
        }
    }
}

/// An allow rule that did not apply, and what failed; or the governing route, of which the subject has no permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss<'a> {
    pub rule: RuleId<'a>,
    pub failed: Vec<Check>,
}

#[derive(Clone, Debug)]
pub struct Explanation<'a> {
    pub decision: Decision<'a>,
    /// Every stage, in order.
    pub stages: [(Stage, StageOutcome); Stage::ALL.len()],
    /// For a deny: the governing route, then allow rules in document order; those with the fewest failed checks.
    pub nearest: Vec<NearMiss<'a>>,
}

impl Explanation<'_> {
    /// Most near misses that are listed.
    pub const MAX_NEAREST: usize = 5;
}

/// The decision on `request`, and how it came about.
pub fn explain<'a>(policy: &'a Policy, request: &Request<'_>, scratch: &'a mut Scratch) -> Explanation<'a> {
    let nearest = nearest(policy, request).unwrap_or_default();
    let decision = decide(policy, request, scratch);
    let decided_at = Stage::of(decision.reason, decision.effect);
    let stages = Stage::ALL.map(|stage| {
        let outcome = match decided_at {
            Some(at) if stage == at => StageOutcome::Decided,
            Some(at) if (stage as u8) < at as u8 => StageOutcome::Passed,
            _ => StageOutcome::NotReached,
        };
        (stage, outcome)
    });
    let nearest = if decision.effect == Effect::Deny { nearest } else { Vec::new() };
    Explanation { decision, stages, nearest }
}

/// What allows with the fewest failed checks; `None` for a malformed request.
fn nearest<'a>(policy: &'a Policy, request: &Request<'_>) -> Option<Vec<NearMiss<'a>>> {
    let (mut buffer, mut numbers, mut matched) = (PathBuffer::default(), Vec::new(), Matched::default());
    let records = policy.records();
    let normalized = Normalized::new(records, request, &mut buffer)?;
    let principals = Principals::resolve(policy, records, request.subject.as_ref(), &mut numbers);
    let level = request.subject.as_ref().and_then(|subject| subject.level).unwrap_or(0);
    matched.search(policy, normalized.http())?;
    let asked = Asked { request: &normalized, matched: &matched, principals: &principals, level };
    let mut there = Vec::new();
    asked.visit(policy, records, &mut Branches::default(), |entry| there.push(entry.rule.get()))?;
    sort(&mut there);

    let (mut tapes, mut conditions) = (Tapes::default(), condition::Scratch::default());
    let facts = normalized.facts(request, &mut tapes)?;
    let mut holds = |program| match program {
        Some(program) => condition::evaluate(policy, program, &facts, &mut conditions) == Outcome::True,
        None => true,
    };
    let mut misses = Vec::new();
    if let Some(http) = normalized.http().filter(|_| policy.has_routes())
        && let Some(route) = governing(policy, http, &mut Vec::new(), &matched)?
        && !principals.are_who(policy, route.who)?
    {
        misses.push(NearMiss { rule: route.id, failed: vec![Check::Who] });
    }
    for (rule, record) in (0..).zip(policy.rules()) {
        let guard = policy.guard(record.guard.get())?;
        if Class::from_byte(guard.class) != Some(Class::Allow) {
            continue;
        }
        let mut failed = failed_checks(policy, guard, &asked, there.binary_search(&rule).is_ok())?;
        if !holds(hits::condition(records, guard)?) {
            failed.push(Check::When);
        }
        if !failed.is_empty() {
            misses.push(NearMiss { rule: RuleId::of(policy, rule)?, failed });
        }
    }
    let fewest = misses.iter().map(|miss| miss.failed.len()).min()?;
    misses.retain(|miss| miss.failed.len() == fewest);
    misses.truncate(Explanation::MAX_NEAREST);
    Some(misses)
}

/// `is_there`: whether path, or action and resource, match.
fn failed_checks(policy: &Policy, guard: &Guard, asked: &Asked<'_>, is_there: bool) -> Option<Vec<Check>> {
    let place = if asked.request.http().is_some() { Check::Path } else { Check::Resource };
    let checks = [
        (Check::Host, asked.is_host(policy, guard)?),
        (place, is_there),
        (Check::Method, asked.is_method(guard)),
        (Check::Who, asked.is_who(policy, guard)?),
        (Check::Level, asked.has_level(policy.records(), guard)?),
    ];
    Some(checks.into_iter().filter(|(_, holds)| !holds).map(|(check, _)| check).collect())
}
