//! A decision -> what becomes of the request. Pure.
//!
//! In: the decision and the identity it was made with. Out: headers for the upstream, or the reply, and the JSON for
//! access logs. An allow whose identity does not fit into headers is not enforceable, and so a refusal.

use portcullis_core::{Decision, Obligation, Policy, Reason};

use crate::config::UpstreamHeaders;
use crate::identity::Identity;
use crate::json::{Writer, push_text};

/// The answer to a refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: String,
}

impl Reply {
    /// A deny whose status is no error would tell the client that it was let in: it becomes 503.
    pub fn to(decision: &Decision<'_>) -> Self {
        let status = if matches!(decision.status, 400..=599) { decision.status } else { 503 };
        let mut headers = vec![("content-type", "application/json")];
        match status {
            401 => headers.push(("www-authenticate", "Bearer")),
            503 => headers.push(("retry-after", "1")),
            _ => {}
        }
        Self { status, headers, body: format!(r#"{{"reason":"{}"}}"#, decision.reason.name()) }
    }
}

/// The deny that this filter makes by itself, for one of the reasons that the core knows.
pub fn refusal(policy: &Policy, reason: Reason) -> Decision<'static> {
    Decision { status: policy.status(reason), reason, revision: policy.revision(), ..Decision::UNAVAILABLE }
}

/// Headers that tell the upstream who the subject is; none for an anonymous request.
pub fn identity_headers<'a>(
    names: &'a UpstreamHeaders,
    tenant: &str,
    identity: Option<&Identity>,
) -> Result<Vec<(&'a str, String)>, Reason> {
    let Some(identity) = identity else {
        return Ok(Vec::new());
    };
    let UpstreamHeaders { subject, roles, kind, permission_groups, level, credential, tenant: of_tenant } = names;
    let mut headers = vec![(subject.as_str(), value(&identity.id)?), (roles.as_str(), names_of(&identity.roles)?)];
    if let (Some(header), Some(kind)) = (kind, &identity.kind) {
        headers.push((header, value(kind)?));
    }
    if let Some(header) = permission_groups {
        headers.push((header, names_of(&identity.permission_groups)?));
    }
    if let (Some(header), Some(level)) = (level, identity.level) {
        headers.push((header, itoa::Buffer::new().format(level).to_owned()));
    }
    if let Some(header) = credential {
        headers.push((header, identity.credential.name().to_owned()));
    }
    if let Some(header) = of_tenant {
        headers.push((header, tenant.to_owned()));
    }
    Ok(headers)
}

fn value(text: &str) -> Result<String, Reason> {
    if is_header_value(text) { Ok(text.to_owned()) } else { Err(Reason::Unauthenticated) }
}

/// In the order of the identity, separated by commas.
fn names_of(names: &[String]) -> Result<String, Reason> {
    let is_sendable = names.iter().all(|name| is_header_value(name) && !name.contains(','));
    if is_sendable { Ok(names.join(",")) } else { Err(Reason::Unauthenticated) }
}

/// Whether a header carries `text` unchanged: no control bytes, no space at either end, not empty (RFC 9110
/// section 5.5).
fn is_header_value(text: &str) -> bool {
    let has_control = text.bytes().any(|byte| byte.is_ascii_control());
    !text.is_empty() && !has_control && !text.starts_with(' ') && !text.ends_with(' ')
}

/// The decision in the JSON of access logs.
pub fn to_json(decision: &Decision<'_>) -> String {
    let Decision { effect, status, reason, rules, restriction, obligations, errors, revision } = decision;
    let mut json = Writer::object();
    json.text("decision", effect.name());
    json.number("status", u64::from(*status));
    json.text("reason", reason.name());
    json.texts("rules", rules.ids().map(|id| id.text()));
    json.text_or_null("restriction", *restriction);
    json.items("obligations", obligations.iter(), |out, obligation| match obligation {
        Obligation::Audit(topic) => {
            out.push_str("{\"audit\":");
            push_text(out, topic);
            out.push('}');
        }
        Obligation::Denied => push_text(out, "denied"),
    });
    json.texts("errors", errors.ids().map(|id| id.text()));
    json.number("revision", *revision);
    json.finish()
}

#[cfg(test)]
mod tests {
    use portcullis_core::{Credential, Decision, Reason};

    use serde_json::json;

    use super::{Reply, identity_headers, to_json};
    use crate::fake::config;
    use crate::identity::Identity;

