//! Regorus, compiled for its virtual machine, in three forms: all rules in turn, an index by role and method, and a
//! tree of path segments in the data.
//!
//! Rules are data. The input is built for each request: method, roles, the path as text and as segments.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use portcullis_core::{Request, Target};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;
use regorus::{Rc, Value};

use super::Engine;
use crate::workload::{Effect, METHODS, Rule, WILDCARD};

const LINEAR: &str = r#"
package w
import rego.v1
default allow := false
allow if { applies("allow"); not applies("deny") }
applies(effect) if {
    some rule in data[effect].exact
    rule.path == input.path
    is_for_them(rule)
}
applies(effect) if {
    some rule in data[effect].template
    rule.segments == input.count
    startswith(input.path, rule.before)
    endswith(input.path, rule.after)
    is_for_them(rule)
}
is_for_them(rule) if {
    rule.methods[input.method]
    some role in input.roles
    rule.roles[role]
}
"#;

const INDEX: &str = r#"
package w
import rego.v1
default allow := false
allow if { applies("allow"); not applies("deny") }
applies(effect) if {
    some role in input.roles
    data[effect][role][input.method].exact[input.path]
}
applies(effect) if {
    some role in input.roles
    some rule in data[effect][role][input.method].template
    rule.segments == input.count
    startswith(input.path, rule.before)
    endswith(input.path, rule.after)
}
"#;

const TREE: &str = r#"
package w
import rego.v1
default allow := false
allow if { "allow" in effects; not "deny" in effects }
effects contains effect if {
    some node in ends
    some role in input.roles
    effect := node[""][input.method][role]
}
ends := two if input.count == 2
ends := three if input.count == 3
ends := four if input.count == 4
ends := five if input.count == 5
ends := six if input.count == 6
one := [node | some key in [input.segments[0], "*"]; node := data.tree[key]]
two := [node | some before in one; some key in [input.segments[1], "*"]; node := before[key]]
three := [node | some before in two; some key in [input.segments[2], "*"]; node := before[key]]
four := [node | some before in three; some key in [input.segments[3], "*"]; node := before[key]]
five := [node | some before in four; some key in [input.segments[4], "*"]; node := before[key]]
six := [node | some before in five; some key in [input.segments[5], "*"]; node := before[key]]
"#;

pub struct Rego {
    machine: RegoVM,
    keys: Keys,
}

/// The keys of the input, made once.
struct Keys {
    method: Value,
    roles: Value,
    path: Value,
    segments: Value,
    count: Value,
}

impl Rego {
    pub fn linear(rules: &[Rule]) -> Result<Self> {
        let mut data = BTreeMap::new();
        for (effect, name) in EFFECTS {
            let (mut exact, mut template) = (Vec::new(), Vec::new());
            for rule in rules.iter().filter(|rule| rule.effect == effect) {
                let who = [("methods", all_true(methods(rule))), ("roles", all_true(rule.role_names()))];
                match parts(rule) {
                    Some(parts) => template.push(object(who.into_iter().chain(parts))),
                    None => exact.push(object(who.into_iter().chain([("path", Value::from(rule.path.as_str()))]))),
                }
            }
            data.insert(name, object([("exact", exact.into()), ("template", template.into())]));
        }
        Self::new(LINEAR, object(data))
    }

