//! The order of evaluation (section 3), from top to bottom.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use portcullis_runtime::{Credential, Decision, Effect, Obligation, Reason, Request, Subject};

use super::conditions::{self, Failed};
use super::document::{Document, Rule, Target, Who};
use super::facts::{Facts, normalize};
use super::restrictions::restrict;
use super::routes::governing;
use super::targets::{meets, meets_resource};

/// Id of a subject, and the unix second before which its tokens do not count.
pub type Revocation = (String, u64);

pub fn decide(document: &Document, revocations: &[Revocation], request: &Request, revision: u64) -> Decision {
    let decision = match normalize(request) {
        None => deny(document, Reason::MalformedRequest, 400),
        Some(facts) => {
            let evaluation = Evaluation { document, revocations, request, facts, errors: RefCell::default() };
            let decision = evaluation.decide();
            Decision { errors: evaluation.errors.into_inner().into_values().collect(), ..decision }
        }
    };
    Decision { revision, ..decision }
}

struct Evaluation<'a> {
    document: &'a Document,
    revocations: &'a [Revocation],
    request: &'a Request,
    facts: Facts,
    /// By position in the document: ids of the rules looked at whose condition failed.
    errors: RefCell<BTreeMap<usize, String>>,
}

impl<'a> Evaluation<'a> {
    fn decide(&self) -> Decision {
        let document = self.document;
        let subject = self.request.subject.as_ref();
        if let Some((reason, id, status)) = restrict(document, self.request, self.is_in(&document.login)) {
            return Decision { restriction: Some(id), status, ..deny(document, reason, status) };
        }
        if self.is_in(&document.blocked) {
            return deny(document, Reason::Blocked, 403);
        }
        if self.is_in(&document.public) {
            return Decision { obligations: self.audits(), ..allow(Reason::Public) };
        }
        if let Some((reason, status)) = subject.and_then(|subject| self.refused(subject)) {
            return deny(document, reason, status);
        }
        let denied = if subject.is_some() { vec![Obligation::Denied] } else { Vec::new() };
        let refuse = |reason, status| Decision { obligations: denied.clone(), ..deny(document, reason, status) };
        let denies = ids(self.applicable("deny"));
        if !denies.is_empty() {
            return Decision { rules: denies, ..refuse(Reason::Rule, 403) };
        }
        let allows = ids(self.applicable("allow"));
        if !allows.is_empty() {
            return Decision { rules: allows, obligations: self.audits(), ..allow(Reason::Rule) };
        }
        let route = self.facts.http().and_then(|http| governing(document, http));
        if let (Some(route), Some(subject)) = (&route, subject)
            && holds_one(document, subject, route.permissions)
        {
            return Decision { rules: vec![route.id.clone()], obligations: self.audits(), ..allow(Reason::Route) };
        }
        match subject {
            None => refuse(Reason::Unauthenticated, 401),
            Some(_) if route.is_some() => refuse(Reason::MissingPermission, 403),
            Some(_) if self.lacks_only_level() => refuse(Reason::LevelTooLow, 403),
            Some(_) => refuse(Reason::NoMatch, 403),
        }
    }

    fn is_in(&self, targets: &[Target]) -> bool {
        self.facts.http().is_some_and(|http| targets.iter().any(|target| meets(target, http)))
    }

    /// Stages 4 to 6.
    fn refused(&self, subject: &Subject) -> Option<(Reason, u16)> {
        let policy = self.document.subject.clone().unwrap_or_default();
        let states = policy.states.unwrap_or(vec!["active".into(), "pending".into()]);
        if !states.contains(&subject.state) {
            return Some((Reason::SubjectInactive, 403));
        }
        let is_api_key = self.request.credential == Credential::ApiKey;
        if is_api_key && policy.api_key_requires_otp.unwrap_or(true) && !subject.otp {
            return Some((Reason::OtpRequired, 403));
        }
        let is_revoked = |(id, not_before): &Revocation| {
            *id == subject.id && subject.issued_at.is_none_or(|issued_at| issued_at < *not_before)
        };
        self.revocations.iter().any(is_revoked).then_some((Reason::TokenRevoked, 401))
    }

