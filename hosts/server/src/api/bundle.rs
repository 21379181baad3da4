//! `GET /policy/bundle`: the compiled policy for edges, at once or when it changes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::api::coding::negotiate;
use crate::api::{Wait, tenant};
use crate::app::App;
use crate::body::Params;
use crate::error::ApiError;
use crate::observe::metrics::Poll;
use crate::precondition::{Outcome, Preconditions};
use crate::publish::{Bundle, Coding, digest_tag};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleParams {
    tenant: Option<String>,
    #[serde(default)]
    wait: Wait,
    /// Not the policy in force, but the one that edges try beside it.
    #[serde(default)]
    candidate: bool,
}

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
    Params(BundleParams { tenant: name, wait, candidate }): Params<BundleParams>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let conditions = Preconditions::from_headers(&headers)?;
    let publisher = &tenant(&app, name.as_deref())?.publisher;
    let mut bundles = if candidate { publisher.candidates() } else { publisher.bundles() };
    let is_news = |bundle: &Option<Arc<Bundle>>| answer(bundle.as_deref(), &conditions).is_final();
    let poll = if candidate { Poll::Candidate } else { Poll::Bundle };
    wait.until(&app, poll, async { bundles.wait_for(is_news).await.is_ok() }).await;
    let bundle = bundles.borrow().clone();
    // Whoever waits for the bytes shall not be counted as waiting for another bundle.
    drop(bundles);
    let detail = if candidate { "the tenant has no candidate" } else { "the tenant has no policy yet" };
    let bundle = bundle.ok_or(ApiError::NotFound { detail })?;
    respond(&bundle, &conditions, negotiate(&headers)).await
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

async fn respond(bundle: &Bundle, conditions: &Preconditions, coding: Coding) -> Result<Response, ApiError> {
    let validators = [
        (ETAG, digest_tag(bundle.digest)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (VARY, HeaderValue::from_static("accept-encoding")),
    ];
    match answer(Some(bundle), conditions) {
        Answer::Full => {
            let bytes = bundle.encoded(coding).await.map_err(ApiError::internal)?;
            let coding = coding.name().map(|name| [(CONTENT_ENCODING, HeaderValue::from_static(name))]);
            Ok((validators, [(CONTENT_TYPE, MEDIA_TYPE)], coding, bytes).into_response())
        }
        Answer::NotModified => Ok((StatusCode::NOT_MODIFIED, validators).into_response()),
        Answer::Failed | Answer::Nothing => Err(ApiError::PreconditionFailed { current: None }),
    }
}
