//! `/healthz` and `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;

use crate::app::App;
use crate::error::ApiError;

/// A database that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub async fn is_alive() -> &'static str {
    "alive\n"
}

pub async fn is_ready(State(app): State<Arc<App>>) -> Result<&'static str, ApiError> {
    let answers = tokio::time::timeout(PATIENCE, app.store.ping()).await.is_ok_and(|ping| ping.is_ok());
    match answers && app.is_open() {
        true => Ok("ready\n"),
        false => Err(ApiError::NotReady),
    }
}
