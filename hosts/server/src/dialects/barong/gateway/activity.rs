//! What the gateway writes down: requests that a rule audits, and those that a known subject was refused.

use portcullis_directory::{NewActivity, UserId};
use portcullis_runtime::{Decision, Obligation};
use serde_json::{Map, Value};

use super::proof::Who;
use crate::app::App;
use crate::dialects::barong::visitor::Visitor;
use crate::error::ApiError;
use crate::permit::{Asker, Permit};

/// Of the parameters of a request; longer ones are left out.
const DATA_BYTES: usize = 8 << 10;

/// The topic of a rule that names none.
const GENERAL: &str = "general";

/// Words in the names of parameters whose values nobody shall read.
const SECRETS: [&str; 5] = ["password", "secret", "token", "otp", "code"];

/// Before the request is answered: one that cannot be written down is not allowed.
pub async fn write(
    app: &App,
    asker: &Permit<Asker>,
    (who, visitor): (&Who, &Visitor),
    (method, target): (&str, &str),
    decision: &Decision,
) -> Result<(), ApiError> {
    if decision.obligations.is_empty() {
        return Ok(());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let params: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let (target_uid, data) = (target_of(app, &params).await?, data(path, &params));
    let new = |topic: &str, result: &str| NewActivity {
        user_id: who.id().to_owned(),
        category: "admin".to_owned(),
        target_uid: target_uid.clone(),
        user_ip: visitor.address.to_string(),
        user_ip_country: visitor.country.clone(),
        user_agent: visitor.user_agent.clone().unwrap_or_default(),
        topic: topic.to_owned(),
        action: action(method).to_owned(),
        result: result.to_owned(),
        data: Some(data.clone()),
        at: app.store.now(),
    };
    let of_path = admin_segment(path).unwrap_or(GENERAL);
    let new = decision.obligations.iter().map(|obligation| match obligation {
        Obligation::Audit(topic) if topic == GENERAL => new(of_path, "succeed"),
        Obligation::Audit(topic) => new(topic, "succeed"),
        Obligation::Denied => new(of_path, "denied"),
    });
    Ok(app.store.add_activities(asker, new.collect()).await?)
}

/// The segment after the first `admin/`.
fn admin_segment(path: &str) -> Option<&str> {
    let (_, after) = path.split_once("admin/")?;
    after.split('/').next().filter(|segment| !segment.is_empty())
}

fn action(method: &str) -> &'static str {
    match method {
        "POST" => "create",
        "PUT" | "PATCH" => "update",
        "GET" => "read",
        "DELETE" => "delete",
        _ => "system",
    }
}

/// Whom the request says that it is about, if there is somebody.
async fn target_of(app: &App, params: &[(String, String)]) -> Result<Option<String>, ApiError> {
    let named = |wanted: &str| params.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let Some(id) = named("uid").or(named("user_uid")).and_then(|id| UserId::parse(id).ok()) else { return Ok(None) };
    Ok(app.store.user(&id).await?.map(|user| user.id.to_string()))
}

/// The parameters as JSON, secrets and what is too long left out.
fn data(path: &str, params: &[(String, String)]) -> String {
    let mut data = Map::new();
    let mut left = DATA_BYTES;
    for (name, value) in [("path".to_owned(), path.to_owned())].iter().chain(params) {
        let is_secret = SECRETS.iter().any(|word| name.to_ascii_lowercase().contains(word));
        let value = if is_secret { "[left out]" } else { value };
        let Some(rest) = left.checked_sub(name.len() + value.len()) else { continue };
        left = rest;
        data.insert(name.clone(), value.into());
    }
    Value::Object(data).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_what_is_administered() {
        for (path, expected) in [
            ("/api/v2/barong/admin/users", Some("users")),
            ("/api/v2/barong/admin/users/role", Some("users")),
            ("/api/v2/barong/admin/", None),
            ("/api/v2/barong/admin", None),
            ("/api/v2/shop", None),
        ] {
            assert_eq!(admin_segment(path), expected, "{path}");
        }
    }

    #[test]
    fn secrets_and_what_is_long_are_left_out() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let long = "x".repeat(DATA_BYTES);
        let params = [pair("uid", "ID1"), pair("New_Password", "hunter2"), pair("note", &long), pair("last", "1")];
        let expected = r#"{"New_Password":"[left out]","last":"1","path":"/a","uid":"ID1"}"#;
        assert_eq!(data("/a", &params), expected);
    }
}
