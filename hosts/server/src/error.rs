//! `ApiError`: how a request is refused, as `application/problem+json` (RFC 9457). The only file that knows status codes.

use std::error::Error;

use axum::extract::rejection::QueryRejection;
use axum::http::header::{CONTENT_TYPE, ETAG, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_compiler::Diagnostic;
use portcullis_directory::{
    ChangeError, CreateUserError, EdgeError, IssueTokenError, NameError, Revision, SetupError, StoreError,
    TooManyRoles, UpdateUserError,
};
use portcullis_runtime::{Decision, Reason, Report, RequestError, ValidateError, Verdict, Violation};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::authn::AuthnError;
use crate::precondition::BadTags;
use crate::publish::PublishError;

/// Why there is no answer. `detail` is one line in the words of the caller.
#[derive(Debug)]
pub enum ApiError {
    /// Not what the endpoint reads: shape, encoding, header or path.
    Malformed {
        detail: String,
    },
    BadToken,
    /// The decision was deny.
    Denied(Decision),
    NotFound {
        detail: &'static str,
    },
    MethodNotAllowed,
    /// A proxy asks from an address that it is not known under.
    UnknownProxy,
    Conflict {
        detail: &'static str,
    },
    /// A precondition of the request does not hold; `current` is what there is.
    PreconditionFailed {
        current: Option<Revision>,
    },
    TooLarge {
        limit_bytes: usize,
    },
    MediaType {
        expected: &'static str,
    },
    /// Well-formed, but not legal.
    Invalid {
        detail: String,
    },
    /// What the schema of the endpoint says against the input.
    Violations(Report),
    /// The policy document does not compile.
    Document(Vec<Diagnostic>),
    NotReady,
    /// Our fault: logged here, and nothing of it is said.
    Internal(Box<dyn Error + Send + Sync>),
}

/// What a refusal says, beside its body: for whoever writes another one.
#[derive(Clone)]
pub struct Refused {
    pub code: &'static str,
    /// Of a deny.
    pub reason: Option<Reason>,
    pub title: &'static str,
    pub detail: Option<String>,
}

impl ApiError {
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::Malformed { detail: detail.into() }
    }

    pub fn invalid(error: impl std::fmt::Display) -> Self {
        Self::Invalid { detail: error.to_string() }
    }

    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// Wrong input as a 400, for a dialect that has no other status for it.
    pub fn into_malformed(self) -> Self {
        match &self {
            Self::Violations(report) if report.verdict != Verdict::OverLimit => {
                Self::malformed(self.detail().unwrap_or_default())
            }
            Self::Invalid { detail } => Self::malformed(detail.clone()),
            _ => self,
        }
    }

    /// The stable name of the problem, the last part of `type`.
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed_request",
            Self::BadToken => "bad_token",
            Self::Denied(_) => "denied",
            Self::NotFound { .. } => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnknownProxy => "unknown_proxy",
            Self::Conflict { .. } => "conflict",
            Self::PreconditionFailed { .. } => "precondition_failed",
            Self::TooLarge { .. } => "too_large",
            Self::MediaType { .. } => "unsupported_media_type",
            Self::Invalid { .. } => "invalid",
            Self::Violations(report) => match report.verdict {
                Verdict::Unreadable => "malformed_request",
                Verdict::OverLimit => "too_large",
                Verdict::Valid | Verdict::Invalid => "invalid",
            },
            Self::Document(_) => "invalid_document",
            Self::NotReady => "not_ready",
            Self::Internal(_) => "internal",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed { .. } => StatusCode::BAD_REQUEST,
            Self::BadToken => StatusCode::UNAUTHORIZED,
            // A status outside 100..=999 cannot be sent; the refusal stands all the same.
            Self::Denied(decision) => StatusCode::from_u16(decision.status).unwrap_or(StatusCode::FORBIDDEN),
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnknownProxy => StatusCode::FORBIDDEN,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::PreconditionFailed { .. } => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid { .. } | Self::Document(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Violations(report) => match report.verdict {
                Verdict::Unreadable => StatusCode::BAD_REQUEST,
                Verdict::OverLimit => StatusCode::PAYLOAD_TOO_LARGE,
                Verdict::Valid | Verdict::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            },
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "the request is malformed",
            Self::BadToken => "the token is not valid",
            Self::Denied(_) => "the request was denied",
            Self::NotFound { .. } => "there is nothing here",
            Self::MethodNotAllowed => "the method is not supported here",
            Self::UnknownProxy => "proxies ask from the addresses in `trusted_proxies`",
            Self::Conflict { .. } => "the request conflicts with what there is",
            Self::PreconditionFailed { .. } => "a precondition of the request does not hold",
            Self::TooLarge { .. } => "the body is too large",
            Self::MediaType { .. } => "the content type is not supported here",
            Self::Invalid { .. } => "the request asks for something that is not legal",
            Self::Violations(_) => "the request is not what the endpoint takes",
            Self::Document(_) => "the policy document does not compile",
            Self::NotReady => "the server is not ready",
            Self::Internal(_) => "the server failed",
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Malformed { detail } | Self::Invalid { detail } => Some(detail.clone()),
            Self::NotFound { detail } | Self::Conflict { detail } => Some((*detail).to_owned()),
            Self::TooLarge { limit_bytes } => Some(format!("the limit is {limit_bytes} bytes")),
            Self::MediaType { expected } => Some(format!("expected {expected}")),
            Self::PreconditionFailed { current: Some(current) } => Some(format!("the current revision is {current}")),
            Self::PreconditionFailed { current: None } => Some("there is no document yet".to_owned()),
            Self::Violations(report) => report.violations.first().map(|first| {
                let place = if first.pointer.is_empty() { "document" } else { &first.pointer };
                format!("{place}: {}", first.message)
            }),
            Self::Document(diagnostics) => Some(format!("{} diagnostics, nothing was changed", diagnostics.len())),
            Self::BadToken
            | Self::Denied(_)
            | Self::MethodNotAllowed
            | Self::UnknownProxy
            | Self::NotReady
            | Self::Internal(_) => None,
        }
    }

    /// Members beside those of RFC 9457.
    fn extensions(&self, problem: &mut Map<String, Value>) {
        match self {
            Self::Denied(decision) => {
                problem.insert("reason".to_owned(), decision.reason.name().into());
            }
            Self::Violations(report) => {
                problem.insert("has_more".to_owned(), report.has_more.into());
            }
            Self::Document(diagnostics) => {
                let diagnostics = diagnostics.iter().map(diagnostic_json).collect();
                problem.insert("diagnostics".to_owned(), Value::Array(diagnostics));
            }
            _ => {}
        }
    }
}

