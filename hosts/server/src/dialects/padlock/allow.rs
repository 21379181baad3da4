//! `/v1/allow`: may this user do that? The policy of the default tenant decides, by what the directory knows of the user.

use std::sync::Arc;

use axum::extract::{Request, State};
use portcullis_runtime::{Decision, Reason};

use crate::app::App;
use crate::authn::client::user_subject;
use crate::dialects::padlock::envelope::Reply;
use crate::dialects::padlock::forwarded::Forwarded;
use crate::dialects::padlock::newcomer;
use crate::error::ApiError;
use crate::pep::audit;
use crate::permit::{Asker, Author, Peer, Permit};

pub async fn allow(
    State(app): State<Arc<App>>,
    asker: Permit<Asker>,
    author: Permit<Author>,
    peer: Permit<Peer>,
    request: Request,
) -> Result<Reply, ApiError> {
    let headers = request.into_parts().0.headers;
    let forwarded = Forwarded::read(&headers, &app.padlock.settings.headers, &app.proxies, peer.address())?;
    let tenant = app.default_tenant().ok_or(ApiError::NotReady)?;
    let now = app.store.now();
    let user = app.store.known_user(&forwarded.user).await?;
    // Whom nobody knows is nobody: no rule for those who are known lets it in.
    let request = forwarded.request(user.as_ref().map(|user| user_subject(user, now.0)), now.0);
    let decision = tenant.decide(&request);
    let records = audit::records(&request, &decision, &headers, now);
    app.auditor.store(&app.store, &asker, records).await?;
    if decision.is_allow() {
        return Ok(Reply::default());
    }
    if user.is_none() && app.padlock.settings.auto_add {
        Box::pin(newcomer::add(&app, &author, tenant, &forwarded, &headers)).await?;
    }
    Err(refusal(decision))
}

/// Any deny of the policy is a 403 here, but for a request that it cannot read.
fn refusal(decision: Decision) -> ApiError {
    const FORBIDDEN: u16 = 403;
    match decision.reason {
        Reason::PolicyUnavailable => ApiError::NotReady,
        Reason::MalformedRequest => ApiError::malformed("the request that is asked about cannot be decided"),
        _ => ApiError::Denied(Decision { status: FORBIDDEN, ..decision }),
    }
}
