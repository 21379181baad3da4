//! Pages of lists: `page` and `limit` in, a bare array with the headers `Total`, `Page`, `Per-Page` and `Link` out.

use axum::Json;
use axum::http::header::{HeaderName, LINK};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use portcullis_directory::PageSize;
use serde::Serialize;
use url::form_urlencoded::Serializer;

use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::params::Input;

/// Which part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// From 1.
    number: u64,
    limit: PageSize,
}

const MOST: i64 = 100;
/// No offset beyond it fits a column.
const LAST: i64 = i64::MAX / MOST;
const TOTAL: HeaderName = HeaderName::from_static("total");
const PAGE: HeaderName = HeaderName::from_static("page");
const PER_PAGE: HeaderName = HeaderName::from_static("per-page");

impl Page {
    pub fn read(input: &mut Input) -> Self {
        let number = number(input, "page", ["non_integer_page", "non_positive_page"], LAST).unwrap_or(1);
        let limit = number_of(input).and_then(PageSize::new);
        Self { number, limit: limit.or(PageSize::new(MOST.unsigned_abs())).unwrap_or(PageSize::DEFAULT) }
    }

    /// How many rows come before it.
    pub fn skip(self) -> u64 {
        (self.number - 1).saturating_mul(self.limit.get())
    }

    pub fn limit(self) -> PageSize {
        self.limit
    }

    /// The rows of this page, of `total`.
    pub fn answer<T: Serialize>(
        self,
        rows: &[T],
        total: u64,
        (uri, query): (&Uri, &[(String, String)]),
    ) -> Result<Response, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(TOTAL, total), (PAGE, self.number), (PER_PAGE, self.limit.get())] {
            headers.insert(name, value.into());
        }
        let links = self.links(total, uri.path(), query);
        if !links.is_empty() {
            // Everything in it is percent-encoded.
            headers.insert(LINK, HeaderValue::try_from(links).map_err(Refusal::internal)?);
        }
        Ok((headers, Json(rows)).into_response())
    }

    /// As the header `Link` says it (RFC 8288), relative to the server.
    fn links(self, total: u64, path: &str, query: &[(String, String)]) -> String {
        let last = total.div_ceil(self.limit.get()).max(1);
        let mut rels = Vec::new();
        if self.number > 1 {
            rels.extend([("first", 1), ("prev", self.number - 1)]);
        }
        if self.number < last {
            rels.extend([("last", last), ("next", self.number + 1)]);
        }
        let link = |(rel, page): (&str, u64)| {
            let mut target = Serializer::new(String::new());
            target.extend_pairs(query.iter().filter(|(name, _)| name != "page"));
            target.append_pair("page", &page.to_string());
            format!("<{path}?{}>; rel=\"{rel}\"", target.finish())
        };
        rels.into_iter().map(link).collect::<Vec<_>>().join(", ")
    }
}

fn number_of(input: &mut Input) -> Option<u64> {
    number(input, "limit", ["non_integer_limit", "invalid_limit"], MOST)
}

/// A number from 1 to `most`; what is no number breaks both rules.
fn number(input: &mut Input, name: &str, [not_whole, outside]: [&'static str; 2], most: i64) -> Option<u64> {
    let text = input.text(name).filter(|text| !text.is_empty())?;
    let number: Option<i64> = text.parse().ok();
    let legal = number.filter(|number| (1..=most).contains(number));
    input.check(number.is_some(), not_whole);
    input.check(legal.is_some(), outside);
    legal.map(i64::unsigned_abs)
}
