//! Once a minute: sessions, one-time tokens, nonces and failed logins that no longer count are forgotten, and keys of
//! access tokens follow each other.

use std::sync::Arc;
use std::time::Duration;

use portcullis_directory::UnixSeconds;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::error::chain;
use crate::identity::Identity;

const EVERY: Duration = Duration::from_secs(60);

/// Works until the server stops; what it does then it ends.
pub fn start(identity: Arc<Identity>, clock: Arc<dyn Clock>, mut is_stopping: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut minutes = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                biased;
                () = stopping(&mut is_stopping) => return,
                _ = minutes.tick() => tidy(&identity, clock.now()).await,
            }
        }
    })
}

/// Also when whoever would say it is gone.
async fn stopping(is_stopping: &mut watch::Receiver<bool>) {
    let _ = is_stopping.wait_for(|is_stopping| *is_stopping).await;
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
