//! Turns a policy and a request into a decision.
//!
//! In: `Policy` (opened), `Request` (facts as the host verified them), `Scratch` (reused buffers).
//! Out: `Decision`, always; a policy that cannot be read is a deny. Never allocates once the scratch has grown.
//! The order is the table of design/decision.md section 3: the first stage that decides wins, any deny beats any allow.

use portcullis_bundle::layout::CategoryKind;
use portcullis_bundle::{Policy, Reason};

use crate::condition::{self, Outcome, Tapes};
use crate::decision::{Decision, Effect, Obligations, RuleId, Rules};
use crate::governing::governing;
use crate::hits::{Asked, Candidates, Hits};
use crate::http::Normalized;
use crate::path::PathBuffer;
use crate::patterns::Matched;
use crate::principals::Principals;
use crate::request::{Credential, Request, Subject};
use crate::restrict::{Verdict, restrict};
use crate::sort::sort;

/// Buffers that one decision after the other reuses.
#[derive(Debug, Default)]
pub struct Scratch {
    path: PathBuffer,
    name: Vec<u8>,
    matched: Matched,
    principals: Vec<u32>,
    hits: Hits,
    tapes: Tapes,
    conditions: condition::Scratch,
    errors: Vec<u32>,
}

/// The decision on `request` under `policy`.
pub fn decide<'a>(policy: &'a Policy, request: &Request<'_>, scratch: &'a mut Scratch) -> Decision<'a> {
    match evaluate(policy, request, scratch) {
        Some(settled) => report(policy, request, settled, scratch),
        None => Decision::UNAVAILABLE,
    }
}

/// The decision on what is no request at all.
pub(crate) fn malformed(policy: &Policy) -> Decision<'_> {
    deny(policy, Reason::MalformedRequest)
}

/// What the first stage says that decides.
enum Settled<'p> {
    /// A deny of the stages before the deny rules.
    Denied(Reason),
    Restricted(CategoryKind, u32),
    Public,
    DeniedByRules,
    AllowedByRules,
    AllowedByRoute(RuleId<'p>),
    /// A deny of the stages after the allow rules.
    NotAllowed(Reason),
}

/// `None` when the policy cannot be read.
fn evaluate<'p>(policy: &'p Policy, request: &Request<'_>, scratch: &mut Scratch) -> Option<Settled<'p>> {
    let Scratch { path, name, matched, principals, hits, tapes, conditions, errors } = scratch;
    errors.clear();
    let subject = request.subject.as_ref();

    let records = policy.records();
    let Some(normalized) = Normalized::new(records, request, path) else {
        return Some(Settled::Denied(Reason::MalformedRequest));
    };
    // Without conditions nobody asks for the facts, but properties are checked all the same.
    let facts = if policy.has_conditions() || request.has_properties() {
        let Some(facts) = normalized.facts(request, tapes) else {
            return Some(Settled::Denied(Reason::MalformedRequest));
        };
        Some(facts)
    } else {
        None
    };
    let verdict = restrict(policy, request)?;
    let principals = Principals::resolve(policy, records, subject, principals);
    let level = subject.and_then(|subject| subject.level).unwrap_or(0);
    matched.search(policy, normalized.http())?;
    hits.collect(policy, records, &Asked { request: &normalized, matched, principals: &principals, level })?;
    if let Verdict::Denied { category, restriction } = verdict
        && (category != CategoryKind::BlockLogin || hits.login)
    {
        return Some(Settled::Restricted(category, restriction));
    }
    if hits.blocked {
        return Some(Settled::Denied(Reason::Blocked));
    }
    let evaluate = |program| match &facts {
        Some(facts) => condition::evaluate(policy, program, facts, conditions),
        None => Outcome::Failed,
    };
    let mut conditions = Conditions { evaluate, errors };
    if hits.public {
        conditions.settle(&mut hits.audits, OnError::Applies);
        return Some(Settled::Public);
    }
    if let Some(subject) = subject
        && let Some(reason) = unfit(policy, subject, request.credential)
    {
        return Some(Settled::Denied(reason));
    }
    conditions.settle(&mut hits.denies, OnError::Applies);
    if !hits.denies.rules.is_empty() {
        return Some(Settled::DeniedByRules);
    }
    conditions.settle(&mut hits.allows, OnError::Fails);
    if !hits.allows.rules.is_empty() {
        conditions.settle(&mut hits.audits, OnError::Applies);
        return Some(Settled::AllowedByRules);
    }
    let route = match normalized.http().filter(|_| policy.has_routes()) {
        Some(http) => governing(policy, http, name, matched)?,
        None => None,
    };
    if let Some(route) = &route
        && principals.are_who(policy, route.who)?
    {
        conditions.settle(&mut hits.audits, OnError::Applies);
        return Some(Settled::AllowedByRoute(route.id));
    }
    Some(Settled::NotAllowed(match subject {
        None => Reason::Unauthenticated,
        Some(_) if route.is_some() => Reason::MissingPermission,
        Some(_) if conditions.any_holds(&hits.too_low) => Reason::LevelTooLow,
        Some(_) => Reason::NoMatch,
    }))
}

