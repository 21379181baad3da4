//! The JSON contract from the outside: what a script that calls us would write and read.

use std::str::FromStr;

use anyhow::{Context, Result, bail};
use portcullis_runtime::{Decision, Effect, Obligation, Reason, Request, Target};
use serde_json::{Value, json};

pub fn request(request: &Request) -> Value {
    let mut object = json!({ "action": request.action, "credential": request.credential.name() });
    match &request.target {
        Target::Http { host, path } => {
            object["path"] = json!(path);
            object["host"] = json!(host);
        }
        Target::Resource { kind, id } => object["resource"] = json!({ "type": kind, "id": id }),
    }
    object["source_ip"] = json!(request.source_ip);
    object["subject"] = json!(request.subject.as_ref().map(|subject| json!({
        "id": subject.id,
        "state": subject.state,
        "roles": subject.roles,
        "permission_groups": subject.permission_groups,
        "otp": subject.otp,
    })));
    object
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