    pub fn index(rules: &[Rule]) -> Result<Self> {
        type Slice<'r> = (BTreeMap<&'r str, Value>, Vec<Value>);
        let data = EFFECTS.map(|(effect, name)| {
            let mut by_role: BTreeMap<&str, BTreeMap<&str, Slice<'_>>> = BTreeMap::new();
            for rule in rules.iter().filter(|rule| rule.effect == effect) {
                for role in rule.role_names() {
                    for method in methods(rule) {
                        let (exact, template) = by_role.entry(role).or_default().entry(method).or_default();
                        match parts(rule) {
                            Some(parts) => template.push(object(parts)),
                            None => drop(exact.insert(&rule.path, true.into())),
                        }
                    }
                }
            }
            let slice =
                |(exact, template): Slice<'_>| object([("exact", object(exact)), ("template", template.into())]);
            let by_method = |slices: BTreeMap<_, _>| object(slices.into_iter().map(|(key, it)| (key, slice(it))));
            (name, object(by_role.into_iter().map(|(role, slices)| (role, by_method(slices)))))
        });
        Self::new(INDEX, object(data))
    }

    pub fn tree(rules: &[Rule]) -> Result<Self> {
        let mut root = Node::default();
        for rule in rules {
            let segments = rule.path.split('/').skip(1);
            let node = segments.fold(&mut root, |node, segment| {
                node.children.entry(if segment == WILDCARD { "*" } else { segment }).or_default()
            });
            for method in methods(rule) {
                for role in rule.role_names() {
                    let effect = node.effects.entry(method).or_default().entry(role).or_insert(rule.effect);
                    if rule.effect == Effect::Deny {
                        *effect = Effect::Deny;
                    }
                }
            }
        }
        Self::new(TREE, object([("tree", root.into_value())]))
    }

    fn new(policy: &str, data: Value) -> Result<Self> {
        let mut engine = regorus::Engine::new();
        engine.add_policy("w.rego".to_owned(), policy.to_owned())?;
        let entry = "data.w.allow";
        let compiled = engine.compile_with_entrypoint(&Rc::from(entry))?;
        let program = Compiler::compile_from_policy(&compiled, &[entry])?;
        let mut machine = RegoVM::new_with_policy(compiled);
        machine.load_program(program);
        // Its own limit ends a scan of some thousand rules.
        machine.set_max_instructions(usize::MAX);
        machine.set_data(data).context("data of the policy")?;
        let [method, roles, path, segments, count] = ["method", "roles", "path", "segments", "count"].map(Value::from);
        Ok(Self { machine, keys: Keys { method, roles, path, segments, count } })
    }
}

impl Engine for Rego {
    fn decide(&mut self, request: &Request<'_>) -> bool {
        let (Target::Http { path, .. }, Some(subject)) = (request.target, request.subject) else { return false };
        let Keys { method, roles, path: path_key, segments: segments_key, count } = &self.keys;
        let segments: Vec<Value> = path.split('/').skip(1).map(Value::from).collect();
        let input = BTreeMap::from([
            (count.clone(), segments.len().into()),
            (method.clone(), request.action.into()),
            (path_key.clone(), path.into()),
            (roles.clone(), subject.roles.iter().map(Value::from).collect::<Vec<_>>().into()),
            (segments_key.clone(), segments.into()),
        ]);
        self.machine.set_input(input.into());
        self.machine.execute_entry_point_by_index(0).is_ok_and(|answer| answer == Value::Bool(true))
    }
}

const EFFECTS: [(Effect, &str); 2] = [(Effect::Allow, "allow"), (Effect::Deny, "deny")];

#[derive(Default)]
struct Node<'r> {
    children: BTreeMap<&'r str, Self>,
    /// By method and role.
    effects: BTreeMap<&'static str, BTreeMap<&'static str, Effect>>,
}

impl Node<'_> {
    /// Children by segment, and effects under the key that no segment is.
    fn into_value(self) -> Value {
        let name = |effect| if effect == Effect::Deny { "deny" } else { "allow" };
        let by_role = |by_role: BTreeMap<_, _>| object(by_role.into_iter().map(|(role, it)| (role, name(it).into())));
        let effects = object(self.effects.into_iter().map(|(method, roles)| (method, by_role(roles))));
        let children = self.children.into_iter().map(|(segment, node)| (segment, node.into_value()));
        object(children.chain([("", effects)]))
    }
}

/// How many segments a path with a wildcard has, and its text before and after; `None` without a wildcard.
fn parts(rule: &Rule) -> Option<[(&'static str, Value); 3]> {
    let (before, after) = rule.path.split_once(WILDCARD)?;
    let segments = rule.path.matches('/').count();
    Some([("segments", segments.into()), ("before", before.into()), ("after", after.into())])
}

fn methods(rule: &Rule) -> impl Iterator<Item = &'static str> {
    let only = rule.method;
    METHODS.into_iter().filter(move |method| only.is_none_or(|only| only == *method))
}

fn all_true(names: impl Iterator<Item = &'static str>) -> Value {
    object(names.map(|name| (name, true.into())))
}

fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    fields.into_iter().map(|(key, value)| (Value::from(key), value)).collect::<BTreeMap<_, _>>().into()
}