    const SUBJECT_HEADER: &str = "x-portcullis-subject";
    const ROLES_HEADER: &str = "x-portcullis-roles";

    fn claims(id: &str, roles: &[&str]) -> Identity {
        Identity {
            id: id.to_owned(),
            kind: None,
            state: "active".to_owned(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            permission_groups: Vec::new(),
            level: None,
            otp: false,
            issued_at: None,
            credential: Credential::Token,
            properties: None,
            expires: None,
        }
    }

    /// The headers with these names of them.
    fn headers_with(names: serde_json::Value, identity: Option<&Identity>) -> Result<Vec<(String, String)>, Reason> {
        let config = config(json!({"upstream_headers": names}));
        let headers = identity_headers(&config.upstream_headers, "acme", identity)?;
        Ok(headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn identity(identity: Option<&Identity>) -> Result<Vec<(String, String)>, Reason> {
        headers_with(json!({}), identity)
    }

    #[test]
    fn a_reply_never_looks_like_success() {
        for (status, sent) in [(200, 503), (399, 503), (400, 400), (471, 471), (599, 599), (600, 503), (0, 503)] {
            let decision = Decision { status, reason: Reason::Blocked, ..Decision::UNAVAILABLE };
            let reply = Reply::to(&decision);
            assert_eq!((reply.status, reply.body.as_str()), (sent, r#"{"reason":"blocked"}"#), "{status}");
        }
    }

    #[test]
    fn a_reply_says_how_to_go_on() {
        let headers = |status| Reply::to(&Decision { status, ..Decision::UNAVAILABLE }).headers;
        assert_eq!(headers(403), [("content-type", "application/json")]);
        assert_eq!(headers(401)[1], ("www-authenticate", "Bearer"));
        assert_eq!(headers(503)[1], ("retry-after", "1"));
    }

    #[test]
    fn identity_becomes_two_headers() {
        let expected =
            vec![(SUBJECT_HEADER.to_owned(), "u1".to_owned()), (ROLES_HEADER.to_owned(), "a b,\u{e9}".to_owned())];
        assert_eq!(identity(Some(&claims("u1", &["a b", "\u{e9}"]))), Ok(expected));
        let nobody = vec![(SUBJECT_HEADER.to_owned(), "u1".to_owned()), (ROLES_HEADER.to_owned(), String::new())];
        assert_eq!(identity(Some(&claims("u1", &[]))), Ok(nobody));
        assert_eq!(identity(None), Ok(Vec::new()));
    }

    #[test]
    fn an_identity_that_a_header_would_change_is_refused() {
        for id in ["a\r\nb", "a\0", "\u{7f}", " u1", "u1 ", "\t"] {
            assert_eq!(identity(Some(&claims(id, &[]))), Err(Reason::Unauthenticated), "{id:?}");
        }
        for role in ["a,b", "", "a\n", " a"] {
            assert_eq!(identity(Some(&claims("u1", &["ok", role]))), Err(Reason::Unauthenticated), "{role:?}");
        }
    }

    #[test]
    fn the_operator_names_the_headers() {
        let names = json!({"subject": "X-User", "roles": "x-roles", "type": "x-type", "permission_groups": "x-groups",
            "level": "x-level", "credential": "x-credential", "tenant": "x-tenant"});
        let full = Identity {
            kind: Some("service".to_owned()),
            permission_groups: vec!["g".to_owned(), "h".to_owned()],
            level: Some(3),
            ..claims("u1", &["a"])
        };
        let sent = |identity| {
            let headers = headers_with(names.clone(), Some(&identity)).unwrap();
            headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
        };
        assert_eq!(
            sent(full),
            [
                "x-user: u1",
                "x-roles: a",
                "x-type: service",
                "x-groups: g,h",
                "x-level: 3",
                "x-credential: token",
                "x-tenant: acme"
            ]
        );
        assert_eq!(
            sent(claims("u1", &[])),
            ["x-user: u1", "x-roles: ", "x-groups: ", "x-credential: token", "x-tenant: acme"]
        );
    }

    #[test]
    fn the_json_has_every_key() {
        let json = to_json(&Decision::UNAVAILABLE);
        assert_eq!(
            json,
            r#"{"decision":"deny","status":503,"reason":"policy_unavailable","rules":[],"restriction":null,"obligations":[],"errors":[],"revision":0}"#
        );
    }
}
