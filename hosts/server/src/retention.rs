//! How long decision records are kept: forgets the others once an hour, and when the server starts.

use std::time::Duration;

use portcullis_directory::{TenantId, UnixSeconds};

use crate::error::chain;
use crate::store::Store;

/// What is kept of the records of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Seconds.
    pub age_s: u64,
    pub records: u64,
}

const EVERY: Duration = Duration::from_secs(3600);

impl Default for Retention {
    /// 30 days, ten million.
    fn default() -> Self {
        Self { age_s: 30 * 86_400, records: 10_000_000 }
    }
}

/// Works as long as the runtime does.
pub fn start(store: Store, tenant: TenantId, retention: Retention) {
    tokio::spawn(async move {
        let mut hours = tokio::time::interval(EVERY);
        loop {
            hours.tick().await;
            forget(&store, &tenant, retention).await;
        }
    });
}

/// A failure leaves too many until the next time.
async fn forget(store: &Store, tenant: &TenantId, Retention { age_s, records }: Retention) {
    let since = UnixSeconds(store.now().0.saturating_sub(age_s));
    match store.forget_records(tenant, since, records).await {
        Ok(0) => {}
        Ok(forgotten) => tracing::info!(tenant.id = %tenant, forgotten, "old decision records are forgotten"),
        Err(error) => {
            tracing::error!(tenant.id = %tenant, error = chain(&error), "old decision records cannot be forgotten");
        }
    }
}
