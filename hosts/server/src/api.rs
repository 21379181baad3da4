//! The endpoints: request -> call of the domain -> answer. Each is reached only after `permit::authorize` said yes.

pub mod bundle;
pub mod decide;
pub mod document;
pub mod health;
pub mod setup;
pub mod users;

use std::sync::Arc;

use portcullis_directory::PageSize;

use crate::app::App;
use crate::error::ApiError;
use crate::publish::Publisher;

/// The tenant that a query names; without a name it is the default one.
fn tenant<'a>(app: &'a App, name: Option<&str>) -> Result<&'a Arc<Publisher>, ApiError> {
    let found = match name {
        Some(name) => app.tenant(name),
        None => app.default_tenant(),
    };
    found.ok_or(ApiError::NotFound { detail: "there is no tenant of this name" })
}

fn page_size(limit: Option<u64>) -> Result<PageSize, ApiError> {
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
