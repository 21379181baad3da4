//! API keys that a user holds itself; secrets are never shown.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use portcullis_directory::{ApiKey, ApiKeyColumn, Find, HolderKind};

use crate::app::App;
use crate::dialects::barong::admin::NO_USER;
use crate::dialects::barong::admin::filters::order;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Params, user_id};
use crate::dialects::barong::views::ApiKeyView;

/// What the list may be ordered by; secrets are not.
const ORDERS: [&str; 9] = [
    "id",
    "key_holder_account_id",
    "key_holder_account_type",
    "kid",
    "algorithm",
    "scope",
    "state",
    "created_at",
    "updated_at",
];

pub async fn list(State(app): State<Arc<App>>, uri: Uri, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "admin.apikey");
    let uid = input.required("uid");
    let codes = ["api_keys.ordering.invalid_ordering", "api_keys.ordering.invalid_attribute"];
    let (direction, by) = order(&mut input, &ORDERS, codes);
    let page = Page::read(&mut input);
    let query = input.finish()?;
    let id = user_id(&uid).ok_or(NO_USER)?;
    app.store.user(&id).await?.ok_or(NO_USER)?;
    let column = match by.as_deref() {
        Some("kid") => ApiKeyColumn::Kid,
        Some("algorithm") => ApiKeyColumn::Algorithm,
        Some("scope") => ApiKeyColumn::Scope,
        Some("state") => ApiKeyColumn::State,
        Some("created_at") => ApiKeyColumn::CreatedAt,
        Some("updated_at") => ApiKeyColumn::UpdatedAt,
        // All have the same holder.
        _ => ApiKeyColumn::Id,
    };
    let find = Find::<ApiKey>::all()
        .is(ApiKeyColumn::UserId, id.as_str())
        .is(ApiKeyColumn::Holder, HolderKind::User.name())
        .order(column, direction);
    let total = app.store.count(&find).await?;
    let keys = app.store.find(&find.page(page.skip(), page.limit())).await?;
    page.answer(&keys.iter().map(ApiKeyView::from).collect::<Vec<_>>(), total, (&uri, &query))
}
