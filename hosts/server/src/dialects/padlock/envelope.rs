//! The envelope of every answer: `success`, `request_id`, then what was asked for or the error. It is made around the permit and
//! the handlers, so that every refusal has it too.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::App;
use crate::dialects::padlock::is_ours;
use crate::error::{ApiError, Refused};
use crate::observe::request::RequestId;

/// A success, and what the envelope holds beside it.
#[derive(Clone, Default)]
pub struct Reply(Map<String, Value>);

/// The whole answer.
#[derive(Serialize)]
struct Envelope<'a> {
    success: bool,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
    #[serde(flatten)]
    members: Map<String, Value>,
}

#[derive(Serialize)]
struct Error {
    code: u16,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

// === impl Reply ===

impl Reply {
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer in its envelope; that of another path stays as it is.
pub async fn wrap<A: Future<Output = Response>>(
    app: &App,
    request: Request,
    answer: impl FnOnce(Request) -> A,
) -> Response {
    if !is_ours(request.uri().path()) {
        return answer(request).await;
    }
    let name = &app.padlock.settings.headers.request_id;
    // Here the caller may say it, as in the original; in the log it is the other one.
    let said = RequestId::said(request.headers(), name);
    match said.or_else(|| request.extensions().get::<RequestId>().cloned()) {
        Some(id) => enveloped(answer(request).await, name, &id),
        None => ApiError::internal("a request without an id").into_response(),
    }
}

fn enveloped(mut response: Response, name: &HeaderName, id: &RequestId) -> Response {
    let status = response.status();
    let reply = response.extensions_mut().remove::<Reply>();
    let refused = response.extensions_mut().remove::<Refused>();
    let error = refused.map(|Refused { title, detail, code: _, reason: _ }| Error {
        code: status.as_u16(),
        message: title,
        detail,
    });
    let members = reply.unwrap_or_default().0;
    let envelope = Envelope { success: status.is_success(), request_id: id.as_str(), error, members };
    match serde_json::to_string(&envelope) {
        Ok(envelope) => *response.body_mut() = Body::from(envelope),
        Err(error) => return ApiError::internal(error).into_response(),
    }
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(name.clone(), id.header());
    response
}