/// A problem of which a part is no `Value`: a number of the client may be larger than any of those.
#[derive(Serialize)]
struct WithViolations<'a> {
    #[serde(flatten)]
    problem: Map<String, Value>,
    violations: &'a [Violation],
}

/// The error and what caused it, on one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut causes = std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string);
    let first = causes.next().unwrap_or_default();
    causes.fold(first, |line, cause| format!("{line}: {cause}"))
}

/// A diagnostic in an answer.
pub fn diagnostic_json(diagnostic: &Diagnostic) -> Value {
    let Diagnostic { severity, line, column, message, help, name: _ } = diagnostic;
    let mut json = json!({"severity": severity.name(), "line": line, "column": column, "message": message});
    if let Some(help) = help {
        json["help"] = help.as_str().into();
    }
    json
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            tracing::error!(error = chain(error.as_ref()), "a request failed");
        }
        let status = self.status();
        let reason = match &self {
            Self::Denied(decision) => Some(decision.reason),
            _ => None,
        };
        let refused = Refused { code: self.code(), reason, title: self.title(), detail: self.detail() };
        let mut problem = Map::new();
        problem.insert("type".to_owned(), format!("urn:portcullis:problem:{}", self.code()).into());
        problem.insert("title".to_owned(), self.title().into());
        problem.insert("status".to_owned(), status.as_u16().into());
        if let Some(detail) = &refused.detail {
            problem.insert("detail".to_owned(), detail.as_str().into());
        }
        self.extensions(&mut problem);
        let body = match &self {
            Self::Violations(report) => {
                serde_json::to_string(&WithViolations { problem, violations: &report.violations })
            }
            _ => serde_json::to_string(&problem),
        };
        let body = body.unwrap_or_else(|error| {
            tracing::error!(error = chain(&error), "a problem cannot be written");
            "{}".to_owned()
        });
        let mut response = (status, body).into_response();
        response.extensions_mut().insert(refused);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::PreconditionFailed { current: Some(current) } = self {
            headers.insert(ETAG, crate::publish::revision_tag(current));
        }
        response
    }
}

