//! `GET /audit`: who changed what, looked up and exported.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use portcullis_directory::{AuditCursor, AuditEntry, AuditFilter, StoreError, TenantId, UnixSeconds};
use serde::{Deserialize, Serialize};

use crate::api::listing::{Asked, Cursor, Format, Listing, respond};
use crate::api::tenant;
use crate::app::App;
use crate::body::Params;
use crate::error::ApiError;
use crate::store::Store;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditParams {
    /// What is about the policy and the edges of this tenant; without it everything.
    tenant: Option<String>,
    /// Milliseconds since the epoch, itself included; the trail has whole seconds.
    from: Option<u64>,
    /// The same, not included.
    until: Option<u64>,
    actor: Option<String>,
    action: Option<String>,
    /// Like `user/u7`, with what is below it.
    target: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    limit: Option<u64>,
    #[serde(default)]
    format: Format,
}

/// Entries, newest first: a page, or all of them as a file.
pub async fn query(State(app): State<Arc<App>>, Params(params): Params<AuditParams>) -> Result<Response, ApiError> {
    let AuditParams { tenant, from, until, actor, action, target, cursor, limit, format } = params;
    let filter = AuditFilter {
        from: from.map(seconds),
        until: until.map(seconds),
        who: actor,
        action,
        object: target,
        tenant: tenant.as_deref().map(|name| known(&app, name)).transpose()?,
    };
    respond(Trail { store: app.store.clone(), filter }, Asked { format, cursor, limit }).await
}

fn known(app: &App, name: &str) -> Result<TenantId, ApiError> {
    Ok(tenant(app, Some(name))?.id().clone())
}

/// The first whole second that is not before.
fn seconds(ms: u64) -> UnixSeconds {
    UnixSeconds(ms.div_ceil(1_000))
}

struct Trail {
    store: Store,
    filter: AuditFilter,
}

#[derive(Serialize)]
pub struct EntryJson {
    id: i64,
    /// Milliseconds since the epoch.
    time: u64,
    actor: String,
    action: String,
    target: String,
    revision: u64,
}

impl Listing for Trail {
    type Row = EntryJson;

    const NAME: &'static str = "entries";
    const FILE: &'static str = "audit";
    const COLUMNS: &'static [&'static str] = &["time", "actor", "action", "target", "revision", "id"];

    async fn page(&self, cursor: Option<Cursor>, limit: u64) -> Result<Vec<(Cursor, EntryJson)>, StoreError> {
        let before = cursor.map(|Cursor { time, id }| AuditCursor { at: UnixSeconds(time), id });
        let entries = self.store.audit(&self.filter, before, limit).await?;
        let cursor = |AuditCursor { at, id }| Cursor { time: at.0, id };
        Ok(entries.into_iter().map(|entry| (cursor(entry.cursor()), entry.into())).collect())
    }

    fn cells(EntryJson { id, time, actor, action, target, revision }: EntryJson) -> Vec<String> {
        vec![time.to_string(), actor, action, target, revision.to_string(), id.to_string()]
    }
}

impl From<AuditEntry> for EntryJson {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { id, at, who: actor, action, object: target, revision } = entry;
        Self { id, time: at.0.saturating_mul(1_000), actor, action, target, revision }
    }
}
