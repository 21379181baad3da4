//! Enforcement for proxies that cannot load the filter: Envoy's `ext_authz` over HTTP, nginx's `auth_request`, Traefik's
//! ForwardAuth. The same facts, the same core, the same answers as in the filter.
//!
//! A proxy asks with a token of its own, from an address that is configured; what it says about its client counts for
//! no other reason. Anything that cannot be read is a deny. The path must be canonical: nothing here can change it.

mod answer;
pub mod audit;
mod envoy;
pub mod forward;
pub mod received;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ipnet::IpNet;
use portcullis_runtime::{Credential, Decision, Effect, Reason, Subject};

use crate::app::App;
use crate::authn::client::{Offered, Owner, user_subject};
use crate::authn::jwt::Issuers;
use crate::error::{ApiError, chain};
use crate::observe::metrics::Decider;
use crate::pep::answer::Answer;
use crate::pep::received::{Facts, Received, Refusal};
use crate::permit::{Asker, Permit};
use crate::tenant::Tenant;

/// What is known about proxies and their clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Where proxies ask from, and whose entries in `x-forwarded-for` are believed.
    pub trusted: Vec<IpNet>,
    /// Where they write the country of the client.
    pub country_header: Option<String>,
    /// The same for the continent.
    pub continent_header: Option<String>,
    pub issuers: Issuers,
}

/// What becomes of the client's request.
pub struct Verdict {
    pub decision: Decision,
    /// Whom the upstream is told about.
    pub subject: Option<Subject>,
}

/// Whether a request to this path is a question about another request.
pub fn is_door(path: &str) -> bool {
    path == "/authz/forward" || path.starts_with(envoy::PREFIX)
}

/// Envoy's `ext_authz` with `path_prefix: /authz/envoy`: the request itself is the one that is asked about.
pub async fn envoy(State(app): State<Arc<App>>, permit: Permit<Asker>, request: Request) -> Result<Response, ApiError> {
    let peer = app.proxies.known_peer(&request)?;
    let received = envoy::receive(&request, &app.proxies, peer);
    let verdict = judge(&app, &permit, received, request.headers()).await?;
    Ok(Answer::new(&verdict, request.headers()).for_envoy())
}

/// nginx's `auth_request`, Traefik's ForwardAuth: headers tell about the request.
pub async fn forward(
    State(app): State<Arc<App>>,
    permit: Permit<Asker>,
    request: Request,
) -> Result<Response, ApiError> {
    let peer = app.proxies.known_peer(&request)?;
    let deny_status = forward::deny_status(&request)?;
    let received = forward::receive(&request, &app.proxies, peer);
    let verdict = judge(&app, &permit, received, request.headers()).await?;
    Ok(Answer::new(&verdict, request.headers()).for_forward(deny_status))
}

async fn judge(
    app: &App,
    permit: &Permit<Asker>,
    received: Result<Received<'_>, Refusal>,
    headers: &HeaderMap,
) -> Result<Verdict, ApiError> {
    let tenant = app.tenant(permit.tenant().as_str());
    let tenant = tenant.ok_or(ApiError::NotFound { detail: "there is no tenant of this name" })?;
    if tenant.publisher.slot().revision().is_none() {
        let decision = Decision::unavailable();
        tenant.decisions.count(Decider::Tenant, &decision);
        return Ok(Verdict { decision, subject: None });
    }
    let refuse = |Refusal(reason)| Ok(refusal(tenant, reason));
    let facts = match received.and_then(|received| Facts::read(received, &app.proxies)) {
        Ok(facts) => facts,
        Err(why) => return refuse(why),
    };
    let (subject, credential) = match client(app, &facts).await? {
        Ok(client) => client,
        Err(why) => return refuse(why),
    };
    let request = facts.into_request(subject, credential, app.store.now().0);
    let decision = tenant.decide(&request);
    let records = audit::records(&request, &decision, headers, app.store.now());
    if let Err(error) = app.auditor.store(&app.store, permit, records).await {
        tracing::error!(tenant.id = %tenant.id(), error = chain(&error), "an audited request is refused");
        return Ok(refusal(tenant, Reason::PolicyUnavailable));
    }
    Ok(match answer::is_sendable(request.subject.as_ref()) || !decision.is_allow() {
        true => Verdict { decision, subject: request.subject },
        false => refusal(tenant, Reason::Unauthenticated),
    })
}

/// Who the client is: nobody, the owner of an API key of this server, or the subject of a token.
async fn client(app: &App, facts: &Facts<'_>) -> Result<Result<(Option<Subject>, Credential), Refusal>, ApiError> {
    let refused = Ok(Err(Refusal(Reason::Unauthenticated)));
    let now = app.store.now().0;
    let offered = Offered::new(facts.api_key, facts.authorization);
    let token = facts.authorization.and_then(crate::authn::client::bearer);
    match offered.owner(&app.store).await? {
        Owner::Invalid => refused,
        // A key and a token that is none: two that may be two people.
        Owner::User(_) if facts.api_key.is_some() && token.is_some_and(|token| facts.api_key != Some(token)) => refused,
        Owner::User(user) => Ok(Ok((Some(user_subject(&user, now)), Credential::ApiKey))),
        Owner::Nobody => match token {
            None => Ok(Ok((None, Credential::None))),
            Some(token) => match app.proxies.issuers.verify(token, now) {
                Ok((subject, credential)) => Ok(Ok((Some(subject), credential))),
                Err(_invalid) => refused,
            },
        },
    }
}

/// The deny that is made here, with the status that the policy has for it.
fn refusal(tenant: &Tenant, reason: Reason) -> Verdict {
    let revision = tenant.publisher.slot().revision().unwrap_or_default();
    let decision =
        Decision { effect: Effect::Deny, status: tenant.status(reason), reason, revision, ..Decision::unavailable() };
    tenant.decisions.count(Decider::Tenant, &decision);
    Verdict { decision, subject: None }
}

// === impl Proxies ===

impl Proxies {
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// The address that the proxy asks from, if it is a known one.
    fn known_peer(&self, request: &Request) -> Result<IpAddr, ApiError> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical());
        peer.filter(|&peer| self.trusts(peer)).ok_or(ApiError::UnknownProxy)
    }
}