/// Stages 4 to 6: why a subject that is known may do nothing.
#[inline]
fn unfit(policy: &Policy, subject: &Subject<'_>, credential: Credential) -> Option<Reason> {
    if !policy.accepts_state(subject.state) {
        return Some(Reason::SubjectInactive);
    }
    if credential == Credential::ApiKey && policy.api_key_requires_otp() && !subject.otp {
        return Some(Reason::OtpRequired);
    }
    if policy.has_revocations()
        && let Some(not_before) = policy.revoked_before(subject.id.as_bytes())
        && subject.issued_at.is_none_or(|issued_at| issued_at < not_before)
    {
        return Some(Reason::TokenRevoked);
    }
    None
}

// === decisions ===

fn report<'a>(
    policy: &'a Policy,
    request: &Request<'_>,
    settled: Settled<'a>,
    scratch: &'a mut Scratch,
) -> Decision<'a> {
    let Scratch { hits, errors, .. } = scratch;
    if let [_, _, ..] = errors.as_slice() {
        sort(errors);
        errors.dedup();
    }
    let of = |rules: &'a [u32]| Rules::new(policy, rules);
    let (effect, reason, rules) = match settled {
        Settled::Denied(reason) => return deny(policy, reason),
        Settled::Restricted(category, restriction) => return restricted(policy, category, restriction),
        Settled::Public => (Effect::Allow, Reason::Public, Rules::NONE),
        Settled::AllowedByRules => (Effect::Allow, Reason::Rule, of(&hits.allows.rules)),
        Settled::AllowedByRoute(id) => (Effect::Allow, Reason::Route, Rules::route(id)),
        Settled::DeniedByRules => (Effect::Deny, Reason::Rule, of(&hits.denies.rules)),
        Settled::NotAllowed(reason) => (Effect::Deny, reason, Rules::NONE),
    };
    let is_allow = effect == Effect::Allow;
    Decision {
        effect,
        status: if is_allow { 200 } else { policy.status(reason) },
        reason,
        rules,
        restriction: None,
        obligations: Obligations {
            audits: if is_allow { of(&hits.audits.rules) } else { Rules::NONE },
            denied: !is_allow && request.subject.is_some(),
        },
        errors: of(errors),
        revision: policy.revision(),
    }
}

/// A deny of the stages before the deny rules.
fn deny(policy: &Policy, reason: Reason) -> Decision<'_> {
    Decision {
        effect: Effect::Deny,
        status: policy.status(reason),
        reason,
        rules: Rules::NONE,
        restriction: None,
        obligations: Obligations::NONE,
        errors: Rules::NONE,
        revision: policy.revision(),
    }
}

fn restricted(policy: &Policy, category: CategoryKind, restriction: u32) -> Decision<'_> {
    let reason = match category {
        CategoryKind::Maintenance => Reason::RestrictedMaintenance,
        CategoryKind::Blacklist | CategoryKind::Whitelist => Reason::RestrictedBlacklist,
        CategoryKind::BlockLogin => Reason::RestrictedLogin,
    };
    let named = |restriction| {
        let restriction = policy.restriction(restriction)?;
        Some((restriction.code.get(), policy.str(restriction.id)?))
    };
    match named(restriction) {
        Some((status, id)) => Decision { status, restriction: Some(id), ..deny(policy, reason) },
        None => Decision::UNAVAILABLE,
    }
}

// === conditions ===

/// What a rule does whose condition cannot be evaluated: never what helps the caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnError {
    Applies,
    Fails,
}

struct Conditions<'s, E> {
    /// Evaluates a program.
    evaluate: E,
    /// Rules whose condition could not be evaluated.
    errors: &'s mut Vec<u32>,
}

impl<E: FnMut(u32) -> Outcome> Conditions<'_, E> {
    /// Decides about the rules that wait for their condition, and sorts those that apply.
    #[inline]
    fn settle(&mut self, candidates: &mut Candidates, on_error: OnError) {
        if !candidates.conditional.is_empty() || candidates.rules.len() > 1 {
            self.settle_all(candidates, on_error);
        }
    }

    #[cold]
    fn settle_all(&mut self, candidates: &mut Candidates, on_error: OnError) {
        let Candidates { rules, conditional } = candidates;
        for (rule, program) in conditional.drain(..) {
            let applies = match (self.evaluate)(program) {
                Outcome::True => true,
                Outcome::False => false,
                Outcome::Failed => {
                    self.errors.push(rule);
                    on_error == OnError::Applies
                }
            };
            if applies {
                rules.push(rule);
            }
        }
        // A resource rule may be met twice, by an id and by a beginning of it.
        sort(rules);
        rules.dedup();
    }

    fn any_holds(&mut self, candidates: &Candidates) -> bool {
        let mut programs = candidates.conditional.iter().map(|&(_, program)| program);
        !candidates.rules.is_empty() || programs.any(|program| matches!((self.evaluate)(program), Outcome::True))
    }
}
