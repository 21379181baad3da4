//! Every route of the server, on one screen.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, delete, get, post};

use crate::api::{
    audit, bundle, candidate, decide, decision_logs, document, edges, gateway, health, metrics, revocations, setup,
    signing_keys, users,
};
use crate::app::App;
use crate::dialects::{barong, padlock};
use crate::error::ApiError;
use crate::observe::request::watch;
use crate::openapi;
use crate::pep;
use crate::permit::authorize;

/// The server's own paths, and what each method does there.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Arc<App>>); 25] {
    [
        ("/healthz", get(health::is_alive)),
        ("/readyz", get(health::is_ready)),
        ("/metrics", get(metrics::show)),
        ("/audit", get(audit::query)),
        ("/.well-known/jwks.json", get(signing_keys::published)),
        ("/identity/signing-keys", post(signing_keys::rotate)),
        ("/setup", post(setup::create_first_user)),
        ("/directory/users", get(users::list).post(users::create)),
        ("/directory/users/{id}", get(users::show).patch(users::update).delete(users::delete)),
        ("/directory/users/{id}/tokens", post(users::issue_token).delete(users::revoke_tokens)),
        ("/directory/users/{id}/revoke", post(users::revoke)),
        ("/edges", get(edges::list).post(edges::create)),
        ("/edges/{id}", delete(edges::delete)),
        ("/edges/{id}/tokens", post(edges::issue_token)),
        ("/policy/document", get(document::show).put(document::replace)),
        ("/policy/candidate", get(candidate::show).put(candidate::replace).delete(candidate::remove)),
        ("/policy/revisions", get(document::revisions)),
        ("/policy/bundle", get(bundle::fetch)),
        ("/policy/revocations", get(revocations::fetch)),
        ("/policy/decision-logs", get(decision_logs::query).post(decision_logs::store)),
        ("/policy/decision-logs/gaps", get(decision_logs::gaps)),
        ("/gateway/identity", get(gateway::identity)),
        ("/policy/decide", post(decide::decide)),
        ("/policy/explain", post(decide::explain)),
        ("/authz/forward", any(pep::forward)),
    ]
}

/// Where the client's path follows; a wildcard takes no empty one.
fn wildcards() -> [(&'static str, MethodRouter<Arc<App>>); 5] {
    [
        ("/api/v2/auth", any(barong::gateway::ask)),
        ("/api/v2/auth/", any(barong::gateway::ask)),
        ("/api/v2/auth/{*path}", any(barong::gateway::ask)),
        ("/authz/envoy/", any(pep::envoy)),
        ("/authz/envoy/{*path}", any(pep::envoy)),
    ]
}

/// With those of the dialects.
pub(crate) fn all_routes() -> impl Iterator<Item = (&'static str, MethodRouter<Arc<App>>)> {
    routes()
        .into_iter()
        .chain(padlock::routes())
        .chain(barong::routes())
        .chain(barong::identity::routes())
        .chain(barong::resource::routes())
        .chain(openapi::routes())
        .chain(wildcards())
}

/// The server as a service. Whatever the path and method, `authorize` comes first.
pub fn router(app: Arc<App>) -> Router {
    all_routes()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .fallback(|| async { ApiError::NotFound { detail: "there is no such path" } })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(from_fn_with_state(Arc::clone(&app), around))
        .with_state(app)
}

/// Around every handler, in one layer, as each costs allocations: what is seen of the request, the words of its dialect,
/// the permit.
async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let app = app.as_ref();
    let permitted = async |request| authorize(app, request, next).await.into_response();
    let answered = |request| padlock::wrap(app, request, |request| barong::wrap(request, permitted));
    watch(app, request, answered).await
}
