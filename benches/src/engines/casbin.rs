//! Casbin in two forms: the matcher of its documentation, and one native function that does all the matching.
//!
//! Subjects that hold each set of roles are linked to their roles ahead. Deny rules come first, so that the first rule
//! that matches decides (`priority`), which saves the native form half of the scan.

use std::fmt::Write;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use anyhow::{Result, bail};
use casbin::function_map::{OperatorFunction, dynamic_to_str};
use casbin::rhai::Dynamic;
use casbin::{CoreApi, DefaultModel, Enforcer, StringAdapter};
use portcullis_core::{Request, Target};

use super::{Engine, role_set, role_sets};
use crate::workload::{Effect, Rule};

const USUAL: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && keyMatch3(r.obj, p.obj) && (r.act == p.act || p.act == \"*\")
";

const NATIVE: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[policy_effect]
e = priority(p.eft) || deny
[matchers]
m = applies(r.sub, p.sub, r.obj, p.obj, r.act, p.act)
";

/// Role links, `keyMatch3`, one line for each role of a rule.
pub struct Usual(Enforcer);

/// One line for each rule, and the function `applies`.
pub struct Native(Enforcer);

impl Usual {
    pub fn new(rules: &[Rule]) -> Result<Self> {
        let mut lines = String::new();
        for rule in rules {
            for role in rule.role_names() {
                writeln!(lines, "p, {role}, {}, {}, {}", rule.path, rule.method.unwrap_or("*"), effect(rule))?;
            }
        }
        for (subject, roles) in role_sets() {
            for role in roles {
                writeln!(lines, "g, {subject}, {role}")?;
            }
        }
        Ok(Self(enforcer(USUAL, lines)?))
    }
}

impl Native {
    pub fn new(rules: &[Rule]) -> Result<Self> {
        let mut lines = String::new();
        for wanted in [Effect::Deny, Effect::Allow] {
            for rule in rules.iter().filter(|rule| rule.effect == wanted) {
                let roles: Vec<&str> = rule.role_names().collect();
                let method = rule.method.unwrap_or("*");
                writeln!(lines, "p, {}, {}, {method}, {}", roles.join("|"), rule.path, effect(rule))?;
            }
        }
        let mut enforcer = enforcer(NATIVE, lines)?;
        enforcer.add_function("applies", OperatorFunction::Arg6(applies));
        Ok(Self(enforcer))
    }
}

impl Engine for Usual {
    fn decide(&mut self, request: &Request<'_>) -> bool {
        let (Target::Http { path, .. }, Some(subject)) = (request.target, request.subject) else { return false };
        let values = vec![role_set(subject.roles), path.to_owned(), request.action.to_owned()];
        self.0.enforce(values).unwrap_or(false)
    }
}

impl Engine for Native {
    fn decide(&mut self, request: &Request<'_>) -> bool {
        let (Target::Http { path, .. }, Some(subject)) = (request.target, request.subject) else { return false };
        let roles: Vec<&str> = subject.roles.iter().collect();
        let values = vec![roles.join("|"), path.to_owned(), request.action.to_owned()];
        self.0.enforce(values).unwrap_or(false)
    }
}

fn effect(rule: &Rule) -> &'static str {
    match rule.effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    }
}

fn enforcer(model: &str, lines: String) -> Result<Enforcer> {
    ready(async { Ok(Enforcer::new(DefaultModel::from_str(model).await?, StringAdapter::new(lines)).await?) })
}

/// The result of a future that waits for nothing, as everything here does that is in memory.
fn ready<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => bail!("casbin waits for something"),
    }
}

/// Whether the rule is for one of the roles, the method and the path; the cheapest and most selective first.
fn applies(
    roles: Dynamic,
    rule_roles: Dynamic,
    path: Dynamic,
    rule_path: Dynamic,
    method: Dynamic,
    rule_method: Dynamic,
) -> Dynamic {
    let [roles, rule_roles, path] = [&roles, &rule_roles, &path].map(dynamic_to_str);
    let [rule_path, method, rule_method] = [&rule_path, &method, &rule_method].map(dynamic_to_str);
    let has_role = || rule_roles.split('|').any(|needed| roles.split('|').any(|role| role == needed));
    ((rule_method == method || rule_method == "*") && has_path(&path, &rule_path) && has_role()).into()
}

fn has_path(path: &str, pattern: &str) -> bool {
    let Some((before, after)) = pattern.split_once(crate::workload::WILDCARD) else { return path == pattern };
    let middle = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    middle.is_some_and(|segment| !segment.is_empty() && !segment.contains('/'))
}
