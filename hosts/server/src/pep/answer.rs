//! A verdict -> the answer that a proxy acts on. The headers and bodies are those of the filter
//! (`hosts/envoy/src/enforce.rs`).

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use portcullis_runtime::Subject;

use crate::pep::Verdict;

const SUBJECT: HeaderName = HeaderName::from_static("x-portcullis-subject");
/// Names of the roles in the order of the token, separated by commas.
const ROLES: HeaderName = HeaderName::from_static("x-portcullis-roles");
const REASON: HeaderName = HeaderName::from_static("x-portcullis-reason");
/// The status of the decision, for proxies that cannot pass on the one of the answer.
const STATUS: HeaderName = HeaderName::from_static("x-portcullis-status");
const REVISION: HeaderName = HeaderName::from_static("x-portcullis-revision");
/// The whole decision in JSON, for proxies that ask for it with `x-portcullis-show-decision`.
const DECISION: HeaderName = HeaderName::from_static("x-portcullis-decision");
const SHOW_DECISION: HeaderName = HeaderName::from_static("x-portcullis-show-decision");
/// Where Envoy is told which headers of the client the upstream must not see.
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// Every header whose name starts like this, with `_` read as `-`, is for the proxy alone to write.
const IDENTITY_PREFIX: &str = "x-portcullis-";

pub struct Answer<'a> {
    verdict: &'a Verdict,
    /// Of the question.
    asked: &'a HeaderMap,
}

/// Whether headers carry the identity unchanged; an anonymous one is no header.
pub fn is_sendable(subject: Option<&Subject>) -> bool {
    subject.is_none_or(|subject| {
        is_header_value(&subject.id) && subject.roles.iter().all(|role| is_header_value(role) && !role.contains(','))
    })
}

/// No control bytes, no space at either end, not empty (RFC 9110 section 5.5).
fn is_header_value(text: &str) -> bool {
    let has_control = text.bytes().any(|byte| byte.is_ascii_control());
    !text.is_empty() && !has_control && !text.starts_with(' ') && !text.ends_with(' ')
}

impl<'a> Answer<'a> {
    pub fn new(verdict: &'a Verdict, asked: &'a HeaderMap) -> Self {
        Self { verdict, asked }
    }

    pub fn for_envoy(&self) -> Response {
        let mut response = self.response(self.status());
        let forged = self.forged();
        if self.verdict.decision.is_allow() && !forged.is_empty() {
            set(response.headers_mut(), TO_REMOVE, &forged.join(","));
        }
        response
    }

    /// `deny_status` is that of every deny but 401.
    pub fn for_forward(&self, deny_status: Option<u16>) -> Response {
        let status = match (self.status(), deny_status) {
            (200 | 401, _) | (_, None) => self.status(),
            (_, Some(deny_status)) => deny_status,
        };
        self.response(status)
    }

    /// A deny whose status is no error would tell the client that it was let in: it becomes 503.
    fn status(&self) -> u16 {
        let decision = &self.verdict.decision;
        match decision.is_allow() {
            true => 200,
            false if matches!(decision.status, 400..=599) => decision.status,
            false => 503,
        }
    }

    fn response(&self, status: u16) -> Response {
        let Verdict { decision, subject } = self.verdict;
        let body = match decision.is_allow() {
            true => Body::empty(),
            false => Body::from(format!(r#"{{"reason":"{}"}}"#, decision.reason.name())),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        set(headers, REASON, decision.reason.name());
        set(headers, STATUS, &self.status().to_string());
        set(headers, REVISION, &decision.revision.to_string());
        if !decision.is_allow() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else if let Some(subject) = subject {
            set(headers, SUBJECT, &subject.id);
            set(headers, ROLES, &subject.roles.join(","));
        }
        match self.status() {
            401 => set(headers, WWW_AUTHENTICATE, "Bearer"),
            503 => set(headers, RETRY_AFTER, "1"),
            _ => {}
        }
        if self.asked.contains_key(SHOW_DECISION) {
            set(headers, DECISION, &serde_json::json!(decision).to_string());
        }
        response
    }

    /// Identity headers of the client, but for those that the answer replaces.
    fn forged(&self) -> Vec<&str> {
        let spelled = |name: &str| name.bytes().map(|byte| if byte == b'_' { b'-' } else { byte }).collect::<Vec<_>>();
        let is_ours = |name: &str| self.verdict.subject.is_some() && (name == SUBJECT || name == ROLES);
        let names = self.asked.keys().map(HeaderName::as_str);
        names.filter(|name| spelled(name).starts_with(IDENTITY_PREFIX.as_bytes()) && !is_ours(name)).collect()
    }
}

/// A value that no header can hold is left out; `is_sendable` keeps identities of that kind away.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}
