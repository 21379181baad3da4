//! `GET /policy/bundle`: the compiled policy for edges, at once or when it changes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::api::tenant;
use crate::app::App;
use crate::body::Params;
use crate::error::ApiError;
use crate::precondition::{Outcome, Preconditions};
use crate::publish::{Bundle, digest_tag};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleParams {
    tenant: Option<String>,
    /// Seconds to wait for a change.
    wait: Option<u64>,
}

const MAX_WAIT_S: u64 = 60;
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.portcullis.bundle");

/// What there is to say now.
enum Answer {
    Full,
    Failed,
    NotModified,
    Nothing,
}

pub async fn fetch(
    State(app): State<Arc<App>>,
    Params(BundleParams { tenant: name, wait }): Params<BundleParams>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let conditions = Preconditions::from_headers(&headers)?;
    let wait = wait.unwrap_or(0);
    if wait > MAX_WAIT_S {
        return Err(ApiError::malformed(format!("`wait` is {wait} seconds, the limit is {MAX_WAIT_S}")));
    }
    let mut bundles = tenant(&app, name.as_deref())?.bundles();
    if wait > 0 {
        let is_news = |bundle: &Option<Arc<Bundle>>| answer(bundle.as_deref(), &conditions).is_final();
        tokio::select! {
            _ = bundles.wait_for(is_news) => {}
            () = app.stopping() => {}
            () = tokio::time::sleep(Duration::from_secs(wait)) => {}
        }
    }
    let bundle = bundles.borrow().clone();
    respond(bundle.as_deref(), &conditions)
}

impl Answer {
    /// Not worth waiting for another one.
    fn is_final(&self) -> bool {
        matches!(self, Self::Full | Self::Failed)
    }
}

fn answer(bundle: Option<&Bundle>, conditions: &Preconditions) -> Answer {
    let Some(bundle) = bundle else { return Answer::Nothing };
    match conditions.compare(Some(&bundle.digest.to_string())) {
        Outcome::Hold => Answer::Full,
        Outcome::NoMatch => Answer::Failed,
        Outcome::Match => Answer::NotModified,
    }
}

fn respond(bundle: Option<&Bundle>, conditions: &Preconditions) -> Result<Response, ApiError> {
    let no_bundle = ApiError::NotFound { detail: "the tenant has no policy yet" };
    let answer = answer(bundle, conditions);
    let bundle = bundle.ok_or(no_bundle)?;
    let validators = [(ETAG, digest_tag(bundle.digest)), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    match answer {
        Answer::Full => Ok((validators, [(CONTENT_TYPE, MEDIA_TYPE)], bundle.bytes.clone()).into_response()),
        Answer::NotModified => Ok((StatusCode::NOT_MODIFIED, validators).into_response()),
        Answer::Failed | Answer::Nothing => Err(ApiError::PreconditionFailed { current: None }),
    }
}
