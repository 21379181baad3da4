//! JSON -> request (design/decision.md section 2): the shape on the wire, strict.
//!
//! Unknown and duplicate keys are errors. `properties` and `context` keep the text of their object as it stands; the
//! core reads it.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

use portcullis_core::limits::PROPERTIES_BYTES;
use portcullis_core::{Credential, Subject as CoreSubject};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::request::{Request, Subject, Target};

/// Why a text is not a request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("one of `path` and `resource` must be there, not both")]
    Target,
    #[error("`host` is only for a request with a `path`")]
    Host,
    #[error("`{key}` is empty")]
    Empty { key: &'static str },
    #[error("`{key}` must be two letters")]
    Letters { key: &'static str },
    #[error("`{key}` must be an object")]
    NotAnObject { key: &'static str },
    #[error("`{key}` is {bytes} bytes, the limit is {PROPERTIES_BYTES}")]
    TooLarge { key: &'static str, bytes: usize },
    #[error("`{key}` has {found} names, the limit is {limit}", limit = CoreSubject::MAX_ROLES)]
    TooManyNames { key: &'static str, found: usize },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRequest<'t> {
    action: String,
    host: Option<String>,
    path: Option<String>,
    #[serde(borrow)]
    resource: Option<Object<WireResource<'t>>>,
    source_ip: Option<IpAddr>,
    country: Option<String>,
    continent: Option<String>,
    #[serde(borrow)]
    subject: Option<Object<WireSubject<'t>>>,
    credential: Option<WireCredential>,
    #[serde(borrow)]
    context: Option<&'t RawValue>,
    now: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireResource<'t> {
    r#type: String,
    id: Option<String>,
    #[serde(borrow)]
    properties: Option<&'t RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSubject<'t> {
    id: String,
    r#type: Option<String>,
    state: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    permission_groups: Vec<String>,
    level: Option<u32>,
    otp: Option<bool>,
    issued_at: Option<u64>,
    #[serde(borrow)]
    properties: Option<&'t RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireCredential {
    None,
    Token,
    Session,
    ApiKey,
}

/// A JSON object as `T`. Without this serde would read an array of the values too, in the order of the fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OnlyMap<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        from.deserialize_map(OnlyMap(PhantomData)).map(Self)
    }
}

impl Request {
    /// The request in one JSON object.
    pub fn from_json(text: &str) -> Result<Self, RequestError> {
        let Object(wire) = serde_json::from_str::<Object<WireRequest<'_>>>(text)?;
        wire.try_into()
    }
}

impl TryFrom<WireRequest<'_>> for Request {
    type Error = RequestError;

    fn try_from(wire: WireRequest<'_>) -> Result<Self, RequestError> {
        let WireRequest {
            action,
            host,
            path,
            resource,
            source_ip,
            country,
            continent,
            subject,
            credential,
            context,
            now,
        } = wire;
        let target = match (path, resource) {
            (Some(path), None) => Target::Http { host, path },
            (None, Some(_)) if host.is_some() => return Err(RequestError::Host),
            (None, Some(Object(WireResource { r#type, id, properties }))) => {
                let properties = object("resource.properties", properties)?;
                Target::Resource { kind: filled("resource.type", r#type)?, id, properties }
            }
            (None, None) | (Some(_), Some(_)) => return Err(RequestError::Target),
        };
        let subject = subject.map(|Object(subject)| subject.try_into()).transpose()?;
        let credential = match (credential, &subject) {
            (Some(credential), _) => credential.into(),
            (None, Some(_)) => Credential::Token,
            (None, None) => Credential::None,
        };
        Ok(Self {
            action,
            target,
            source_ip,
            country: letters("country", country)?,
            continent: letters("continent", continent)?,
            subject,
            credential,
            context: object("context", context)?,
            now,
        })
    }
}

impl TryFrom<WireSubject<'_>> for Subject {
    type Error = RequestError;

    fn try_from(wire: WireSubject<'_>) -> Result<Self, RequestError> {
        let WireSubject { id, r#type, state, roles, permission_groups, level, otp, issued_at, properties } = wire;
        for (key, names) in [("subject.roles", &roles), ("subject.permission_groups", &permission_groups)] {
            if names.len() > CoreSubject::MAX_ROLES {
                return Err(RequestError::TooManyNames { key, found: names.len() });
            }
        }
        Ok(Self {
            id: filled("subject.id", id)?,
            kind: r#type,
            state: state.unwrap_or_else(|| CoreSubject::DEFAULT_STATE.to_owned()),
            roles,
            permission_groups,
            level,
            otp: otp.unwrap_or(false),
            issued_at,
            properties: object("subject.properties", properties)?,
        })
    }
}

impl From<WireCredential> for Credential {
    fn from(credential: WireCredential) -> Self {
        match credential {
            WireCredential::None => Self::None,
            WireCredential::Token => Self::Token,
            WireCredential::Session => Self::Session,
            WireCredential::ApiKey => Self::ApiKey,
        }
    }
}

fn filled(key: &'static str, text: String) -> Result<String, RequestError> {
    if text.is_empty() { Err(RequestError::Empty { key }) } else { Ok(text) }
}

fn letters(key: &'static str, code: Option<String>) -> Result<Option<String>, RequestError> {
    let are_two_letters = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    match code {
        Some(code) if !are_two_letters(&code) => Err(RequestError::Letters { key }),
        code => Ok(code),
    }
}

/// The text of an object, as it stands.
fn object(key: &'static str, value: Option<&RawValue>) -> Result<Option<String>, RequestError> {
    match value.map(RawValue::get) {
        Some(text) if !text.starts_with('{') => Err(RequestError::NotAnObject { key }),
        Some(text) if text.len() > PROPERTIES_BYTES => Err(RequestError::TooLarge { key, bytes: text.len() }),
        text => Ok(text.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Credential, PROPERTIES_BYTES, Request, Subject, Target};

    #[test]
    fn reads_every_key_of_the_contract() {
        let text = r#"{"action": "GET", "host": "api.example.com", "path": "/a?q=1", "source_ip": "203.0.113.9",
            "country": "UA", "continent": "EU", "credential": "api_key", "context": {"a": 1}, "now": 1700000000,
            "subject": {"id": "u1", "type": "user", "state": "pending", "roles": ["admin"], "permission_groups": ["g"],
                        "level": 3, "otp": true, "issued_at": 1700000000, "properties": { "b": 1.0 }}}"#;
        let subject = Subject {
            id: "u1".into(),
            kind: Some("user".into()),
            state: "pending".into(),
            roles: vec!["admin".into()],
            permission_groups: vec!["g".into()],
            level: Some(3),
            otp: true,
            issued_at: Some(1_700_000_000),
            properties: Some(r#"{ "b": 1.0 }"#.into()),
        };
        let expected = Request {
            action: "GET".into(),
            target: Target::Http { host: Some("api.example.com".into()), path: "/a?q=1".into() },
            source_ip: Some([203, 0, 113, 9].into()),
            country: Some("UA".into()),
            continent: Some("EU".into()),
            subject: Some(subject),
            credential: Credential::ApiKey,
            context: Some(r#"{"a": 1}"#.into()),
            now: Some(1_700_000_000),
        };
        assert_eq!(Request::from_json(text).unwrap(), expected);
    }

    #[test]
    fn reads_every_key_of_a_resource() {
        let text = r#"{"action": "read", "resource": {"type": "record", "id": "r1", "properties": {"a":[]}}}"#;
        let (kind, id, properties) = ("record".into(), Some("r1".into()), Some(r#"{"a":[]}"#.into()));
        assert_eq!(Request::from_json(text).unwrap().target, Target::Resource { kind, id, properties });
    }

    #[test]
    fn fills_in_what_a_plain_identity_provider_means() {
        let request = Request::from_json(r#"{"action": "GET", "path": "/", "subject": {"id": "u1"}}"#).unwrap();
        let subject = request.subject.unwrap();
        assert_eq!((request.credential, &*subject.state, subject.otp), (Credential::Token, "active", false));
        let anonymous = Request::from_json(r#"{"action": "GET", "path": "/"}"#).unwrap();
        assert_eq!((anonymous.credential, anonymous.subject), (Credential::None, None));
    }

    #[test]
    fn says_what_is_wrong() {
        let context =
            |bytes: usize| format!(r#"{{"action":"GET","path":"/","context":{{"a":"{}"}}}}"#, "x".repeat(bytes - 8));
        assert!(Request::from_json(&context(PROPERTIES_BYTES)).is_ok());
        let long = context(PROPERTIES_BYTES + 1);
        let roles = serde_json::to_string(&vec!["r"; 257]).unwrap();
        let many = format!(r#"{{"action":"GET","path":"/","subject":{{"id":"u","roles":{roles}}}}}"#);
        for (text, message) in [
            ("", "EOF while parsing"),
            (r#"["GET", null, "/"]"#, "invalid type: sequence, expected an object"),
            (r#"{"action": "GET", "path": "/", "subject": ["u1"]}"#, "invalid type: sequence, expected an object"),
            (r#"{"path": "/"}"#, "missing field `action`"),
            (r#"{"action": "GET", "resource": {"type": ""}}"#, "`resource.type` is empty"),
            (r#"{"action": "GET"}"#, "one of `path` and `resource`"),
            (r#"{"action": "GET", "path": "/", "resource": {"type": "t"}}"#, "one of `path` and `resource`"),
            (r#"{"action": "GET", "host": "h", "resource": {"type": "t"}}"#, "`host` is only"),
            (r#"{"action": "GET", "path": "/", "rolle": 1}"#, "unknown field `rolle`"),
            (r#"{"action": "GET", "path": "/", "path": "/a"}"#, "duplicate field `path`"),
            (r#"{"action": "GET", "path": "/", "subject": {"id": ""}}"#, "`subject.id` is empty"),
            (r#"{"action": "GET", "path": "/", "subject": {"id": "u", "x": 1}}"#, "unknown field `x`"),
            (r#"{"action": "GET", "path": "/", "source_ip": "10.0.0.010"}"#, "invalid IP address"),
            (r#"{"action": "GET", "path": "/", "source_ip": "fe80::1%eth0"}"#, "invalid IP address"),
            (r#"{"action": "GET", "path": "/", "credential": "magic"}"#, "unknown variant `magic`"),
            (r#"{"action": "GET", "path": "/", "country": "UKR"}"#, "`country` must be two letters"),
            (r#"{"action": "GET", "path": "/", "continent": "E1"}"#, "`continent` must be two letters"),
            (r#"{"action": "GET", "path": "/", "now": -1}"#, "invalid value: integer `-1`, expected u64"),
            (r#"{"action": "GET", "path": "/", "subject": {"id": "u", "level": 1.5}}"#, "invalid type: floating point"),
            (r#"{"action": "GET", "path": "/", "subject": {"id": "u", "properties": 1}}"#, "`subject.properties` must"),
            (r#"{"action": "GET", "path": "/", "context": []}"#, "`context` must be an object"),
            (r#"{"action": "GET", "path": "/"} x"#, "trailing characters"),
            (&long, "the limit is 16384"),
            (&many, "257 names, the limit is 256"),
        ] {
            let error = Request::from_json(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text:.80}: {error}");
        }
    }
}
