//! `GET /metrics`: how the server is doing, for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::{ApiError, chain};
use crate::observe::metrics::{Figures, MEDIA_TYPE, TenantFigures};
use crate::observe::traces::Tracer;
use crate::tenant::Tenant;

/// A database that does not answer is a figure too.
pub async fn show(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let backlog = app.store.backlog().await;
    let backlog = backlog.inspect_err(|error| tracing::error!(error = chain(error), "the database does not answer"));
    let now = app.store.now().0;
    let figures = Figures {
        tenants: app.tenants().map(|tenant| tenant_figures(tenant, now)).collect(),
        backlog: backlog.ok(),
        connections: app.store.connections(),
        dropped_spans: app.tracer.as_ref().map_or(0, Tracer::dropped),
    };
    let text = app.metrics.write(&figures).map_err(ApiError::internal)?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], text).into_response())
}

fn tenant_figures(tenant: &Tenant, now: u64) -> TenantFigures {
    let bundle = tenant.publisher.bundle();
    TenantFigures {
        tenant: tenant.id().to_string(),
        is_open: tenant.publisher.is_open(),
        revision: bundle.as_ref().map_or(0, |bundle| bundle.revision.get()),
        age_s: bundle.as_ref().map_or(0, |bundle| now.saturating_sub(bundle.created_at.0)),
        revoked_subjects: tenant.revocations.subjects(),
        last_revocation: *tenant.revocations.numbers().borrow(),
    }
}