// === errors of the domain ===

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

impl From<AuthnError> for ApiError {
    fn from(error: AuthnError) -> Self {
        match error {
            AuthnError::BadToken => Self::BadToken,
            AuthnError::Store(error) => error.into(),
        }
    }
}

impl From<NameError> for ApiError {
    fn from(error: NameError) -> Self {
        Self::invalid(error)
    }
}

impl From<TooManyRoles> for ApiError {
    fn from(error: TooManyRoles) -> Self {
        Self::invalid(error)
    }
}

impl From<CreateUserError> for ApiError {
    fn from(error: CreateUserError) -> Self {
        match error {
            CreateUserError::Exists => Self::Conflict { detail: "there is a user of this id already" },
            CreateUserError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateUserError> for ApiError {
    fn from(error: UpdateUserError) -> Self {
        match error {
            UpdateUserError::NotFound => NO_USER,
            UpdateUserError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Taken { what: "email" } => Self::Conflict { detail: "another user has this e-mail address" },
            ChangeError::Taken { what: "user" } => Self::Conflict { detail: "there is a user of this id already" },
            ChangeError::Taken { .. } => Self::Conflict { detail: "another one has it already" },
            ChangeError::NotFound { .. } => NO_USER,
            ChangeError::Stale { .. } => Self::Conflict { detail: "it was changed meanwhile" },
            ChangeError::HolderInactive => Self::Conflict { detail: "the holder is not active" },
            ChangeError::FactorOn => Self::Conflict { detail: "the second factor is on" },
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<IssueTokenError> for ApiError {
    fn from(error: IssueTokenError) -> Self {
        match error {
            IssueTokenError::NoUser => NO_USER,
            IssueTokenError::Store(error) => error.into(),
        }
    }
}

impl From<SetupError> for ApiError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::WrongToken => Self::BadToken,
            SetupError::Store(error) => error.into(),
        }
    }
}

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Precondition { current } => Self::PreconditionFailed { current },
            PublishError::Document(diagnostics) => Self::Document(diagnostics),
            PublishError::Store(error) => error.into(),
            PublishError::Conflict => Self::Conflict { detail: "another document was stored at the same time" },
            error @ (PublishError::Prepare(_)
            | PublishError::Open(_)
            | PublishError::NoTenant
            | PublishError::Interrupted(_)) => Self::internal(error),
        }
    }
}

impl From<ValidateError> for ApiError {
    fn from(error: ValidateError) -> Self {
        match error {
            // The component ran out of its time, on a machine that is very busy.
            ValidateError::Unavailable => Self::NotReady,
            error @ ValidateError::UnknownSchema => Self::internal(error),
        }
    }
}

impl From<BadTags> for ApiError {
    fn from(error: BadTags) -> Self {
        Self::malformed(error.to_string())
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        Self::malformed(error.to_string())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(error: QueryRejection) -> Self {
        Self::malformed(error.body_text())
    }
}

impl From<EdgeError> for ApiError {
    fn from(error: EdgeError) -> Self {
        match error {
            EdgeError::Exists => Self::Conflict { detail: "there is an edge of this name already" },
            EdgeError::NotFound => NO_EDGE,
            EdgeError::NoTenant => Self::NotFound { detail: "there is no tenant of this name" },
            EdgeError::Store(error) => error.into(),
        }
    }
}

pub const NO_EDGE: ApiError = ApiError::NotFound { detail: "there is no edge of this name" };

pub const NO_USER: ApiError = ApiError::NotFound { detail: "there is no user of this id" };
