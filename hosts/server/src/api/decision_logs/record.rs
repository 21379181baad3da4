//! A record on the wire: strict when it comes in, complete when it goes out.

use std::net::IpAddr;

use portcullis_directory::{DecisionRecord, Shadow, StoredRecord, WorkerName};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::store::Sent;
use crate::valid::Described;

/// What a worker sends: records whose numbers follow each other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    worker: String,
    first: u64,
    dropped: u64,
    records: Vec<RecordBody>,
}

impl Described for BatchBody {
    const SCHEMA: &'static str = "decision-batch";
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordBody {
    time: u64,
    kind: Kind,
    request_id: String,
    method: String,
    host: String,
    path: String,
    subject: Option<String>,
    ip: Option<IpAddr>,
    effect: Effect,
    status: u16,
    reason: String,
    rules: Vec<String>,
    restriction: Option<String>,
    topic: Option<String>,
    revision: u64,
    shadow: Option<ShadowBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShadowBody {
    effect: Effect,
    reason: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Decision,
    Audit,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Effect {
    Allow,
    Deny,
}

impl BatchBody {
    pub fn check(self) -> Result<Sent, ApiError> {
        let Self { worker, first, dropped, records } = self;
        let records = records.into_iter().map(DecisionRecord::from).collect();
        Ok(Sent { worker: WorkerName::parse(&worker)?, first, dropped, records })
    }
}

impl From<RecordBody> for DecisionRecord {
    fn from(body: RecordBody) -> Self {
        let RecordBody {
            time,
            kind,
            request_id,
            method,
            host,
            path,
            subject,
            ip,
            effect,
            status,
            reason,
            rules,
            restriction,
            topic,
            revision,
            shadow,
        } = body;
        let shadow = shadow.map(|ShadowBody { effect, reason }| Shadow { effect: effect.name().to_owned(), reason });
        Self {
            time_ms: time,
            kind: kind.name().to_owned(),
            request_id,
            method,
            host,
            path,
            subject,
            ip: ip.map(|ip| ip.to_canonical().to_string()),
            effect: effect.name().to_owned(),
            status,
            reason,
            rules,
            restriction,
            topic,
            revision,
            shadow,
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Audit => "audit",
        }
    }
}

impl Effect {
    fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// A record in an answer, with who sent it.
#[derive(Serialize)]
pub struct RecordJson {
    pub sender: String,
    pub worker: String,
    pub number: u64,
    /// Milliseconds since the epoch.
    pub time: u64,
    pub kind: String,
    pub request_id: String,
    pub method: String,
    pub host: String,
    pub path: String,
    pub subject: Option<String>,
    pub ip: Option<String>,
    pub effect: String,
    pub status: u16,
    pub reason: String,
    pub rules: Vec<String>,
    pub restriction: Option<String>,
    pub topic: Option<String>,
    pub revision: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowJson>,
}

#[derive(Serialize)]
pub struct ShadowJson {
    pub effect: String,
    pub reason: String,
}

impl From<StoredRecord> for RecordJson {
    fn from(stored: StoredRecord) -> Self {
        let StoredRecord { id: _, sender, worker, number, record } = stored;
        let DecisionRecord {
            time_ms,
            kind,
            request_id,
            method,
            host,
            path,
            subject,
            ip,
            effect,
            status,
            reason,
            rules,
            restriction,
            topic,
            revision,
            shadow,
        } = record;
        Self {
            sender,
            worker,
            number,
            time: time_ms,
            kind,
            request_id,
            method,
            host,
            path,
            subject,
            ip,
            effect,
            status,
            reason,
            rules,
            restriction,
            topic,
            revision,
            shadow: shadow.map(|Shadow { effect, reason }| ShadowJson { effect, reason }),
        }
    }
}
