//! Once a minute: sessions, one-time tokens, nonces and failed logins that no longer count are forgotten, and keys of
//! access tokens follow each other.

use std::sync::Arc;
use std::time::Duration;

use portcullis_directory::UnixSeconds;

use crate::clock::Clock;
use crate::error::chain;
use crate::identity::Identity;

const EVERY: Duration = Duration::from_secs(60);

/// Works as long as the runtime does.
pub fn start(identity: Arc<Identity>, clock: Arc<dyn Clock>) {
    tokio::spawn(async move {
        let mut minutes = tokio::time::interval(EVERY);
        loop {
            minutes.tick().await;
            tidy(&identity, clock.now()).await;
        }
    });
}

/// What fails is done the next time.
pub async fn tidy(identity: &Identity, now: UnixSeconds) {
    let Identity { directory, settings, keys, .. } = identity;
    let failures_since = UnixSeconds(now.0.saturating_sub(settings.throttle.window_s));
    if let Err(error) = directory.drop_expired(now, failures_since).await {
        tracing::error!(error = chain(&error), "expired tokens and nonces cannot be forgotten");
    }
    if let Err(error) = settings.sessions.drop_over(directory, now).await {
        tracing::error!(error = chain(&error), "sessions that are over cannot be forgotten");
    }
    if let Err(error) = keys.reload(now).await {
        tracing::error!(error = chain(&error), "the keys of access tokens cannot be loaded");
    }
    match keys.rotate_old(now).await {
        Ok(false) => {}
        Ok(true) => tracing::info!("another key of access tokens is announced"),
        Err(error) => tracing::error!(error = chain(&error), "the keys of access tokens cannot be changed"),
    }
}
