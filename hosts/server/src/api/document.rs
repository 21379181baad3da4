//! `/policy/document` and `/policy/revisions`: the policy as people write it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_directory::Revision;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{TenantParams, next_page, page_size, tenant};
use crate::app::App;
use crate::body::{self, DOCUMENT_BYTES, MediaType, Params};
use crate::error::{ApiError, diagnostic_json};
use crate::permit::{Author, Permit};
use crate::precondition::{Outcome, Preconditions};
use crate::publish::{Digest, Draft, Receipt, revision_tag};
use crate::valid::ValidQuery;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevisionParams {
    tenant: Option<String>,
    before: Option<u64>,
    limit: Option<u64>,
}

/// What a document may be sent as.
const MEDIA_TYPES: [&str; 4] = ["application/yaml", "application/x-yaml", "text/yaml", "application/json"];

/// The text as it was stored.
pub async fn show(
    State(app): State<Arc<App>>,
    Params(TenantParams { tenant: name }): Params<TenantParams>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let conditions = Preconditions::from_headers(&headers)?;
    let publisher = &tenant(&app, name.as_deref())?.publisher;
    let document = app.store.document(publisher.tenant()).await?;
    let document = document.ok_or(ApiError::NotFound { detail: "there is no policy document yet" })?;
    let revision = document.info.revision;
    let validators = [(ETAG, revision_tag(revision)), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    match conditions.compare(Some(&revision.to_string())) {
        Outcome::Hold => Ok((validators, [(CONTENT_TYPE, document.media_type)], document.text).into_response()),
        Outcome::Match => Ok((StatusCode::NOT_MODIFIED, validators).into_response()),
        Outcome::NoMatch => Err(ApiError::PreconditionFailed { current: Some(revision) }),
    }
}

/// Makes the body the next revision.
pub async fn replace(
    State(app): State<Arc<App>>,
    ValidQuery(TenantParams { tenant: name }): ValidQuery<TenantParams>,
    permit: Permit<Author>,
    request: Request,
) -> Result<Response, ApiError> {
    let conditions = Preconditions::from_headers(request.headers())?;
    let publisher = &tenant(&app, name.as_deref())?.publisher;
    let media_type = media_type(request.headers())?;
    let text = body::utf8(body::read(request, DOCUMENT_BYTES).await?)?;
    let receipt = publisher.publish(permit, Draft { text, media_type, conditions, logs_out: None }).await?;
    let Receipt { revision, digest, warnings } = receipt;
    let status = if revision == Revision::FIRST { StatusCode::CREATED } else { StatusCode::OK };
    let answer = json!({
        "revision": revision.get(),
        "digest": digest.to_string(),
        "stored": true,
        "warnings": warnings.iter().map(diagnostic_json).collect::<Vec<Value>>(),
    });
    Ok((status, [(ETAG, revision_tag(revision))], Json(answer)).into_response())
}

/// Who wrote what when, newest first.
pub async fn revisions(
    State(app): State<Arc<App>>,
    Params(RevisionParams { tenant: name, before, limit }): Params<RevisionParams>,
) -> Result<Response, ApiError> {
    let limit = page_size(limit)?;
    let before =
        before.map(|before| Revision::new(before).ok_or_else(|| ApiError::malformed("`before` is not a revision")));
    let publisher = &tenant(&app, name.as_deref())?.publisher;
    let revisions = app.store.revisions(publisher.tenant(), before.transpose()?, limit).await?;
    let next = next_page(&revisions, limit, |info| info.revision.get());
    let revisions: Vec<Value> = revisions
        .iter()
        .map(|info| {
            json!({
                "revision": info.revision.get(),
                "created_at": info.created_at.0,
                "author": info.author.as_str(),
                "digest": Digest(info.digest).to_string(),
            })
        })
        .collect();
    Ok(Json(json!({"revisions": revisions, "next": next})).into_response())
}

pub(super) fn media_type(headers: &HeaderMap) -> Result<String, ApiError> {
    let MediaType { essence, is_utf8 } = MediaType::of(headers)?;
    match is_utf8 && MEDIA_TYPES.contains(&essence.as_str()) {
        true => Ok(essence),
        false => Err(ApiError::MediaType { expected: "`application/yaml` or `application/json`, in UTF-8" }),
    }
}
