//! `when` (section 5), by the interpreter of the `cel` crate.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use cel::extractors::This;
use cel::objects::Key;
use cel::{Context, Env, ExecutionError, Value};
use chrono::DateTime;
use portcullis_runtime::{Request, Subject, Target};
use serde_json::Value as Json;

use super::cache::program;
use super::facts::Facts;
use super::properties;
use super::restrictions::{contains, unmapped};

/// It cannot be evaluated, or is no bool.
pub struct Failed;

pub fn evaluate(when: &str, request: &Request, facts: &Facts) -> Result<bool, Failed> {
    match program(when).execute(&environment(request, facts)) {
        Ok(Value::Bool(holds)) => Ok(holds),
        Ok(_) | Err(_) => Err(Failed),
    }
}

thread_local! {
    static LIBRARY: Arc<Env> = Arc::new(Env::stdlib());
}

/// The facts by their names; one that is absent is not there.
fn environment<'v>(request: &Request, facts: &Facts) -> Context<'v, 'v> {
    let mut context = Context::with_env(LIBRARY.with(Arc::clone));
    let properties_of = |text: &Option<String>| text.as_ref().and_then(|text| properties::read(text)).map(from_json);
    let subject = request.subject.as_ref().map_or_else(Vec::new, |one| subject(one, properties_of(&one.properties)));
    let resource = match &request.target {
        Target::Http { .. } => Vec::new(),
        Target::Resource { kind, id, properties } => {
            vec![("type", text(Some(kind))), ("id", text(id.as_ref())), ("properties", properties_of(properties))]
        }
    };
    let variables = [
        ("subject", Some(map(subject))),
        ("action", text(Some(&request.action))),
        ("resource", Some(map(resource))),
        ("request", Some(map(of_request(request, facts)))),
        ("context", properties_of(&request.context)),
        ("now", request.now.and_then(timestamp)),
    ];
    for (name, value) in variables {
        if let Some(value) = value {
            context.add_variable_from_value(name, value);
        }
    }
    let added = [
        context.add_function("ip", |text: Arc<String>| address(&text).map(|ip| Value::from(ip.to_string()))),
        context.add_function("cidr", |text: Arc<String>| text),
        context.add_function("containsIP", |This(network): This<Arc<String>>, text: Arc<String>| {
            address(&text).map(|ip| Value::Bool(contains(&network, ip)))
        }),
    ];
    assert!(added.iter().all(Result::is_ok), "{added:?}");
    context
}

fn subject(subject: &Subject, properties: Option<Value>) -> Vec<(&'static str, Option<Value>)> {
    let Subject { id, kind, state, roles, permission_groups, level, otp, issued_at, properties: _ } = subject;
    vec![
        ("id", text(Some(id))),
        ("type", text(kind.as_ref())),
        ("state", text(Some(state))),
        ("roles", Some(texts(roles))),
        ("permission_groups", Some(texts(permission_groups))),
        ("level", level.map(|level| Value::Int(level.into()))),
        ("otp", Some(Value::Bool(*otp))),
        ("issued_at", issued_at.and_then(timestamp)),
        ("properties", properties),
    ]
}

fn of_request(request: &Request, facts: &Facts) -> Vec<(&'static str, Option<Value>)> {
    let http = facts.http();
    let upper = |code: &Option<String>| code.as_ref().map(|code| Value::from(code.to_uppercase()));
    vec![
        ("method", text(http.map(|http| &http.method))),
        ("host", text(http.and_then(|http| http.host.as_ref()))),
        ("path", text(http.map(|http| &http.path))),
        ("source_ip", request.source_ip.map(|ip| Value::from(unmapped(ip).to_string()))),
        ("country", upper(&request.country)),
        ("continent", upper(&request.continent)),
        ("credential", Some(Value::from(request.credential.name()))),
    ]
}

// === values ===

fn text(text: Option<&String>) -> Option<Value> {
    text.map(|text| Value::from(text.as_str()))
}

fn texts(texts: &[String]) -> Value {
    Value::List(Arc::new(texts.iter().map(|text| Value::from(text.as_str())).collect()))
}

/// `None` where a timestamp of CEL ends: after the year 9999.
fn timestamp(seconds: u64) -> Option<Value> {
    let time = DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?;
    Some(Value::Timestamp(time.fixed_offset()))
}

fn map(members: Vec<(&str, Option<Value>)>) -> Value {
    let members = members.into_iter().filter_map(|(key, value)| Some((Key::from(key.to_owned()), value?)));
    Value::from(members.collect::<HashMap<Key, Value>>())
}

/// An integer is an int, or a uint where it fits no int; any other number is a double.
fn from_json(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Value::Int(int),
            (None, Some(uint)) => Value::UInt(uint),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::List(Arc::new(items.into_iter().map(from_json).collect())),
        Json::Object(members) => {
            let members = members.into_iter().map(|(key, value)| (Key::from(key), from_json(value)));
            Value::from(members.collect::<HashMap<Key, Value>>())
        }
    }
}

fn address(text: &str) -> Result<IpAddr, ExecutionError> {
    text.parse().map(unmapped).map_err(|_| ExecutionError::function_error("ip", text))
}
