//! `/api/v2/auth/..`: a proxy asks what to do with a request of its client, who shows a session or an API key.
//!
//! Envoy (`ext_authz`) and nginx (`auth_request`) ask with the client's method at the client's path behind the prefix, Traefik
//! (ForwardAuth) at the prefix alone with headers. An allow carries an access token for the upstream. The order of the tests
//! is that of the original: restrictions, blocked and public paths, then who it is, then what it may.

mod activity;
mod denial;
mod proof;
mod token;

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse as _, Response};
use portcullis_runtime::{Credential, Decision, Reason, Request as Question};

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::visitor::Visitor;
use crate::error::ApiError;
use crate::pep::received::{Facts, Received, client_address, single};
use crate::pep::{audit, forward};
use crate::permit::{Asker, Peer, Permit};

use denial::{Denial, MALFORMED, METHOD, NOT_READY, PERMISSION_DENIED};
use proof::{Shown, Who};

/// What becomes of the client's request.
enum Verdict {
    /// On with it, whoever it is.
    Pass,
    /// On with it, and this token.
    Token(String),
    Denied(Denial),
}

/// Where Traefik asks.
const DOOR: &str = "/api/v2/auth";

/// Whether a request to this path is a question about another request.
pub fn is_door(path: &str) -> bool {
    path.strip_prefix(DOOR).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub async fn ask(
    State(app): State<Arc<App>>,
    asker: Permit<Asker>,
    peer: Permit<Peer>,
    request: Request,
) -> Result<Response, Refusal> {
    let request = request.map(drop);
    let status = denial::wanted_status(request.headers())?;
    Ok(match judge(&app, &asker, peer.address(), &request).await? {
        Verdict::Pass => allowed(None)?,
        Verdict::Token(token) => allowed(Some(&token))?,
        Verdict::Denied(denial) => denial.answer(status),
    })
}

async fn judge(app: &App, asker: &Permit<Asker>, peer: IpAddr, request: &Request<()>) -> Result<Verdict, ApiError> {
    let tenant = app.default_tenant().ok_or(ApiError::NotReady)?;
    let (headers, now) = (request.headers(), app.store.now());
    let Some((received, visitor)) = received(app, peer, request) else { return Ok(Verdict::Denied(MALFORMED)) };
    if !received.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(Verdict::Denied(METHOD));
    }
    let target = received.path;
    let Ok(facts) = Facts::read(received, &app.proxies) else { return Ok(Verdict::Denied(MALFORMED)) };
    let question = facts.into_request(None, Credential::None, now.0);
    let first = tenant.decide(&question);
    let audited = async |question: &Question, decision: &Decision| {
        app.auditor.store(&app.store, asker, audit::records(question, decision, headers, now)).await
    };
    let shown = Shown::read(headers, &visitor);
    let is_nobody = matches!(shown, Ok(Shown::Nothing));
    let verdict = whoever_it_is(&first).or((is_nobody && first.is_allow()).then_some(Verdict::Pass));
    if is_nobody || verdict.is_some() {
        audited(&question, &first).await?;
    }
    if let Some(verdict) = verdict {
        return Ok(verdict);
    }
    let who = match proof::who(app, shown, &visitor, (headers, question.action.as_str())).await? {
        Ok(who) => who,
        Err(denial) => return Ok(Verdict::Denied(denial)),
    };
    let question = Question { subject: Some(who.subject(now)), credential: who.credential(), ..question };
    let decision = tenant.decide(&question);
    activity::write(app, asker, (&who, &visitor), (&question.action, target), &decision).await?;
    audited(&question, &decision).await?;
    match decision.is_allow() {
        true => Ok(Verdict::Token(token::issue(app, &who, now)?)),
        false => Ok(Verdict::Denied(refused(&decision, &who))),
    }
}

/// Method, path and host of the client's request, and where it comes from.
fn received<'r>(app: &App, peer: IpAddr, request: &'r Request<()>) -> Option<(Received<'r>, Visitor)> {
    let headers = request.headers();
    let visitor = Visitor::read(headers, peer, app).ok()?;
    let received = match request.uri().path() {
        DOOR => forward::receive(request, &app.proxies, peer).ok()?,
        _ => Received {
            method: request.method().as_str(),
            host: single(headers, "host").ok()?,
            path: behind(request.uri())?,
            source_ip: client_address(headers, &app.proxies, peer).ok()?,
            headers,
        },
    };
    Some((received, visitor))
}

/// The client's path with its query.
fn behind(uri: &Uri) -> Option<&str> {
    uri.path_and_query()?.as_str().strip_prefix(DOOR).filter(|path| path.starts_with('/'))
}

/// What is said whoever the client is; `None` when that matters.
fn whoever_it_is(decision: &Decision) -> Option<Verdict> {
    let restricted = |code| Some(Verdict::Denied(Denial { status: decision.status, code }));
    match decision.reason {
        Reason::RestrictedMaintenance => restricted("authz.restrict.maintenance"),
        Reason::RestrictedBlacklist => restricted("authz.restrict.blacklist"),
        Reason::RestrictedLogin => restricted("authz.restrict.blocklogin"),
        Reason::Blocked => Some(Verdict::Denied(PERMISSION_DENIED)),
        Reason::Public => Some(Verdict::Pass),
        Reason::MalformedRequest => Some(Verdict::Denied(MALFORMED)),
        Reason::PolicyUnavailable => Some(Verdict::Denied(NOT_READY)),
        _ => None,
    }
}

fn refused(decision: &Decision, who: &Who) -> Denial {
    let unauthorized = |code| Denial { status: 401, code };
    match decision.reason {
        Reason::PolicyUnavailable => NOT_READY,
        Reason::MalformedRequest => MALFORMED,
        Reason::SubjectInactive if who.credential() == Credential::ApiKey => unauthorized("authz.invalid_session"),
        Reason::SubjectInactive => unauthorized("authz.user_not_active"),
        Reason::OtpRequired => unauthorized("authz.disabled_2fa"),
        _ => unauthorized("authz.invalid_permission"),
    }
}

fn allowed(token: Option<&str>) -> Result<Response, Refusal> {
    let mut response = Body::empty().into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(token) = token {
        let value = HeaderValue::try_from(format!("Bearer {token}")).map_err(Refusal::internal)?;
        response.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(response)
}
