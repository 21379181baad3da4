//! Lists: complete as in the original, unless they are too long, or one page of them.

use portcullis_directory::PageSize;
use serde::Deserialize;

use crate::api::page_size;
use crate::error::ApiError;

/// With one of them the answer is a page.
#[derive(Deserialize)]
pub struct ListParams {
    /// The last name of the page before.
    after: Option<String>,
    limit: Option<u64>,
}

/// A walk over the rows of a list, by their names.
pub struct Walk {
    pub after: Option<String>,
    pub limit: PageSize,
    is_page: bool,
    rows: usize,
}

/// Most rows of an answer.
const MOST: usize = 10_000;

impl Walk {
    pub fn new(params: ListParams) -> Result<Self, ApiError> {
        let ListParams { after, limit } = params;
        let is_page = after.is_some() || limit.is_some();
        let limit = match is_page {
            true => page_size(limit)?,
            false => PageSize::new(PageSize::MAX).unwrap_or(PageSize::DEFAULT),
        };
        Ok(Self { after, limit, is_page, rows: 0 })
    }

    /// Whether to go on after a page of that many rows, of which `last` was the last.
    pub fn goes_on(&mut self, rows: usize, last: Option<String>) -> Result<bool, ApiError> {
        self.rows += rows;
        if self.rows > MOST {
            let detail = format!("there are more than {MOST}: ask for pages with `limit` and `after`");
            return Err(ApiError::Malformed { detail });
        }
        self.after = last;
        Ok(!self.is_page && self.after.is_some())
    }
}
