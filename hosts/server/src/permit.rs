//! May they: around every handler the component is asked, and only an allow makes a `Permit`.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use portcullis_directory::{RoleSet, SecretHash, TenantId, UserId};
use portcullis_runtime::Decision;

use crate::app::App;
use crate::authn::{self, Caller};
use crate::dialects::barong::{self, Ability};
use crate::dialects::padlock;
use crate::error::ApiError;
use crate::observe::metrics::Decider;
use crate::observe::request::{called_by, part};
use crate::pdp::{Asked, Facts};
use crate::pep;

/// Proof that the decision about this request was allow, and who it was about. Only `authorize` leads to one.
#[derive(Clone, Debug)]
pub struct Permit<W> {
    who: W,
}

/// A user, who is the author of what is written.
#[derive(Clone, Debug)]
pub struct Author {
    id: UserId,
    /// As they were decided about.
    roles: RoleSet,
}

/// An edge, or a user in its place, that tells what it decided.
#[derive(Clone, Debug)]
pub struct Sender(String);

/// A proxy that asks what to do with a request.
#[derive(Clone, Debug)]
pub struct Asker(TenantId);

/// A proxy that is known by its address.
#[derive(Clone, Copy, Debug)]
pub struct Peer(IpAddr);

/// Whoever calls what is open to all; what is written is about whom the caller proves to be by other means.
#[derive(Clone, Copy, Debug)]
pub struct Anybody;

/// Whoever holds the setup token.
#[derive(Clone, Debug)]
pub struct SetupHolder(SecretHash);

/// Who is the author where nobody needs a name: no user id of padlock has a colon.
const DIALECT: &str = "dialect:padlock";

/// What `authorize` leaves for the handler. Private, so that nobody else can leave one.
#[derive(Clone)]
struct Allowed(Caller);

/// Canonical path, caller, decision, obligations; then the handler, or a refusal.
pub async fn authorize(app: &App, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut head, body) = request.into_parts();
    let caller = part("authorize", admit(app, &head)).await?;
    head.extensions.insert(Allowed(caller));
    Ok(next.run(Request::from_parts(head, body)).await)
}

/// Whoever calls, allowed. What looks into the database is boxed, so that the questions of proxies do not carry room for it.
async fn admit(app: &App, head: &Parts) -> Result<Caller, ApiError> {
    let path = head.uri.path();
    if pep::is_door(path) {
        Box::pin(let_proxy_in(app, head)).await
    } else if padlock::is_door(path) {
        let_peer_in(app, head)
    } else if barong::gateway::is_door(path) {
        let_gateway_in(app, head)
    } else if barong::is_admin(path) {
        Box::pin(let_administrator_in(app, head)).await
    } else {
        Box::pin(let_in(app, head)).await
    }
}

/// A request to one of the server's own endpoints.
async fn let_in(app: &App, head: &Parts) -> Result<Caller, ApiError> {
    let path = head.uri.path();
    canonical(path)?;
    let host = host(head)?;
    let tenant = tenant(head)?;
    let caller = match () {
        () if barong::identity::is_identity(path) => Caller::Anonymous,
        () if barong::resource::is_resource(path) => barong::authenticate(&head.headers, app).await?,
        () => match authn::authenticate(&head.headers, &app.store).await? {
            Caller::Anonymous if app.padlock.is_open(path) => Caller::Open,
            caller => caller,
        },
    };
    let asked = Asked::Endpoint { method: head.method.as_str(), path, host };
    decide(app, head, asked, &tenant, caller)
}

/// A request to the administration of Barong: what it needs is an ability.
async fn let_administrator_in(app: &App, head: &Parts) -> Result<Caller, ApiError> {
    let path = head.uri.path();
    canonical(path)?;
    let caller = barong::authenticate(&head.headers, app).await?;
    let asked = match Ability::of(&head.method, path) {
        Some(Ability { action, on }) => Asked::Ability { action, on },
        None => Asked::Endpoint { method: head.method.as_str(), path, host: host(head)? },
    };
    decide(app, head, asked, TenantId::default().as_str(), caller)
}

/// A proxy without a token of its own: `authorization` is its client's, and it is known by its address.
fn let_peer_in(app: &App, head: &Parts) -> Result<Caller, ApiError> {
    let peer = known_peer(app, head)?;
    let asked = Asked::Endpoint { method: head.method.as_str(), path: head.uri.path(), host: host(head)? };
    decide(app, head, asked, TenantId::default().as_str(), Caller::Peer(peer))
}

/// A request that a proxy without a token of its own asks about, at the path of that request.
fn let_gateway_in(app: &App, head: &Parts) -> Result<Caller, ApiError> {
    let peer = known_peer(app, head)?;
    decide(app, head, Asked::ProxyDecision, TenantId::default().as_str(), Caller::Peer(peer))
}

