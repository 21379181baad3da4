//! The JSON contract from the outside: what a script that calls us would write and read.

use std::str::FromStr;

use anyhow::{Context, Result, bail};
use portcullis_runtime::{Decision, Effect, Obligation, Reason, Request, Subject, Target};
use serde::Serialize;
use serde_json::{Value, json};

/// The text of a request; `properties` and `context` are in it as they stand.
pub fn request(request: &Request) -> String {
    let Request { action, target, source_ip, country, continent, subject, credential, context, now } = request;
    let mut members = vec![
        ("action", value(action)),
        ("source_ip", value(source_ip)),
        ("country", value(country)),
        ("continent", value(continent)),
        ("subject", subject.as_ref().map_or(NULL.to_owned(), subject_text)),
        ("credential", value(credential.name())),
        ("context", context.clone().unwrap_or(NULL.to_owned())),
        ("now", value(now)),
    ];
    match target {
        Target::Http { host, path } => members.extend([("path", value(path)), ("host", value(host))]),
        Target::Resource { kind, id, properties } => {
            let properties = properties.clone().unwrap_or(NULL.to_owned());
            let resource = object(&[("type", value(kind)), ("id", value(id)), ("properties", properties)]);
            members.push(("resource", resource));
        }
    }
    object(&members)
}

fn subject_text(subject: &Subject) -> String {
    let Subject { id, kind, state, roles, permission_groups, level, otp, issued_at, properties } = subject;
    object(&[
        ("id", value(id)),
        ("type", value(kind)),
        ("state", value(state)),
        ("roles", value(roles)),
        ("permission_groups", value(permission_groups)),
        ("level", value(level)),
        ("otp", value(otp)),
        ("issued_at", value(issued_at)),
        ("properties", properties.clone().unwrap_or(NULL.to_owned())),
    ])
}

const NULL: &str = "null";

fn value(value: impl Serialize) -> String {
    json!(value).to_string()
}

/// Members without a value are left out.
fn object(members: &[(&str, String)]) -> String {
    let members = members.iter().filter(|(_, text)| text != NULL).map(|(key, text)| format!("\"{key}\": {text}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

pub fn decision(value: &Value) -> Result<Decision> {
    let text = |key: &str| value[key].as_str().with_context(|| format!("no text `{key}` in {value}"));
    let texts = |key: &str| -> Result<Vec<String>> {
        let list = value[key].as_array().with_context(|| format!("no list `{key}` in {value}"))?;
        list.iter().map(|item| Ok(item.as_str().context("not a text")?.to_owned())).collect()
    };
    let obligations = value["obligations"].as_array().context("no obligations")?;
    let obligation = |value: &Value| match (value.as_str(), value["audit"].as_str()) {
        (Some("denied"), None) => Ok(Obligation::Denied),
        (None, Some(topic)) => Ok(Obligation::Audit(topic.to_owned())),
        _ => bail!("obligation {value}"),
    };
    Ok(Decision {
        effect: match text("decision")? {
            "allow" => Effect::Allow,
            "deny" => Effect::Deny,
            other => bail!("decision `{other}`"),
        },
        status: u16::try_from(value["status"].as_u64().context("no status")?)?,
        reason: Reason::from_str(text("reason")?)?,
        rules: texts("rules")?,
        restriction: value["restriction"].as_str().map(str::to_owned),
        obligations: obligations.iter().map(obligation).collect::<Result<_>>()?,
        errors: texts("errors")?,
        revision: value["revision"].as_u64().context("no revision")?,
    })
}
