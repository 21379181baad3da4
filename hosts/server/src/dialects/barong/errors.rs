//! How the dialect refuses: `{"errors": ["code", ...]}` with its status. Refusals of the permit and of the
//! router are put into this form too.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_directory::StoreError;
use portcullis_runtime::Reason;
use serde_json::{Value, json};

use crate::dialects::barong::is_ours;
use crate::error::{ApiError, Refused};

/// What a client tells apart.
pub type Code = Cow<'static, str>;

/// Why there is no answer.
#[derive(Debug)]
pub enum Refusal {
    /// 422: what is asked for is not legal, one code for each reason.
    Invalid(Vec<Code>),
    /// 404
    NotFound(&'static str),
    /// 401
    Unauthorized(&'static str),
    /// Any other status.
    Other(StatusCode, &'static str),
    /// As the rest of the server refuses; the layer writes it in the words of the dialect.
    Server(ApiError),
}

// === impl Refusal ===

impl Refusal {
    pub fn invalid(code: impl Into<Code>) -> Self {
        Self::Invalid(vec![code.into()])
    }

    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Server(ApiError::internal(error))
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Server(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Server(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Invalid(codes) => errors(StatusCode::UNPROCESSABLE_ENTITY, &codes),
            Self::NotFound(code) => errors(StatusCode::NOT_FOUND, &[code.into()]),
            Self::Unauthorized(code) => errors(StatusCode::UNAUTHORIZED, &[code.into()]),
            Self::Other(status, code) => errors(status, &[code.into()]),
            Self::Server(error) => error.into_response(),
        }
    }
}

fn errors(status: StatusCode, codes: &[Code]) -> Response {
    (status, axum::Json(json!({ "errors": codes }))).into_response()
}

/// The answer in our words; that of another path stays as it is.
pub async fn wrap<A: Future<Output = Response>>(request: Request, answer: impl FnOnce(Request) -> A) -> Response {
    if !is_ours(request.uri().path()) {
        return answer(request).await;
    }
    let mut response = answer(request).await;
    if let Some(refused) = response.extensions_mut().remove::<Refused>() {
        let (status, body) = in_our_words(&refused, response.status());
        *response.status_mut() = status;
        *response.body_mut() = Body::from(body.to_string());
        response.headers_mut().remove(CONTENT_LENGTH);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

fn in_our_words(refused: &Refused, status: StatusCode) -> (StatusCode, Value) {
    let errors = |status, code: &str| (status, json!({ "errors": [code] }));
    match (refused.code, refused.reason) {
        (_, Some(Reason::Unauthenticated)) | ("bad_token", _) => {
            errors(StatusCode::UNAUTHORIZED, "jwt.decode_and_verify")
        }
        (_, Some(Reason::SubjectInactive)) => errors(StatusCode::UNAUTHORIZED, "authz.user_not_active"),
        (_, Some(Reason::PolicyUnavailable)) => errors(status, "server.not_ready"),
        (_, Some(_)) => errors(StatusCode::UNAUTHORIZED, "admin.ability.not_permitted"),
        ("not_found" | "method_not_allowed", None) => (StatusCode::NOT_FOUND, json!({"error": "Route is not found"})),
        ("unsupported_media_type", None) => (status, json!({"error": "The provided content-type is not supported."})),
        ("malformed_request", None) => errors(status, "server.malformed_request"),
        ("too_large", None) => errors(status, "server.too_large"),
        ("conflict", None) => errors(status, "server.conflict"),
        ("invalid" | "invalid_document", None) => errors(status, "server.policy_refuses"),
        ("unknown_proxy", None) => errors(status, "authz.unknown_proxy"),
        ("not_ready", None) => errors(status, "server.not_ready"),
        _ => errors(status, "server.internal_error"),
    }
}
