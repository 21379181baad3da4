//! Users whose documents wait for somebody to look at them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use portcullis_directory::{Account, AccountColumn, AccountRow, Direction, Find, Label, LabelColumn};

use crate::app::App;
use crate::dialects::barong::admin::USER;
use crate::dialects::barong::admin::filters::{Period, Users};
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::views::{User, with_kyc};

/// Whom the private label `document` says to wait, the longest waiting first. A user has one such label.
pub async fn pending(State(app): State<Arc<App>>, uri: Uri, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let is_extended = input.boolean("extended", "invalid").unwrap_or(false);
    let users = Users::read(&mut input, &["first_name", "last_name"]);
    let period = Period::read(&mut input, ["from", "to"]);
    let page = Page::read(&mut input);
    let query = input.finish()?;
    let find = Find::<Label>::all()
        .is(LabelColumn::Key, "document")
        .is(LabelColumn::Scope, "private")
        .is_one_of(LabelColumn::Value, ["pending", "replaced"])
        .of_users(&users.find(&period))
        .order(LabelColumn::UpdatedAt, Direction::Ascending);
    let total = app.store.count(&find).await?;
    let labels = app.store.find(&find.page(page.skip(), page.limit())).await?;
    let accounts = owners(&app, &labels, page).await?;
    if is_extended {
        return page.answer(&with_kyc(&app, &accounts).await?, total, (&uri, &query));
    }
    page.answer(&accounts.iter().map(User::from).collect::<Vec<_>>(), total, (&uri, &query))
}

/// In the order of the labels.
async fn owners(app: &App, labels: &[Label], page: Page) -> Result<Vec<Account>, Refusal> {
    let ids = labels.iter().map(|label| label.user_id.as_str());
    let find = Find::<AccountRow>::all().is_one_of(AccountColumn::Id, ids).page(0, page.limit());
    let accounts = app.store.accounts(&find).await?.into_iter();
    let mut accounts: BTreeMap<_, _> = accounts.map(|one| (one.user.id.to_string(), one)).collect();
    Ok(labels.iter().filter_map(|label| accounts.remove(&label.user_id)).collect())
}
