//! Rules: effect, whom for, on what.

use portcullis_bundle::layout::{Class, PrincipalKind};
use portcullis_bundle::limits::RULES;

use super::{Ids, Parts, resources, targets};
use crate::conditions::Conditions;
use crate::diagnostic::Diagnostic;
use crate::model::{On, Rule, Who};
use crate::reader::{Fields, Keys, Reader};
use crate::roles::Roles;
use crate::tree::{Node, Position};

const RULE: Keys = Keys {
    of: "a rule",
    known: &["id", "effect", "who", "target", "resource", "when", "min_level", "topic"],
    later: &[],
};
const WHO: Keys = Keys {
    of: "`who`",
    known: &["roles", "permissions", "permission_groups", "subjects", "authenticated", "anyone"],
    later: &[],
};
const EFFECTS: [(&str, Class); 3] = [("allow", Class::Allow), ("deny", Class::Deny), ("audit", Class::Audit)];

pub(super) fn read<'n>(
    reader: &mut Reader<'_>,
    roles: &Roles,
    conditions: &mut Conditions,
    parts: &mut Parts<'n>,
    node: Option<Node<'n>>,
) -> Vec<Rule> {
    let items = reader.list(node, "rules");
    if items.len() > RULES {
        let at = node.map_or(Position::START, |node| node.at());
        reader.error(at, format!("{} rules, the limit is {RULES}", items.len()));
        return Vec::new();
    }
    let mut context = Context { roles, conditions, parts, ids: Ids::default() };
    let rules = items.enumerate().filter_map(|(index, node)| rule(reader, &mut context, index, node));
    rules.collect()
}

/// What the rules of a document share.
struct Context<'c, 'n> {
    roles: &'c Roles,
    conditions: &'c mut Conditions,
    parts: &'c mut Parts<'n>,
    ids: Ids,
}

fn rule<'n>(reader: &mut Reader<'_>, context: &mut Context<'_, 'n>, index: usize, node: Node<'n>) -> Option<Rule> {
    let fields = reader.fields(node, &RULE)?;
    let id = context.ids.next(reader, ("rules", index), fields.at, fields.get("id"));
    let class = match fields.get("effect") {
        Some(node) => reader.choice(node, "an effect", &EFFECTS, &[]),
        None => missing(reader, fields.at, "effect"),
    };
    let who = match fields.get("who") {
        Some(node) => context.parts.whos.read(reader, node, |reader, node| who(reader, context.roles, node)),
        None => missing(reader, fields.at, "who"),
    };
    let on = on(reader, context.parts, &fields);
    let condition = fields.get("when").and_then(|node| when(reader, context.conditions, node));
    let min_level = fields.get("min_level").and_then(|node| reader.number(node, "a level")).unwrap_or(0);
    let topic = fields.get("topic").and_then(|node| Some((node.at(), reader.text(node, "a topic")?.to_owned())));
    let class = class?;
    let topic = match (class, topic) {
        (Class::Audit, Some((_, topic))) => Some(topic),
        (Class::Audit, None) => Some(id.clone().unwrap_or_else(|| Ids::by_position(("rules", index)))),
        (_, None) => None,
        (_, Some((at, _))) => {
            reader.error(at, "only an audit rule has a `topic`");
            None
        }
    };
    let (id, topic) = (id.map(Into::into), topic.map(Into::into));
    Some(Rule { at: fields.at, id, class, who: who?, on: on?, min_level, condition, topic })
}

/// The number of the condition.
fn when(reader: &mut Reader<'_>, conditions: &mut Conditions, node: Node<'_>) -> Option<u32> {
    let text = reader.condition(node)?;
    match conditions.compile(text) {
        Ok(number) => Some(number),
        Err(error) => {
            let (at, place) = node.place(text, error.offset);
            reader.error(at, format!("{error}{place}"));
            None
        }
    }
}

/// The `target` or the `resource`. A key without a value is there: an HTTP target that asks nothing.
fn on<'n>(reader: &mut Reader<'_>, parts: &mut Parts<'n>, fields: &Fields<'n>) -> Option<On> {
    let mut given = fields.iter().filter(|(key, _)| matches!(key.text, "target" | "resource"));
    match (given.next(), given.next()) {
        (None, _) => {
            reader.error(fields.at, "rule has no `target` and no `resource`");
            None
        }
        (Some(_), Some((key, _))) => {
            reader.error(key.at, "a rule has either a `target` or a `resource`");
            None
        }
        (Some((key, node)), None) if key.text == "target" => targets::read(reader, parts, node).map(On::Http),
        (Some((_, node)), None) => resources::read(reader, node).map(|target| On::Resource(Box::new(target))),
    }
}

fn missing<T>(reader: &mut Reader<'_>, at: Position, key: &str) -> Option<T> {
    reader.error(at, format!("rule has no `{key}`"));
    None
}

fn who(reader: &mut Reader<'_>, roles: &Roles, node: Node<'_>) -> Option<Who> {
    let fields = reader.fields(node, &WHO)?;
    let mut who = Who::default();
    let mut selects = false;
    for (at, role) in reader.texts(fields.get("roles"), "role names") {
        selects = true;
        match roles.holders(role) {
            Some(holders) => who.principals.extend(holders),
            None => {
                undeclared(reader, roles, at, "role", role);
                who.principals.insert((PrincipalKind::Role, role.to_owned()));
            }
        }
    }
    for (at, permission) in reader.texts(fields.get("permissions"), "permission names") {
        selects = true;
        match roles.granted(permission) {
            Some(granted) => who.principals.extend(granted),
            None => undeclared(reader, roles, at, "permission", permission),
        }
    }
    for (at, group) in reader.texts(fields.get("permission_groups"), "permission group names") {
        selects = true;
        if !roles.has_group(group) {
            undeclared(reader, roles, at, "permission group", group);
        }
        who.principals.insert((PrincipalKind::PermissionGroup, group.to_owned()));
    }
    for (_, subject) in reader.texts(fields.get("subjects"), "subject ids") {
        selects = true;
        who.principals.insert((PrincipalKind::Subject, subject.to_owned()));
    }
    for (key, flag) in [("authenticated", &mut who.authenticated), ("anyone", &mut who.anyone)] {
        if let Some(node) = fields.get(key) {
            *flag = reader.flag(node)?;
            selects |= *flag;
            if !*flag {
                reader.error(node.at(), format!("`{key}` can only be true; leave it out otherwise"));
                return None;
            }
        }
    }
    if !selects {
        reader.error(node.at(), format!("`who` selects nobody; it is any of {}", WHO.known.join(", ")));
        return None;
    }
    Some(who)
}

pub(super) fn undeclared(reader: &mut Reader<'_>, roles: &Roles, at: Position, kind: &str, name: &str) {
    let (declared, lint) = match kind {
        "permission" => ("given by no role and no group", "ungranted-permission"),
        "role" => ("not declared", "undeclared-role"),
        _ => ("not declared", "undeclared-group"),
    };
    let warning = Diagnostic::warning(at, format!("{kind} `{name}` is {declared}"));
    reader.add(warning.with_help(roles.help(kind, name)).named(lint));
}