    // === rules ===

    fn audits(&self) -> Vec<Obligation> {
        let audits = self.applicable("audit").into_iter();
        audits.map(|(id, rule)| Obligation::Audit(rule.topic.clone().unwrap_or(id))).collect()
    }

    /// Rules of this effect that apply, with their ids.
    fn applicable(&self, effect: &str) -> Vec<(String, &'a Rule)> {
        let mut applicable = Vec::new();
        for (at, rule) in self.document.rules.iter().enumerate() {
            if rule.effect != effect || !self.is_about(rule) || self.level() < rule.min_level.unwrap_or(0) {
                continue;
            }
            let id = rule.id.clone().unwrap_or(format!("rules[{at}]"));
            let applies = self.when(rule).unwrap_or_else(|Failed| {
                self.errors.borrow_mut().insert(at, id.clone());
                effect != "allow"
            });
            if applies {
                applicable.push((id, rule));
            }
        }
        applicable
    }

    /// Whether target and `who` hold.
    fn is_about(&self, rule: &Rule) -> bool {
        let http = self.facts.http().zip(rule.target.as_ref()).is_some_and(|(http, target)| meets(target, http));
        let resource = rule.resource.as_ref().is_some_and(|target| meets_resource(target, self.request));
        (http || resource) && is_for(self.document, &rule.who, self.request.subject.as_ref())
    }

    fn when(&self, rule: &Rule) -> Result<bool, Failed> {
        rule.when.as_ref().map_or(Ok(true), |when| conditions::evaluate(when, self.request, &self.facts))
    }

    fn level(&self) -> u32 {
        self.request.subject.as_ref().and_then(|subject| subject.level).unwrap_or(0)
    }

    fn lacks_only_level(&self) -> bool {
        self.document.rules.iter().any(|rule| {
            let is_too_low = self.level() < rule.min_level.unwrap_or(0);
            rule.effect == "allow" && is_too_low && self.is_about(rule) && self.when(rule).unwrap_or(false)
        })
    }
}

fn ids(rules: Vec<(String, &Rule)>) -> Vec<String> {
    rules.into_iter().map(|(id, _)| id).collect()
}

// === answers ===

fn allow(reason: Reason) -> Decision {
    Decision {
        effect: Effect::Allow,
        status: 200,
        reason,
        rules: Vec::new(),
        restriction: None,
        obligations: Vec::new(),
        errors: Vec::new(),
        revision: 0,
    }
}

fn deny(document: &Document, reason: Reason, default: u16) -> Decision {
    let status = document.statuses.get(reason.name()).copied().unwrap_or(default);
    Decision { effect: Effect::Deny, status, ..allow(reason) }
}

// === whom a rule is for ===

fn is_for(document: &Document, who: &Who, subject: Option<&Subject>) -> bool {
    if who.anyone {
        return true;
    }
    let Some(subject) = subject else { return false };
    let roles = roles(document, subject);
    who.authenticated
        || who.roles.iter().any(|role| roles.contains(role))
        || holds_one(document, subject, &who.permissions)
        || who.permission_groups.iter().any(|group| subject.permission_groups.contains(group))
        || who.subjects.contains(&subject.id)
}

/// The subject's roles, and those that they inherit.
fn roles(document: &Document, subject: &Subject) -> BTreeSet<String> {
    let mut roles = BTreeSet::new();
    let mut open = subject.roles.clone();
    while let Some(name) = open.pop() {
        if roles.insert(name.clone()) {
            open.extend(document.roles.get(&name).map_or(Vec::new(), |role| role.inherits.clone()));
        }
    }
    roles
}

/// Whether a role or a group gives the subject one of the permissions.
fn holds_one(document: &Document, subject: &Subject, permissions: &[String]) -> bool {
    let roles = roles(document, subject);
    let by_role = roles.iter().filter_map(|role| document.roles.get(role)).flat_map(|role| &role.permissions);
    let groups = subject.permission_groups.iter().filter_map(|group| document.permission_groups.get(group));
    let mut held = by_role.chain(groups.flat_map(|group| &group.permissions));
    held.any(|permission| permissions.contains(permission))
}
