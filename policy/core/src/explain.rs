//! Why a decision came out as it did: each stage with its outcome, and the allow rules that came close.
//!
//! In: what `decide` gets. Out: the decision and its explanation. Scans every rule and allocates: for people, not
//! for the path of a request.

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{Class, PathKind, Rule};

use crate::decide::{Http, Scratch, decide};
use crate::decision::{Decision, Effect};
use crate::principals::Principals;
use crate::request::Request;
use crate::{Reason, host, route};

/// The order of evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Normalization,
    Restrictions,
    Blocked,
    Public,
    SubjectState,
    ApiKeyOtp,
    DenyRules,
    AllowRules,
    Fallback,
}

impl Stage {
    pub const ALL: [Self; 9] = [
        Self::Normalization,
        Self::Restrictions,
        Self::Blocked,
        Self::Public,
        Self::SubjectState,
        Self::ApiKeyOtp,
        Self::DenyRules,
        Self::AllowRules,
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
            Self::DenyRules => "deny_rules",
            Self::AllowRules => "allow_rules",
            Self::Fallback => "fallback",
        }
    }

    /// The stage that made `decision`; `None` when there was no policy to ask.
    fn of(decision: &Decision<'_>) -> Option<Self> {
        Some(match (decision.reason, decision.effect) {
            (Reason::PolicyUnavailable, _) => return None,
            (Reason::MalformedRequest, _) => Self::Normalization,
            (Reason::RestrictedMaintenance | Reason::RestrictedBlacklist | Reason::RestrictedLogin, _) => {
                Self::Restrictions
            }
            (Reason::Blocked, _) => Self::Blocked,
            (Reason::Public, _) => Self::Public,
            (Reason::SubjectInactive, _) => Self::SubjectState,
            (Reason::OtpRequired, _) => Self::ApiKeyOtp,
            (Reason::Rule, Effect::Deny) => Self::DenyRules,
            (Reason::Rule, Effect::Allow) => Self::AllowRules,
            _ => Self::Fallback,
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
    Who,
}

impl Check {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Path => "path",
            Self::Method => "method",
            Self::Who => "who",
        }
    }
}

/// An allow rule that did not apply, and what failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss<'a> {
    pub rule: &'a str,
    pub failed: Vec<Check>,
}

#[derive(Clone, Debug)]
pub struct Explanation<'a> {
    pub decision: Decision<'a>,
    /// Every stage, in order.
    pub stages: [(Stage, StageOutcome); Stage::ALL.len()],
    /// For a deny: the allow rules with the fewest failed checks, in document order.
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
    let decided_at = Stage::of(&decision);
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

/// The allow rules with the fewest failed checks; `None` for a request that is not HTTP or malformed.
fn nearest<'a>(policy: &'a Policy, request: &Request<'_>) -> Option<Vec<NearMiss<'a>>> {
    let (mut path, mut numbers) = (Vec::new(), Vec::new());
    let http = Http::normalize(policy, request, &mut path)??;
    let principals = Principals::resolve(policy, request.subject.as_ref(), &mut numbers);
    let allows = policy.rules().iter().filter(|rule| Class::from_byte(rule.class) == Some(Class::Allow));
    let mut misses = Vec::new();
    for rule in allows {
        let failed = failed_checks(policy, rule, &http, &path, &principals)?;
        misses.push(NearMiss { rule: core::str::from_utf8(policy.text(rule.id)?).ok()?, failed });
    }
    misses.retain(|miss| !miss.failed.is_empty());
    let fewest = misses.iter().map(|miss| miss.failed.len()).min()?;
    misses.retain(|miss| miss.failed.len() == fewest);
    misses.truncate(Explanation::MAX_NEAREST);
    Some(misses)
}

fn failed_checks(
    policy: &Policy,
    rule: &Rule,
    http: &Http<'_>,
    path: &[u8],
    principals: &Principals<'_>,
) -> Option<Vec<Check>> {
    let pattern = policy.text(rule.pattern)?;
    let path_holds = route::pattern_matches(PathKind::from_byte(rule.path_kind)?, pattern, path);
    let checks = [
        (Check::Host, host::matches(policy, rule.hosts.get(), http.host)?),
        (Check::Path, path_holds),
        (Check::Method, rule.methods.get() & http.method != 0),
        (Check::Who, principals.hold_who(policy, policy.who(rule.who.get())?)?),
    ];
    Some(checks.into_iter().filter(|(_, holds)| !holds).map(|(check, _)| check).collect())
}
