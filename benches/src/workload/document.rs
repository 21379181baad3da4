//! Rules -> the policy document, in the shortest JSON that says it, one rule a line.

use super::{Effect, ROLES, Rule};

const BYTES_PER_RULE: usize = 140;

pub fn write(rules: &[Rule]) -> String {
    let mut text = String::with_capacity(1024 + rules.len() * BYTES_PER_RULE);
    text.push_str("{\"version\":1,\"roles\":{");
    list(&mut text, ROLES.iter().copied(), "\":{}");
    text.push_str("},\"rules\":[\n");
    for (index, rule) in rules.iter().enumerate() {
        if index > 0 {
            text.push_str(",\n");
        }
        write_rule(&mut text, rule);
    }
    text.push_str("\n]}\n");
    text
}

fn write_rule(text: &mut String, rule: &Rule) {
    text.push_str(match rule.effect {
        Effect::Allow => "{\"effect\":\"allow\",\"who\":{\"roles\":[",
        Effect::Deny => "{\"effect\":\"deny\",\"who\":{\"roles\":[",
    });
    list(text, rule.role_names(), "\"");
    text.push_str("]},\"target\":{");
    if let Some(method) = rule.method {
        text.push_str("\"methods\":[");
        list(text, [method], "\"");
        text.push_str("],");
    }
    let kind = if rule.has_wildcard() { "template" } else { "exact" };
    for part in ["\"path\":{\"", kind, "\":\"", &rule.path, "\"}}}"] {
        text.push_str(part);
    }
}

/// Names in quotes with commas between them; `end` closes each.
fn list<'a>(text: &mut String, names: impl IntoIterator<Item = &'a str>, end: &str) {
    for (index, name) in names.into_iter().enumerate() {
        text.push_str(if index > 0 { ",\"" } else { "\"" });
        text.push_str(name);
        text.push_str(end);
    }
}
