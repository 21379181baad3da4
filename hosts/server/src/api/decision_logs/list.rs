//! Decision records as a list: their columns, and how they are read.

use portcullis_directory::{RecordCursor, RecordFilter, StoreError, TenantId};

use super::record::RecordJson;
use crate::api::listing::{Cursor, Listing};
use crate::store::Store;

/// Records of a tenant that a query is about.
pub struct Records {
    pub store: Store,
    pub tenant: TenantId,
    pub filter: RecordFilter,
}

impl Listing for Records {
    type Row = RecordJson;

    const NAME: &'static str = "records";
    const FILE: &'static str = "decisions";
    const COLUMNS: &'static [&'static str] = &[
        "time",
        "kind",
        "effect",
        "status",
        "reason",
        "subject",
        "ip",
        "method",
        "host",
        "path",
        "rules",
        "restriction",
        "topic",
        "revision",
        "request_id",
        "shadow_effect",
        "shadow_reason",
        "sender",
        "worker",
        "number",
    ];

    async fn page(&self, cursor: Option<Cursor>, limit: u64) -> Result<Vec<(Cursor, RecordJson)>, StoreError> {
        let before = cursor.map(|Cursor { time, id }| RecordCursor { time_ms: time, id });
        let records = self.store.records(&self.tenant, &self.filter, before, limit).await?;
        let cursor = |RecordCursor { time_ms, id }| Cursor { time: time_ms, id };
        Ok(records.into_iter().map(|record| (cursor(record.cursor()), record.into())).collect())
    }

    fn cells(record: RecordJson) -> Vec<String> {
        let RecordJson {
            sender,
            worker,
            number,
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
        } = record;
        let (shadow_effect, shadow_reason) = shadow.map(|shadow| (shadow.effect, shadow.reason)).unzip();
        let optional = |text: Option<String>| text.unwrap_or_default();
        vec![
            time.to_string(),
            kind,
            effect,
            status.to_string(),
            reason,
            optional(subject),
            optional(ip),
            method,
            host,
            path,
            rules.join(" "),
            optional(restriction),
            optional(topic),
            revision.to_string(),
            request_id,
            optional(shadow_effect),
            optional(shadow_reason),
            sender,
            worker,
            number.to_string(),
        ]
    }
}
