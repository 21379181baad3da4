//! Liveness and readiness, as the server's own.

use std::sync::Arc;

use axum::extract::State;

use crate::api::health;
use crate::app::App;
use crate::dialects::padlock::envelope::Reply;
use crate::error::ApiError;

pub async fn is_alive() -> Reply {
    Reply::default()
}

pub async fn is_ready(app: State<Arc<App>>) -> Result<Reply, ApiError> {
    health::is_ready(app).await.map(|_| Reply::default())
}
