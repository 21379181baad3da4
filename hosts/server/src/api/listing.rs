//! Rows that are listed newest first: a page as JSON, or all of them as a file that goes from the database to the client
//! page after page, so that no export is held in memory.
//!
//! A failure in the middle breaks the answer off, so that nobody takes a part for the whole.

mod csv;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Json};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use portcullis_directory::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::{next_page, page_size};
use crate::error::{ApiError, chain};

/// What is listed.
pub trait Listing: Send + Sync + 'static {
    type Row: Serialize + Send;

    /// Of the rows in a page.
    const NAME: &'static str;
    /// Of the file, without its ending.
    const FILE: &'static str;
    /// Of the CSV.
    const COLUMNS: &'static [&'static str];

    /// The newest rows, or those after `cursor`, each with its own.
    fn page(
        &self,
        cursor: Option<Cursor>,
        limit: u64,
    ) -> impl Future<Output = Result<Vec<(Cursor, Self::Row)>, StoreError>> + Send;

    /// As many as there are columns.
    fn cells(row: Self::Row) -> Vec<String>;
}

/// How the rows are wanted.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One page.
    #[default]
    Json,
    /// All there is, one object per line.
    Jsonl,
    /// All there is, one record per line.
    Csv,
}

/// A place in the list; as a text it is nobody's to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub time: u64,
    pub id: i64,
}

/// Which part of the list, as the query says.
pub struct Asked {
    pub format: Format,
    pub cursor: Option<String>,
    pub limit: Option<u64>,
}

/// An export on its way.
struct Export<L, W> {
    listing: L,
    cursor: Option<Cursor>,
    write: W,
    is_over: bool,
}

/// Rows that an export reads at once.
const PAGE: u64 = 500;

pub async fn respond<L: Listing>(listing: L, asked: Asked) -> Result<Response, ApiError> {
    let Asked { format, cursor, limit } = asked;
    let cursor = cursor.as_deref().map(Cursor::parse).transpose()?;
    match format {
        Format::Json => {
            let limit = page_size(limit)?;
            let rows = listing.page(cursor, limit.get()).await?;
            let next = next_page(&rows, limit, |(cursor, _)| cursor.text());
            let rows: Vec<L::Row> = rows.into_iter().map(|(_, row)| row).collect();
            let rows = serde_json::to_value(rows).map_err(ApiError::internal)?;
            let body = Map::from_iter([(L::NAME.to_owned(), rows), ("next".to_owned(), json!(next))]);
            Ok(Json(Value::Object(body)).into_response())
        }
        Format::Jsonl | Format::Csv if limit.is_some() => {
            Err(ApiError::malformed("an export has no `limit`, it ends where `from` says"))
        }
        Format::Jsonl => {
            let body = Body::from_stream(pages(listing, cursor, json_line));
            Ok(file(body, "application/jsonl", &format!("{}.jsonl", L::FILE)))
        }
        Format::Csv => {
            let header = stream::iter([Ok(Bytes::from(L::COLUMNS.join(",") + "\r\n"))]);
            let lines = pages(listing, cursor, |row| Ok(csv::line(&L::cells(row))));
            let body = Body::from_stream(header.chain(lines));
            Ok(file(body, "text/csv; charset=utf-8", &format!("{}.csv", L::FILE)))
        }
    }
}

fn json_line(row: impl Serialize) -> Result<String, BoxError> {
    Ok(serde_json::to_string(&row)? + "\n")
}

fn file(body: Body, media_type: &'static str, name: &str) -> Response {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let disposition = disposition.unwrap_or(HeaderValue::from_static("attachment"));
    ([(CONTENT_TYPE, HeaderValue::from_static(media_type)), (CONTENT_DISPOSITION, disposition)], body).into_response()
}

fn pages<L: Listing>(
    listing: L,
    cursor: Option<Cursor>,
    write: impl Fn(L::Row) -> Result<String, BoxError> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
    let state = Export { listing, cursor, write, is_over: false };
    stream::try_unfold(state, async |mut state| {
        if state.is_over {
            return Ok(None);
        }
        let text = state.next().await;
        let text = text.inspect_err(|error| tracing::error!(error = chain(error.as_ref()), "an export broke off"))?;
        Ok(Some((Bytes::from(text), state)))
    })
}

// === impl Export ===

impl<L: Listing, W: Fn(L::Row) -> Result<String, BoxError>> Export<L, W> {
    async fn next(&mut self) -> Result<String, BoxError> {
        let page = self.listing.page(self.cursor, PAGE).await?;
        self.is_over = (page.len() as u64) < PAGE;
        self.cursor = page.last().map(|(cursor, _)| *cursor);
        page.into_iter().map(|(_, row)| (self.write)(row)).collect()
    }
}

// === impl Cursor ===

pub const BAD_CURSOR: &str = "`cursor` is not the `next` of a page";

impl Cursor {
    fn text(self) -> String {
        format!("{}-{}", self.time, self.id)
    }

    fn parse(text: &str) -> Result<Self, ApiError> {
        let cursor = || {
            let (time, id) = text.split_once('-')?;
            Some(Self { time: time.parse().ok()?, id: id.parse().ok()? })
        };
        cursor().ok_or_else(|| ApiError::malformed(BAD_CURSOR))
    }
}