fn known_peer(app: &App, head: &Parts) -> Result<IpAddr, ApiError> {
    source_ip(head).filter(|&peer| app.proxies.trusts(peer)).ok_or(ApiError::UnknownProxy)
}

/// A request that a proxy asks about. Its method, path and query are those of the proxy's client: nothing here is about
/// them.
async fn let_proxy_in(app: &App, head: &Parts) -> Result<Caller, ApiError> {
    let caller = authn::authenticate_proxy(&head.headers, &app.store).await?;
    let tenant = caller.tenant().cloned().unwrap_or_default();
    decide(app, head, Asked::ProxyDecision, tenant.as_str(), caller)
}

fn decide(app: &App, head: &Parts, asked: Asked<&str>, tenant: &str, caller: Caller) -> Result<Caller, ApiError> {
    let facts = Facts { asked, tenant, source_ip: source_ip(head), now: app.store.now() };
    let decision = app.gate.decide(&facts, &caller);
    app.metrics.decisions.count(Decider::Management, &decision);
    called_by(&caller);
    write_obligations(&decision, head, &caller);
    if decision.is_allow() { Ok(caller) } else { Err(ApiError::Denied(decision)) }
}

// === impl Permit ===

impl Permit<Author> {
    pub fn author(&self) -> &UserId {
        &self.who.id
    }

    pub fn roles(&self) -> &RoleSet {
        &self.who.roles
    }
}

impl Permit<SetupHolder> {
    pub fn setup_token(&self) -> SecretHash {
        self.who.0
    }
}

impl Permit<Sender> {
    /// `edge/NAME` or `user/ID`.
    pub fn sender(&self) -> &str {
        &self.who.0
    }
}

impl Permit<Peer> {
    pub fn address(&self) -> IpAddr {
        self.who.0
    }
}

impl Permit<Asker> {
    /// The tenant that the caller is asking for.
    pub fn tenant(&self) -> &TenantId {
        &self.who.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permit<Author> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        match allowed(parts)? {
            Caller::User(user) => Ok(Self { who: Author { id: user.id, roles: user.roles } }),
            Caller::Peer(_) | Caller::Open => {
                Ok(Self { who: Author { id: UserId::parse(DIALECT)?, roles: RoleSet::default() } })
            }
            // Allowed, but nobody whose name could stand in the audit trail.
            Caller::Anonymous | Caller::Edge(_) | Caller::Setup(_) => Err(ApiError::BadToken),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permit<Sender> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        match allowed(parts)? {
            Caller::Edge(edge) => Ok(Self { who: Sender(format!("edge/{}", edge.name)) }),
            Caller::User(user) => Ok(Self { who: Sender(format!("user/{}", user.id)) }),
            Caller::Anonymous | Caller::Setup(_) | Caller::Peer(_) | Caller::Open => Err(ApiError::BadToken),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permit<Anybody> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        allowed(parts).map(|_caller| Self { who: Anybody })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permit<Peer> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        match allowed(parts)? {
            Caller::Peer(address) => Ok(Self { who: Peer(address) }),
            _ => Err(ApiError::UnknownProxy),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permit<Asker> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Ok(Self { who: Asker(allowed(parts)?.tenant().cloned().unwrap_or_default()) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permit<SetupHolder> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        match allowed(parts)? {
            Caller::Setup(hash) => Ok(Self { who: SetupHolder(hash) }),
            Caller::Anonymous | Caller::User(_) | Caller::Edge(_) | Caller::Peer(_) | Caller::Open => {
                Err(ApiError::BadToken)
            }
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
fn host(head: &Parts) -> Result<Option<&str>, ApiError> {
    let mut values = head.headers.get_all(HOST).iter();
    let header = values.next().map(|value| value.to_str()).transpose();
    let header = header.map_err(|_| ApiError::malformed("the header `host` is not a host"))?;
    if values.next().is_some() {
        return Err(ApiError::malformed("there is more than one header `host`"));
    }
    Ok(head.uri.authority().map(|authority| authority.as_str()).or(header))
}

/// The one `tenant` of the query; without it the default one. Nobody else may read another one there.
fn tenant(head: &Parts) -> Result<String, ApiError> {
    let query = head.uri.query().unwrap_or_default();
    let mut named = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "tenant");
    match (named.next(), named.next()) {
        (None, _) => Ok(TenantId::default().to_string()),
        (Some((_, tenant)), None) => Ok(tenant.into_owned()),
        (Some(_), Some(_)) => Err(ApiError::malformed("there is more than one `tenant`")),
    }
}

fn source_ip(head: &Parts) -> Option<IpAddr> {
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// The log is the audit stream of the management policy.
fn write_obligations(decision: &Decision, head: &Parts, caller: &Caller) {
    for obligation in &decision.obligations {
        tracing::info!(
            obligation = ?obligation,
            caller.id = caller.id(),
            request.method = head.method.as_str(),
            request.path = head.uri.path(),
            decision = decision.effect.name(),
            reason = decision.reason.name(),
            "audit of a management request"
        );
    }
}
