//! Rules: effect, whom for, on what.

use portcullis_bundle::layout::{Class, PrincipalKind};
use portcullis_bundle::limits::RULES;

use super::{Ids, targets};
use crate::model::{Rule, Who};
use crate::reader::{Keys, Reader};
use crate::roles::Roles;
use crate::tree::{Node, Position};

const RULE: Keys = Keys {
    of: "a rule",
    known: &["id", "effect", "who", "target", "topic"],
    later: &["resource", "when", "min_level"],
};
const WHO: Keys = Keys {
    of: "`who`",
    known: &["roles", "permissions", "permission_groups", "subjects", "authenticated", "anyone"],
    later: &[],
};
const EFFECTS: [(&str, Class); 3] = [("allow", Class::Allow), ("deny", Class::Deny), ("audit", Class::Audit)];

pub(super) fn read(reader: &mut Reader<'_>, roles: &Roles, node: Option<&Node<'_>>) -> Vec<Rule> {
    let items = reader.list(node, "rules");
    if items.len() > RULES {
        let at = node.map_or(Position::START, |node| node.at);
        reader.error(at, format!("{} rules, the limit is {RULES}", items.len()));
        return Vec::new();
    }
    let mut ids = Ids::default();
    let rules = items.iter().enumerate().filter_map(|(index, node)| rule(reader, roles, &mut ids, index, node));
    rules.collect()
}

fn rule(reader: &mut Reader<'_>, roles: &Roles, ids: &mut Ids, index: usize, node: &Node<'_>) -> Option<Rule> {
    let fields = reader.fields(node, &RULE)?;
    let id = ids.next(reader, "rules", index, fields.at, fields.get("id"));
    let class = match fields.get("effect") {
        Some(node) => reader.choice(node, "an effect", &EFFECTS, &[]),
        None => missing(reader, fields.at, "effect"),
    };
    let who = match fields.get("who") {
        Some(node) => who(reader, roles, node),
        None => missing(reader, fields.at, "who"),
    };
    let has_target = fields.iter().any(|(key, _)| matches!(&*key.text, "target" | "resource"));
    let target = match fields.iter().find(|(key, _)| key.text == "target") {
        Some((_, node)) => targets::read(reader, node),
        None if has_target => None,
        None => missing(reader, fields.at, "target"),
    };
    let topic = fields.get("topic").and_then(|node| Some((node.at, reader.text(node, "a topic")?)));
    let class = class?;
    let topic = match (class, topic) {
        (Class::Audit, topic) => topic.map_or(id.as_str(), |(_, topic)| topic).to_owned(),
        (_, None) => String::new(),
        (_, Some((at, _))) => {
            reader.error(at, "only an audit rule has a `topic`");
            String::new()
        }
    };
    Some(Rule { class, who: who?, target: target?, topic, id })
}

fn missing<T>(reader: &mut Reader<'_>, at: Position, key: &str) -> Option<T> {
    reader.error(at, format!("rule has no `{key}`"));
    None
}

fn who(reader: &mut Reader<'_>, roles: &Roles, node: &Node<'_>) -> Option<Who> {
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
                reader.error(node.at, format!("`{key}` can only be true; leave it out otherwise"));
                return None;
            }
        }
    }
    if !selects {
        reader.error(node.at, format!("`who` selects nobody; it is any of {}", WHO.known.join(", ")));
        return None;
    }
    Some(who)
}

fn undeclared(reader: &mut Reader<'_>, roles: &Roles, at: Position, kind: &str, name: &str) {
    let declared = if kind == "permission" { "given by no role and no group" } else { "not declared" };
    reader.warning(at, format!("{kind} `{name}` is {declared}{}", roles.hint(kind, name)));
}
