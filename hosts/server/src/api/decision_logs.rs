//! `/policy/decision-logs`: what edges decided, stored, looked up, exported; and what never came.

mod list;
mod record;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use portcullis_directory::{Gap, GapCursor, RecordFilter, WorkerName};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::decision_logs::list::Records;
use crate::api::decision_logs::record::BatchBody;
use crate::api::listing::{Asked, BAD_CURSOR, Format, respond};
use crate::api::{TenantParams, next_page, page_size, tenant};
use crate::app::App;
use crate::body::Params;
use crate::error::ApiError;
use crate::permit::{Permit, Sender};
use crate::valid::{ValidJson, ValidQuery};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryParams {
    tenant: Option<String>,
    /// Milliseconds since the epoch, itself included.
    from: Option<u64>,
    /// The same, not included.
    until: Option<u64>,
    subject: Option<String>,
    effect: Option<String>,
    rule: Option<String>,
    path_prefix: Option<String>,
    kind: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    limit: Option<u64>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapParams {
    tenant: Option<String>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Takes the records of one worker of an edge.
pub async fn store(
    State(app): State<Arc<App>>,
    permit: Permit<Sender>,
    ValidQuery(TenantParams { tenant: name }): ValidQuery<TenantParams>,
    ValidJson(batch): ValidJson<BatchBody>,
) -> Result<Response, ApiError> {
    let tenant = tenant(&app, name.as_deref())?;
    let stored = app.store.store_records(&permit, tenant.id(), batch.check()?).await?;
    app.metrics.records.inc_by(stored);
    Ok(Json(json!({"stored": stored})).into_response())
}

/// Records, newest first: a page, or all of them as a file.
pub async fn query(State(app): State<Arc<App>>, Params(params): Params<QueryParams>) -> Result<Response, ApiError> {
    let QueryParams { tenant: name, from, until, subject, effect, rule, path_prefix, kind, cursor, limit, format } =
        params;
    let tenant = tenant(&app, name.as_deref())?.id().clone();
    let (from_ms, until_ms) = (from, until);
    let filter = RecordFilter { from_ms, until_ms, subject, effect, rule, path_prefix, kind };
    respond(Records { store: app.store.clone(), tenant, filter }, Asked { format, cursor, limit }).await
}

/// Numbers that never came, by sender and worker.
pub async fn gaps(
    State(app): State<Arc<App>>,
    Params(GapParams { tenant: name, cursor, limit }): Params<GapParams>,
) -> Result<Response, ApiError> {
    let limit = page_size(limit)?;
    let after = cursor.as_deref().map(gap_cursor).transpose()?;
    let gaps = app.store.gaps(tenant(&app, name.as_deref())?.id(), after.as_ref(), limit).await?;
    let next = next_page(&gaps, limit, |gap| format!("{}-{}-{}", gap.first, gap.worker.as_str().len(), key(gap)));
    let gaps: Vec<GapJson> = gaps.into_iter().map(GapJson::from).collect();
    Ok(Json(json!({"gaps": gaps, "next": next})).into_response())
}

#[derive(Serialize)]
struct GapJson {
    sender: String,
    worker: String,
    first: u64,
    last: u64,
    missing: u64,
    /// Unix seconds.
    found_at: u64,
    /// How many the worker says it dropped itself, in all of its gaps.
    dropped: u64,
}

impl From<Gap> for GapJson {
    fn from(gap: Gap) -> Self {
        let Gap { sender, worker, first, last, found_at, dropped } = gap;
        let missing = last.saturating_sub(first).saturating_add(1);
        Self { sender, worker: worker.to_string(), first, last, missing, found_at: found_at.0, dropped }
    }
}

// === the cursor of gaps, a text that only this file reads ===

/// Worker and sender; the length of the worker is told apart.
fn key(gap: &Gap) -> String {
    format!("{}{}", gap.worker, gap.sender)
}

fn gap_cursor(text: &str) -> Result<GapCursor, ApiError> {
    let cursor = || {
        let (first, rest) = text.split_once('-')?;
        let (bytes, key) = rest.split_once('-')?;
        let (worker, sender) = key.split_at_checked(bytes.parse().ok()?)?;
        let worker = WorkerName::parse(worker).ok()?;
        Some(GapCursor { sender: sender.to_owned(), worker, first: first.parse().ok()? })
    };
    cursor().ok_or_else(|| ApiError::malformed(BAD_CURSOR))
}
