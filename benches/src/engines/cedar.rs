//! Cedar, one policy for each rule, in two forms.
//!
//! A segment wildcard is `like` with the number of segments beside it: the text and the slashes of a template leave
//! exactly one segment for `*`. Subjects that hold each set of roles are entities made ahead, so that a request costs
//! no entity. Sliced, the host keeps one policy set per role and method and asks those of the subject, so that a
//! policy tests nothing but the path.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet,
    RestrictedExpression,
};
use portcullis_core::{Request, Target};

use super::{Engine, role_sets};
use crate::workload::{Effect, METHODS, ROLES, Rule, WILDCARD};

/// All rules in one policy set, the subject in its roles.
pub struct PolicyPerRule {
    policies: PolicySet,
    asking: Asking,
}

/// A policy set per role and method.
pub struct Sliced {
    slices: HashMap<(&'static str, &'static str), PolicySet>,
    asking: Asking,
}

/// What requests are made of.
struct Asking {
    authorizer: Authorizer,
    entities: Entities,
    subjects: EntityTypeName,
    actions: HashMap<&'static str, EntityUid>,
    resource: EntityUid,
}

impl PolicyPerRule {
    pub fn new(rules: &[Rule]) -> Result<Self> {
        let policies = rules.iter().enumerate().map(|(index, rule)| {
            let roles: Vec<String> = rule.role_names().map(|role| format!("Role::\"{role}\"")).collect();
            let action = rule.method.map_or("action".to_owned(), |method| format!("action == Action::\"{method}\""));
            // What holds most seldom first: roles in the head of the policy would take twice as long.
            let (effect, path, roles) = (effect(rule), path(rule), roles.join(", "));
            let text = format!("{effect}(principal, {action}, resource) when {{ {path} && principal in [{roles}] }};");
            Ok(Policy::parse(Some(PolicyId::new(index.to_string())), text)?)
        });
        let policies = policies.collect::<Result<Vec<_>>>()?;
        Ok(Self { policies: PolicySet::from_policies(policies)?, asking: Asking::new()? })
    }
}

impl Sliced {
    pub fn new(rules: &[Rule]) -> Result<Self> {
        let mut slices: HashMap<(&str, &str), PolicySet> = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let (effect, path) = (effect(rule), path(rule));
            let text = format!("{effect}(principal, action, resource) when {{ {path} }};");
            let policy = Policy::parse(Some(PolicyId::new(index.to_string())), text)?;
            for role in rule.role_names() {
                for method in METHODS.into_iter().filter(|method| rule.method.is_none_or(|only| only == *method)) {
                    slices.entry((role, method)).or_default().add(policy.clone())?;
                }
            }
        }
        Ok(Self { slices, asking: Asking::new()? })
    }
}

impl Asking {
    fn new() -> Result<Self> {
        let uid = |kind: &str, name: &str| -> Result<EntityUid> { Ok(format!("{kind}::\"{name}\"").parse()?) };
        let role = |name: &&str| uid("Role", name);
        let mut entities = Vec::new();
        for name in &ROLES {
            entities.push(Entity::new_no_attrs(role(name)?, HashSet::new()));
        }
        for (subject, roles) in role_sets() {
            let roles = roles.iter().map(role).collect::<Result<_>>()?;
            entities.push(Entity::new_no_attrs(uid("User", &subject)?, roles));
        }
        let actions = METHODS.iter().map(|method| Ok((*method, uid("Action", method)?)));
        Ok(Self {
            authorizer: Authorizer::new(),
            entities: Entities::from_entities(entities, None)?,
            subjects: "User".parse()?,
            actions: actions.collect::<Result<_>>()?,
            resource: uid("App", "shop")?,
        })
    }

    /// `None` for what the workload never asks.
    fn request(&self, request: &Request<'_>) -> Option<cedar_policy::Request> {
        let (Target::Http { path, .. }, Some(subject)) = (request.target, request.subject) else { return None };
        let subject = EntityId::new(super::role_set(subject.roles));
        let principal = EntityUid::from_type_name_and_id(self.subjects.clone(), subject);
        let context = Context::from_pairs([
            ("path".to_owned(), RestrictedExpression::new_string(path.to_owned())),
            ("segments".to_owned(), RestrictedExpression::new_long(path.matches('/').count() as i64)),
        ]);
        let action = self.actions.get(request.action)?.clone();
        cedar_policy::Request::new(principal, action, self.resource.clone(), context.ok()?, None).ok()
    }
}

impl Engine for PolicyPerRule {
    fn decide(&mut self, request: &Request<'_>) -> bool {
        let Asking { authorizer, entities, .. } = &self.asking;
        let Some(request) = self.asking.request(request) else { return false };
        authorizer.is_authorized(&request, &self.policies, entities).decision() == Decision::Allow
    }
}

impl Engine for Sliced {
    fn decide(&mut self, request: &Request<'_>) -> bool {
        let Asking { authorizer, entities, .. } = &self.asking;
        let (Some(asked), Some(subject)) = (self.asking.request(request), request.subject) else { return false };
        let mut allowed = false;
        for role in subject.roles.iter() {
            let Some(slice) = self.slices.get(&(role, request.action)) else { continue };
            let response = authorizer.is_authorized(&asked, slice, entities);
            match response.decision() {
                Decision::Allow => allowed = true,
                // A deny has a reason only when a policy forbids.
                Decision::Deny if response.diagnostics().reason().next().is_some() => return false,
                Decision::Deny => {}
            }
        }
        allowed
    }
}

fn effect(rule: &Rule) -> &'static str {
    match rule.effect {
        Effect::Allow => "permit",
        Effect::Deny => "forbid",
    }
}

fn path(rule: &Rule) -> String {
    let path = &rule.path;
    if rule.has_wildcard() {
        let segments = path.matches('/').count();
        format!("context.segments == {segments} && context.path like \"{}\"", path.replace(WILDCARD, "*"))
    } else {
        format!("context.path == \"{path}\"")
    }
}
