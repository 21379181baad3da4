//! A decision -> what becomes of the request. Pure.
//!
//! In: the decision and the claims it was made with. Out: headers for the upstream, or the reply, and the JSON for
//! access logs. An allow whose identity does not fit into headers is not enforceable, and so a refusal.

use portcullis_core::{Decision, Obligation, Policy, Reason};
use serde::Serialize;

use crate::claims::Claims;

pub const SUBJECT_HEADER: &str = "x-portcullis-subject";
/// Names of the roles in the order of the token, separated by commas.
pub const ROLES_HEADER: &str = "x-portcullis-roles";

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
pub fn identity(claims: Option<&Claims<'_>>) -> Result<Vec<(&'static str, String)>, Reason> {
    let Some(claims) = claims else {
        return Ok(Vec::new());
    };
    let is_sendable =
        is_header_value(claims.id) && claims.roles.iter().all(|role| is_header_value(role) && !role.contains(','));
    if !is_sendable {
        return Err(Reason::Unauthenticated);
    }
    Ok(vec![(SUBJECT_HEADER, claims.id.to_owned()), (ROLES_HEADER, claims.roles.join(","))])
}

/// Whether a header carries `text` unchanged: no control bytes, no space at either end, not empty (RFC 9110
/// section 5.5).
fn is_header_value(text: &str) -> bool {
    let has_control = text.bytes().any(|byte| byte.is_ascii_control());
    !text.is_empty() && !has_control && !text.starts_with(' ') && !text.ends_with(' ')
}

/// The decision in the JSON of access logs.
pub fn to_json(decision: &Decision<'_>) -> Vec<u8> {
    let json = DecisionJson {
        decision: decision.effect.name(),
        status: decision.status,
        reason: decision.reason.name(),
        rules: decision.rules.ids().map(|id| id.to_string()).collect(),
        restriction: decision.restriction,
        obligations: decision.obligations.iter().map(ObligationJson::from).collect(),
        errors: decision.errors.ids().map(|id| id.to_string()).collect(),
        revision: decision.revision,
    };
    serde_json::to_vec(&json).unwrap_or_default()
}

#[derive(Serialize)]
struct DecisionJson<'a> {
    decision: &'a str,
    status: u16,
    reason: &'a str,
    rules: Vec<String>,
    restriction: Option<&'a str>,
    obligations: Vec<ObligationJson<'a>>,
    errors: Vec<String>,
    revision: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ObligationJson<'a> {
    Audit(&'a str),
    Denied,
}

impl<'a> From<Obligation<'a>> for ObligationJson<'a> {
    fn from(obligation: Obligation<'a>) -> Self {
        match obligation {
            Obligation::Audit(topic) => Self::Audit(topic),
            Obligation::Denied => Self::Denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{Credential, Decision, Reason};

    use super::{ROLES_HEADER, Reply, SUBJECT_HEADER, identity, to_json};
    use crate::claims::Claims;

    fn claims<'a>(id: &'a str, roles: &[&'a str]) -> Claims<'a> {
        Claims {
            id,
            kind: None,
            state: "active",
            roles: roles.to_vec(),
            permission_groups: Vec::new(),
            level: None,
            otp: false,
            issued_at: None,
            credential: Credential::Token,
        }
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
        let expected = vec![(SUBJECT_HEADER, "u1".to_owned()), (ROLES_HEADER, "a b,\u{e9}".to_owned())];
        assert_eq!(identity(Some(&claims("u1", &["a b", "\u{e9}"]))), Ok(expected));
        let nobody = vec![(SUBJECT_HEADER, "u1".to_owned()), (ROLES_HEADER, String::new())];
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
    fn the_json_has_every_key() {
        let json = String::from_utf8(to_json(&Decision::UNAVAILABLE)).unwrap();
        assert_eq!(
            json,
            r#"{"decision":"deny","status":503,"reason":"policy_unavailable","rules":[],"restriction":null,"obligations":[],"errors":[],"revision":0}"#
        );
    }
}
