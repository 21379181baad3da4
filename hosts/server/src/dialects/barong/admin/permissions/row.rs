//! A rule of the document and the row of a permission: one made of the other.

use portcullis_compiler::Entry;
use portcullis_compiler::import::BarongPath;
use portcullis_directory::PolicyEntryRow;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::views::time;

/// What the dialect says about a permission, and the effect of its rule.
pub const ACTIONS: [(&str, &str); 3] = [("ACCEPT", "allow"), ("DROP", "deny"), ("AUDIT", "audit")];

pub struct Row {
    pub role: String,
    pub verb: String,
    pub path: String,
    pub action: String,
    pub topic: Option<String>,
}

#[derive(Serialize)]
pub struct PermissionView {
    id: i64,
    action: String,
    role: String,
    verb: String,
    path: String,
    topic: Option<String>,
    created_at: String,
    updated_at: String,
}

// === impl PermissionView ===

impl PermissionView {
    /// A rule that is no plain row is shown as near as a row comes to it: roles and verbs in a list, `*` for anybody.
    pub fn of(row: &PolicyEntryRow) -> Result<Self, Refusal> {
        let body = object(&row.body)?;
        let joined = |value: Option<&Value>, none: &str| {
            let all: Vec<&str> =
                value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            if all.is_empty() { none.to_owned() } else { all.join(",") }
        };
        let (who, target) = (body.get("who"), body.get("target"));
        let verb = joined(target.and_then(|target| target.get("methods")), "ALL");
        Ok(Self {
            id: row.id,
            action: action(&row.class).to_owned(),
            role: joined(who.and_then(|who| who.get("roles")), "*"),
            verb: if verb == "*" { "ALL".to_owned() } else { verb },
            path: target.and_then(|target| target.get("path")).map(shown_path).unwrap_or_default(),
            topic: body.get("topic").and_then(Value::as_str).map(str::to_owned),
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        })
    }
}

// === impl Row ===

impl Row {
    /// `None` for a rule that says something else than a row can.
    pub fn read(entry: &Entry) -> Result<Option<Self>, Refusal> {
        let body = object(&entry.body)?;
        let only = |value: Option<&Value>| match value?.as_array()?.as_slice() {
            [only] => only.as_str().map(str::to_owned),
            _ => None,
        };
        let keys = |value: Option<&Value>, known: &[&str]| {
            let members = value.and_then(Value::as_object)?;
            members.keys().all(|key| known.contains(&key.as_str())).then_some(())
        };
        let row = || {
            let known = ["id", "effect", "who", "target", "topic"];
            body.keys().all(|key| known.contains(&key.as_str())).then_some(())?;
            let (who, target) = (body.get("who"), body.get("target"));
            keys(who, &["roles"])?;
            keys(target, &["methods", "path"])?;
            let methods = target?.get("methods");
            let verb = if methods.is_none() { "ALL".to_owned() } else { only(methods)? };
            let path = target?.get("path")?;
            is_row_path(path).then_some(())?;
            Some(Self {
                role: only(who?.get("roles"))?,
                verb: if verb == "*" { "ALL".to_owned() } else { verb.to_uppercase() },
                path: shown_path(path),
                action: action(&entry.class).to_owned(),
                topic: body.get("topic").and_then(Value::as_str).map(str::to_owned),
            })
        };
        Ok(row())
    }

    /// The rule; `before` is one whose path stays as it is.
    pub fn body(&self, name: &str, before: Option<&Entry>) -> Result<Value, Refusal> {
        let effect = ACTIONS.iter().find(|(action, _)| *action == self.action).map_or("", |(_, effect)| effect);
        let path = match before {
            Some(entry) => object(&entry.body)?.get("target").and_then(|target| target.get("path")).cloned(),
            None => Some(self.pattern(effect == "allow")?),
        };
        let mut target = Map::new();
        if self.verb != "ALL" {
            target.insert("methods".to_owned(), json!([self.verb]));
        }
        target.insert("path".to_owned(), path.unwrap_or_default());
        let mut body = json!({"id": name, "effect": effect, "who": {"roles": [self.role]}, "target": target});
        if let Some(topic) = self.topic.as_ref().filter(|_| effect == "audit") {
            body["topic"] = topic.as_str().into();
        }
        Ok(body)
    }

    fn pattern(&self, is_allow: bool) -> Result<Value, Refusal> {
        match BarongPath::parse(&self.path) {
            Ok(BarongPath::Below(path)) => Ok(json!({"template": format!("{path}/{{rest*}}")})),
            Ok(BarongPath::Prefix(path)) if is_allow => Ok(json!({"under": path})),
            Ok(BarongPath::Prefix(path)) => Ok(json!({"prefix": path})),
            Err(_) => Err(Refusal::invalid("admin.permission.invalid_path")),
        }
    }
}

fn action(effect: &str) -> &'static str {
    ACTIONS.iter().find(|(_, known)| *known == effect).map_or("", |(action, _)| action)
}

/// Whether the pattern is one that a row stands for.
fn is_row_path(path: &Value) -> bool {
    let Some(members) = path.as_object().filter(|members| members.len() == 1) else { return false };
    let text = |key: &str| members.get(key).and_then(Value::as_str);
    text("under").or(text("prefix")).is_some() || text("template").is_some_and(|text| below(text).is_some())
}

/// Without the leading slash, as the original stores it.
fn shown_path(path: &Value) -> String {
    let text = |key: &str| path.get(key).and_then(Value::as_str);
    let shown = text("template").map(|text| below(text).map_or(text.to_owned(), |above| format!("{above}/")));
    let others = ["under", "prefix", "exact", "regex"].into_iter().find_map(text);
    let shown = shown.or(others.map(str::to_owned)).unwrap_or_default();
    shown.strip_prefix('/').map_or(shown.clone(), str::to_owned)
}

fn below(template: &str) -> Option<&str> {
    template.strip_suffix("/{rest*}").filter(|above| !above.contains('{'))
}

fn object(body: &str) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_str(body).map_err(Refusal::internal)
}
