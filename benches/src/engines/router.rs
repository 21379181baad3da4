//! A matchit router for each role and method, one for what is allowed and one for what is denied.
//!
//! A router answers with one match only, and that is enough: everything in it is for the same role, method and effect.

use std::collections::HashMap;

use anyhow::Result;
use portcullis_core::{Request, Target};

use super::Engine;
use crate::workload::{Effect, METHODS, Rule};

pub struct Routers {
    allow: ByRole,
    deny: ByRole,
}

type ByRole = HashMap<(&'static str, &'static str), matchit::Router<()>>;

impl Routers {
    pub fn new(rules: &[Rule]) -> Result<Self> {
        let mut routers = Self { allow: HashMap::new(), deny: HashMap::new() };
        for rule in rules {
            let by_role = match rule.effect {
                Effect::Allow => &mut routers.allow,
                Effect::Deny => &mut routers.deny,
            };
            for role in rule.role_names() {
                for method in METHODS.into_iter().filter(|method| rule.method.is_none_or(|only| only == *method)) {
                    match by_role.entry((role, method)).or_default().insert(rule.path.as_str(), ()) {
                        // Two rules, one for any method and one for this one.
                        Ok(()) | Err(matchit::InsertError::Conflict { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(routers)
    }
}

impl Engine for Routers {
    fn decide(&mut self, request: &Request<'_>) -> bool {
        let (Target::Http { path, .. }, Some(subject)) = (request.target, request.subject) else { return false };
        let has = |by_role: &ByRole| {
            let mut routers = subject.roles.iter().filter_map(|role| by_role.get(&(role, request.action)));
            routers.any(|router| router.at(path).is_ok())
        };
        !has(&self.deny) && has(&self.allow)
    }
}
