//! The endpoints: request -> call of the domain -> answer. Each is reached only after `permit::authorize` said yes.

pub mod audit;
pub mod bundle;
pub mod candidate;
mod coding;
pub mod decide;
pub mod decision_logs;
pub mod document;
pub mod edges;
pub mod gateway;
pub mod health;
mod listing;
pub mod metrics;
pub mod revocations;
pub mod setup;
pub mod signing_keys;
pub mod users;

use std::time::Duration;

use portcullis_directory::PageSize;
use serde::Deserialize;

use crate::app::App;
use crate::error::ApiError;
use crate::observe::metrics::Poll;
use crate::tenant::Tenant;
use crate::valid::Described;

/// Which tenant is meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantParams {
    tenant: Option<String>,
}

impl Described for TenantParams {
    const SCHEMA: &'static str = "tenant-query";
}

/// Longest that a caller waits for news.
pub const LONGEST_WAIT_S: u64 = 60;

/// Seconds that a caller waits for news: 0..=60.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(try_from = "u64")]
struct Wait(u64);

#[derive(Debug, thiserror::Error)]
#[error("`wait` is {0} seconds, the limit is {max}", max = LONGEST_WAIT_S)]
struct TooLong(u64);

impl Wait {
    /// Until there is news, the time is over, or the server stops.
    async fn until(self, app: &App, poll: Poll, news: impl Future<Output = bool>) {
        if self.0 == 0 {
            return;
        }
        let _waiting = app.metrics.polls.begin(poll);
        tokio::select! {
            _ = news => {}
            () = app.stopping() => {}
            () = tokio::time::sleep(Duration::from_secs(self.0)) => {}
        }
    }
}

impl TryFrom<u64> for Wait {
    type Error = TooLong;

    fn try_from(seconds: u64) -> Result<Self, TooLong> {
        if seconds > LONGEST_WAIT_S { Err(TooLong(seconds)) } else { Ok(Self(seconds)) }
    }
}

/// The tenant that a query names; without a name it is the default one.
fn tenant<'a>(app: &'a App, name: Option<&str>) -> Result<&'a Tenant, ApiError> {
    let found = match name {
        Some(name) => app.tenant(name),
        None => app.default_tenant(),
    };
    found.ok_or(ApiError::NotFound { detail: "there is no tenant of this name" })
}

pub fn page_size(limit: Option<u64>) -> Result<PageSize, ApiError> {
    match limit {
        None => Ok(PageSize::DEFAULT),
        Some(limit) => PageSize::new(limit)
            .ok_or_else(|| ApiError::malformed(format!("`limit` is {limit}, it must be 1 to {}", PageSize::MAX))),
    }
}

/// Where the next page starts; `None` when this one is the last.
fn next_page<T, K>(page: &[T], limit: PageSize, key: impl FnOnce(&T) -> K) -> Option<K> {
    page.last().filter(|_| page.len() as u64 == limit.get()).map(key)
}
