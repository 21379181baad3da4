//! A request as people write it, in a document's `tests` or as JSON (design/decision.md section 2).
//!
//! In: a tree. Out: a request that owns its texts, for the core to decide on. What the core refuses as malformed is
//! not refused here: a test may expect it.

use core::net::IpAddr;

use portcullis_core as core_api;
use portcullis_core::Credential;

use crate::diagnostic::{Diagnostic, Severity};
use crate::json;
use crate::reader::{Fields, Keys, Reader};
use crate::tree::{self, Node, Value};

const REQUEST: Keys = Keys {
    of: "a request",
    known: &[
        "action",
        "host",
        "path",
        "resource",
        "source_ip",
        "country",
        "continent",
        "subject",
        "credential",
        "context",
        "now",
    ],
    later: &[],
};
const RESOURCE: Keys = Keys { of: "a resource", known: &["type", "id", "properties"], later: &[] };
const SUBJECT: Keys = Keys {
    of: "a subject",
    known: &["id", "type", "state", "roles", "permission_groups", "level", "otp", "issued_at", "properties"],
    later: &[],
};

/// See `portcullis_core::Request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    action: String,
    target: Target,
    source_ip: Option<IpAddr>,
    country: Option<String>,
    continent: Option<String>,
    subject: Option<Subject>,
    credential: Credential,
    context: Option<String>,
    now: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Http { host: Option<String>, path: String },
    Resource { kind: String, id: Option<String>, properties: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Subject {
    id: String,
    kind: Option<String>,
    state: String,
    roles: Vec<String>,
    permission_groups: Vec<String>,
    level: Option<u32>,
    otp: bool,
    issued_at: Option<u64>,
    properties: Option<String>,
}

impl Request {
    /// Reads one JSON object; YAML will do.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let tree = tree::parse(text).map_err(|error| vec![error])?;
        let mut diagnostics = Vec::new();
        let request = Self::read(&mut Reader::new(&mut diagnostics), tree.root());
        match request {
            Some(request) if diagnostics.iter().all(|one| one.severity == Severity::Warning) => Ok(request),
            _ => Err(diagnostics),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>, node: Node<'_>) -> Option<Self> {
        let fields = reader.fields(node, &REQUEST)?;
        let action = fields.get("action").or_else(|| {
            reader.error(fields.at, "request has no `action`");
            None
        });
        let action = action.and_then(|node| text(reader, node, "an action"));
        let target = Target::read(reader, &fields);
        let source_ip = fields.get("source_ip").and_then(|node| {
            let address = text(reader, node, "an IP address")?;
            reader.ok(node.at(), address.parse().map_err(|_| format!("`{address}` is not an IP address")))
        });
        let subject = fields.get("subject").map(|node| Subject::read(reader, node));
        let credential = match fields.get("credential") {
            Some(node) => reader
                .choice(node, "a credential", &Credential::ALL.map(|one| (one.name(), one)), &[])
                .unwrap_or_default(),
            None if subject.is_some() => Credential::Token,
            None => Credential::None,
        };
        Some(Self {
            country: letters(reader, &fields, "country"),
            continent: letters(reader, &fields, "continent"),
            context: object(reader, &fields, "context"),
            now: number(reader, &fields, "now"),
            action: action?,
            target: target?,
            source_ip,
            subject: match subject {
                Some(subject) => Some(subject?),
                None => None,
            },
            credential,
        })
    }

    pub fn as_core(&self) -> core_api::Request<'_> {
        let Self { action, target, source_ip, country, continent, subject, credential, context, now } = self;
        core_api::Request {
            action,
            target: match target {
                Target::Http { host, path } => core_api::Target::Http { host: host.as_deref(), path },
                Target::Resource { kind, id, properties } => {
                    core_api::Target::Resource { kind, id: id.as_deref(), properties: properties.as_deref() }
                }
            },
            source_ip: *source_ip,
            country: country.as_deref(),
            continent: continent.as_deref(),
            subject: subject.as_ref().map(|subject| core_api::Subject {
                id: &subject.id,
                kind: subject.kind.as_deref(),
                state: &subject.state,
                roles: subject.roles.as_slice().into(),
                permission_groups: subject.permission_groups.as_slice().into(),
                level: subject.level,
                otp: subject.otp,
                issued_at: subject.issued_at,
                properties: subject.properties.as_deref(),
            }),
            credential: *credential,
            context: context.as_deref(),
            now: *now,
        }
    }
}

