//! Records as a file: page after page from the database to the client, so that no export is held in memory.
//!
//! A failure in the middle breaks the answer off, so that nobody takes a part for the whole.

use std::collections::VecDeque;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use portcullis_directory::{RecordCursor, RecordFilter, StoreError, StoredRecord, TenantId};

use super::record::RecordJson;
use crate::error::chain;
use crate::store::Store;

const PAGE: u64 = 500;

const COLUMNS: [&str; 20] = [
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

pub fn json_lines(store: Store, tenant: TenantId, filter: RecordFilter, before: Option<RecordCursor>) -> Response {
    let line = |record: RecordJson| serde_json::to_string(&record).map(|line| line + "\n");
    let pages = pages(store, tenant, filter, before, move |page| {
        page.into_iter().map(|record| line(record.into())).collect::<Result<String, _>>().unwrap_or_default()
    });
    file(Body::from_stream(pages), "application/jsonl", "attachment; filename=\"decisions.jsonl\"")
}

/// RFC 4180, with a header line.
pub fn csv(store: Store, tenant: TenantId, filter: RecordFilter, before: Option<RecordCursor>) -> Response {
    let header = VecDeque::from([Bytes::from(COLUMNS.join(",") + "\r\n")]);
    let pages =
        pages(store, tenant, filter, before, |page| page.into_iter().map(|record| csv_line(record.into())).collect());
    let header = stream::iter(header.into_iter().map(Ok));
    let lines = futures_util::StreamExt::chain(header, pages);
    file(Body::from_stream(lines), "text/csv; charset=utf-8", "attachment; filename=\"decisions.csv\"")
}

fn file(body: Body, media_type: &'static str, disposition: &'static str) -> Response {
    let header = HeaderValue::from_static;
    ([(CONTENT_TYPE, header(media_type)), (CONTENT_DISPOSITION, header(disposition))], body).into_response()
}

fn pages(
    store: Store,
    tenant: TenantId,
    filter: RecordFilter,
    before: Option<RecordCursor>,
    write: impl Fn(Vec<StoredRecord>) -> String + Send + 'static,
) -> impl Stream<Item = Result<Bytes, StoreError>> + Send + 'static {
    struct State<W> {
        store: Store,
        tenant: TenantId,
        filter: RecordFilter,
        before: Option<RecordCursor>,
        write: W,
        is_over: bool,
    }
    let state = State { store, tenant, filter, before, write, is_over: false };
    stream::try_unfold(state, async |mut state| {
        if state.is_over {
            return Ok(None);
        }
        let page = state.store.records(&state.tenant, &state.filter, state.before, PAGE).await;
        let page = page.inspect_err(|error| tracing::error!(error = chain(error), "an export broke off"))?;
        state.is_over = (page.len() as u64) < PAGE;
        state.before = page.last().map(StoredRecord::cursor);
        let text = (state.write)(page);
        Ok(Some((Bytes::from(text), state)))
    })
}

fn csv_line(record: RecordJson) -> String {
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
    let cells: [String; COLUMNS.len()] = [
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
    ];
    cells.map(|cell| csv_cell(&cell)).join(",") + "\r\n"
}

/// Clients choose paths and ids. A spreadsheet takes a cell that begins like this for a formula, so an apostrophe goes
/// before it (OWASP, CSV injection); quotes are doubled.
fn csv_cell(text: &str) -> String {
    let is_formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let apostrophe = if is_formula { "'" } else { "" };
    if is_formula || text.contains([',', '"', '\r', '\n', ';', '\'']) {
        return format!("\"{apostrophe}{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        for (text, cell) in [
            ("", ""),
            ("/a/b", "/a/b"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("=1+1", "\"'=1+1\""),
            ("+a", "\"'+a\""),
            ("-1", "\"'-1\""),
            ("@x", "\"'@x\""),
            ("\t=1", "\"'\t=1\""),
            ("=\"\",x", "\"'=\"\"\"\",x\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
        ] {
            assert_eq!(csv_cell(text), cell, "{text:?}");
        }
    }
}
