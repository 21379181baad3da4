//! `GET /policy/revocations`: whose tokens are void, at once or when there is another.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::api::{Wait, tenant};
use crate::app::App;
use crate::body::Params;
use crate::error::ApiError;
use crate::observe::metrics::Poll;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationParams {
    tenant: Option<String>,
    /// Number of the last change that the caller knows.
    #[serde(default)]
    since: u64,
    #[serde(default)]
    wait: Wait,
}

/// Ed25519 by the key that signs bundles, over `portcullis revocations 1`, a line feed and the body.
const SIGNATURE: &str = "portcullis-signature";

pub async fn fetch(
    State(app): State<Arc<App>>,
    Params(RevocationParams { tenant: name, since, wait }): Params<RevocationParams>,
) -> Result<Response, ApiError> {
    let revocations = &tenant(&app, name.as_deref())?.revocations;
    let mut numbers = revocations.numbers();
    let is_news = async { numbers.wait_for(|&last| last != since).await.is_ok() };
    wait.until(&app, Poll::Revocations, is_news).await;
    drop(numbers);
    let answer = revocations.answer(since).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((headers, [(SIGNATURE, answer.signature.clone())], answer.body.clone()).into_response())
}
