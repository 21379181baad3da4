//! May they: one middleware around the whole router asks the component, and only an allow makes a `Permit`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use portcullis_directory::{SecretHash, UserId};
use portcullis_runtime::Decision;

use crate::app::App;
use crate::authn::{self, Caller};
use crate::error::ApiError;
use crate::pdp::Facts;

/// Proof that the decision about this request was allow, and who it was about. Only `authorize` leads to one.
#[derive(Clone, Debug)]
pub struct Permit<W> {
    who: W,
}

/// A user, who is the author of what is written.
#[derive(Clone, Debug)]
pub struct Author(UserId);

/// Whoever holds the setup token.
#[derive(Clone, Debug)]
pub struct SetupHolder(SecretHash);

/// What `authorize` leaves for the handler. Private, so that nobody else can leave one.
#[derive(Clone)]
struct Allowed(Caller);

/// The middleware: canonical path, caller, decision, obligations; then the handler, or a refusal.
pub async fn authorize(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    canonical(request.uri().path())?;
    let host = host(&request)?.map(str::to_owned);
    let caller = authn::authenticate(request.headers(), &app.store).await?;
    let facts = Facts {
        method: request.method().as_str(),
        path: request.uri().path(),
        host: host.as_deref(),
        source_ip: source_ip(&request),
        now: app.store.now(),
    };
    let decision = app.gate.decide(&facts, &caller);
    write_obligations(&decision, &facts, &caller);
    if !decision.is_allow() {
        return Err(ApiError::Denied(decision));
    }
    request.extensions_mut().insert(Allowed(caller));
    Ok(next.run(request).await)
}

// === impl Permit ===

impl Permit<Author> {
    pub fn author(&self) -> &UserId {
        &self.who.0
    }
}

impl Permit<SetupHolder> {
    pub fn setup_token(&self) -> SecretHash {
        self.who.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permit<Author> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        match allowed(parts)? {
            Caller::User(user) => Ok(Self { who: Author(user.id) }),
            // Allowed, but nobody whose name could stand in the audit trail.
            Caller::Anonymous | Caller::Setup(_) => Err(ApiError::BadToken),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permit<SetupHolder> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        match allowed(parts)? {
            Caller::Setup(hash) => Ok(Self { who: SetupHolder(hash) }),
            Caller::Anonymous | Caller::User(_) => Err(ApiError::BadToken),
        }
    }
}

fn allowed(parts: &Parts) -> Result<Caller, ApiError> {
    let allowed = parts.extensions.get::<Allowed>();
    allowed
        .map(|Allowed(caller)| caller.clone())
        .ok_or_else(|| ApiError::internal("a handler runs outside of `authorize`"))
}

/// The router must see the path that the decision is about.
fn canonical(raw: &str) -> Result<(), ApiError> {
    let mut canonical = Vec::with_capacity(raw.len());
    match portcullis_core::canonicalize(raw, &mut canonical) {
        Ok(()) if canonical == raw.as_bytes() => Ok(()),
        _ => Err(ApiError::malformed("the path is not canonical")),
    }
}

/// From the target of the request, else from its one `host` header (RFC 9112 section 3.2).
fn host(request: &Request) -> Result<Option<&str>, ApiError> {
    let mut values = request.headers().get_all(HOST).iter();
    let header = values.next().map(|value| value.to_str()).transpose();
    let header = header.map_err(|_| ApiError::malformed("the header `host` is not a host"))?;
    if values.next().is_some() {
        return Err(ApiError::malformed("there is more than one header `host`"));
    }
    Ok(request.uri().authority().map(|authority| authority.as_str()).or(header))
}

fn source_ip(request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// The log is the audit stream of the management policy.
fn write_obligations(decision: &Decision, facts: &Facts<'_>, caller: &Caller) {
    for obligation in &decision.obligations {
        tracing::info!(
            obligation = ?obligation,
            caller.id = caller.id(),
            request.method = facts.method,
            request.path = facts.path,
            decision = decision.effect.name(),
            reason = decision.reason.name(),
            "audit of a management request"
        );
    }
}
