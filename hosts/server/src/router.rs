//! Every route of the server, on one screen.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use crate::api::{bundle, decide, document, health, setup, users};
use crate::app::App;
use crate::error::ApiError;
use crate::permit::authorize;

/// The paths, and what each method does there.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Arc<App>>); 11] {
    [
        ("/healthz", get(health::is_alive)),
        ("/readyz", get(health::is_ready)),
        ("/setup", post(setup::create_first_user)),
        ("/directory/users", get(users::list).post(users::create)),
        ("/directory/users/{id}", get(users::show).patch(users::update).delete(users::delete)),
        ("/directory/users/{id}/tokens", post(users::issue_token).delete(users::revoke_tokens)),
        ("/policy/document", get(document::show).put(document::replace)),
        ("/policy/revisions", get(document::revisions)),
        ("/policy/bundle", get(bundle::fetch)),
        ("/policy/decide", post(decide::decide)),
        ("/policy/explain", post(decide::explain)),
    ]
}

/// The server as a service. Whatever the path and method, `authorize` comes first.
pub fn router(app: Arc<App>) -> Router {
    routes()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .fallback(|| async { ApiError::NotFound { detail: "there is no such path" } })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(from_fn_with_state(Arc::clone(&app), authorize))
        .with_state(app)
}
