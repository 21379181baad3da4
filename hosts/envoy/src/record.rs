//! A final decision -> the records that the server keeps of it.
//!
//! One record of the decision, and one for each audit obligation. Paths carry no query, and nothing of a token or a body.

use std::net::IpAddr;
use std::time::Duration;

use portcullis_core::{Decision, Obligation};

use crate::extract::Received;
use crate::identity::Identity;
use crate::json::Writer;

/// Of a text that a client chose; the rest is cut off.
const TEXT_BYTES: usize = 8 << 10;

/// What a record says beside the decision.
#[derive(Default)]
pub struct Occasion<'a> {
    pub received: Option<&'a Received>,
    pub ip: Option<IpAddr>,
    pub identity: Option<&'a Identity>,
    /// What the candidate policy says, where it would answer otherwise.
    pub shadow: Option<Difference>,
}

/// Names of effect and reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    pub effect: &'static str,
    pub reason: &'static str,
}

/// `now` is the time since the epoch.
pub fn records(decision: &Decision<'_>, occasion: &Occasion<'_>, now: Duration) -> Vec<String> {
    let topics = decision.obligations.iter().filter_map(|obligation| match obligation {
        Obligation::Audit(topic) => Some(topic),
        Obligation::Denied => None,
    });
    std::iter::once(None).chain(topics.map(Some)).map(|topic| record(decision, occasion, topic, now)).collect()
}

fn record(decision: &Decision<'_>, occasion: &Occasion<'_>, topic: Option<&str>, now: Duration) -> String {
    let Occasion { received, ip, identity, shadow } = occasion;
    let header = |name| received.and_then(|received| received.header(name)).unwrap_or_default();
    let host = match header(":authority") {
        authority if authority.is_empty() => header("host"),
        authority => authority,
    };
    let path = header(":path");
    let mut json = Writer::object();
    json.number("time", u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    json.text("kind", if topic.is_some() { "audit" } else { "decision" });
    json.text("request_id", cut(&header("x-request-id")));
    json.text("method", cut(&header(":method")));
    json.text("host", cut(&host));
    json.text("path", cut(path.split('?').next().unwrap_or_default()));
    json.text_or_null("subject", identity.map(|identity| cut(&identity.id)));
    json.text_or_null("ip", ip.map(|ip| ip.to_string()).as_deref());
    json.text("effect", decision.effect.name());
    json.number("status", u64::from(decision.status));
    json.text("reason", decision.reason.name());
    json.texts("rules", decision.rules.ids().map(|id| id.text()));
    json.text_or_null("restriction", decision.restriction);
    json.text_or_null("topic", topic);
    json.number("revision", decision.revision);
    if let Some(Difference { effect, reason }) = shadow {
        let mut shadow = Writer::object();
        shadow.text("effect", effect);
        shadow.text("reason", reason);
        json.raw("shadow", &shadow.finish());
    }
    json.finish()
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_BYTES)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_core::Decision;
    use serde_json::{Value, json};

    use super::{Difference, Occasion, records};
    use crate::extract::Received;
    use crate::fake::{headers, packed};

    fn record(pairs: &[(&str, &str)], shadow: Option<Difference>) -> Value {
        let received = Received { headers: packed(&headers(pairs)), ..Received::default() };
        let ip = Some([203, 0, 113, 9].into());
        let occasion = Occasion { received: Some(&received), ip, identity: None, shadow };
        let records = records(&Decision::UNAVAILABLE, &occasion, Duration::from_millis(1_700_000_000_123));
        assert_eq!(records.len(), 1);
        serde_json::from_str(&records[0]).unwrap()
    }

    #[test]
    fn a_record_has_every_key_and_no_query() {
        let request =
            [(":method", "GET"), (":authority", "a.example"), (":path", "/x?token=1"), ("x-request-id", "r1")];
        let shadow = Some(Difference { effect: "allow", reason: "rule" });
        assert_eq!(
            record(&request, shadow),
            json!({"time": 1_700_000_000_123_u64, "kind": "decision", "request_id": "r1", "method": "GET",
                "host": "a.example", "path": "/x", "subject": null, "ip": "203.0.113.9", "effect": "deny", "status": 503,
                "reason": "policy_unavailable", "rules": [], "restriction": null, "topic": null, "revision": 0,
                "shadow": {"effect": "allow", "reason": "rule"}})
        );
        assert_eq!(record(&request, None).get("shadow"), None);
    }

    #[test]
    fn whatever_a_client_sends_becomes_a_record() {
        let long = ["/", &"\u{e9}".repeat(10_000)].concat();
        let written = record(&[(":path", &long), ("host", "h\u{1}\"")], None);
        assert_eq!((written["host"].as_str(), written["method"].as_str()), (Some("h\u{1}\""), Some("")));
        assert!(written["path"].as_str().unwrap().len() <= 8192);
    }
}