impl Target {
    fn read(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Self> {
        match (fields.get("path"), fields.get("resource")) {
            (Some(path), None) => Some(Self::Http {
                host: fields.get("host").and_then(|host| text(reader, host, "a host")),
                path: text(reader, path, "a path")?,
            }),
            (None, Some(resource)) => {
                if let Some(host) = fields.get("host") {
                    reader.error(host.at(), "only a request with a `path` has a `host`");
                }
                let fields = reader.fields(resource, &RESOURCE)?;
                let kind = fields.get("type").or_else(|| {
                    reader.error(fields.at, "resource has no `type`");
                    None
                });
                Some(Self::Resource {
                    id: fields.get("id").and_then(|id| text(reader, id, "an id")),
                    properties: object(reader, &fields, "properties"),
                    kind: kind.and_then(|kind| text(reader, kind, "a type"))?,
                })
            }
            _ => {
                reader.error(fields.at, "request has one of `path` and `resource`");
                None
            }
        }
    }
}

impl Subject {
    fn read(reader: &mut Reader<'_>, node: Node<'_>) -> Option<Self> {
        let fields = reader.fields(node, &SUBJECT)?;
        let id = fields.get("id").or_else(|| {
            reader.error(fields.at, "subject has no `id`");
            None
        });
        let names = |reader: &mut Reader<'_>, key| -> Vec<String> {
            let names = reader.texts(fields.get(key), "names");
            names.into_iter().map(|(_, name)| name.to_owned()).collect()
        };
        let level = number(reader, &fields, "level").and_then(|level| {
            let at = fields.get("level").map_or(fields.at, |node| node.at());
            reader.ok(at, u32::try_from(level).map_err(|_| format!("{level} is not a level")))
        });
        Some(Self {
            kind: fields.get("type").and_then(|node| text(reader, node, "a type")),
            state: fields
                .get("state")
                .and_then(|node| text(reader, node, "a state"))
                .unwrap_or_else(|| core_api::Subject::DEFAULT_STATE.to_owned()),
            roles: names(reader, "roles"),
            permission_groups: names(reader, "permission_groups"),
            level,
            otp: fields.get("otp").and_then(|node| reader.flag(node)).unwrap_or(false),
            issued_at: number(reader, &fields, "issued_at"),
            properties: object(reader, &fields, "properties"),
            id: id.and_then(|id| text(reader, id, "an id"))?,
        })
    }
}

fn text(reader: &mut Reader<'_>, node: Node<'_>, what: &str) -> Option<String> {
    reader.text(node, what).map(str::to_owned)
}

/// A code of two letters.
fn letters(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
    let node = fields.get(key)?;
    let code = text(reader, node, "two letters")?;
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Some(code);
    }
    reader.error(node.at(), format!("`{key}` is two letters, not `{code}`"));
    None
}

fn number(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<u64> {
    let node = fields.get(key)?;
    if let Value::Scalar { text, plain: true } = node.value()
        && let Ok(number) = text.parse()
    {
        return Some(number);
    }
    reader.expected(node, format_args!("`{key}` as a whole number"));
    None
}

/// The text of a JSON object.
fn object(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
    let node = fields.get(key)?;
    match node.value() {
        Value::Map(_) => reader.ok(node.at(), json::write(node)),
        _ => {
            reader.expected(node, format_args!("`{key}` as a mapping"));
            None
        }
    }
}
